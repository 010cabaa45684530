import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as nouns from '../../src/model/nouns.ts';
import { Store } from '../../src/store/store.ts';
import { connectTo, describeFreeswitch } from './freeswitch.ts';
import { attach, shippedShape } from './freeswitch-site.ts';

const tenants = 100;
const gatewaysOfEach = 100;
/** One for each tenant, and a few about all of them and about what changed. */
const mostQuestions = tenants + 20;

describeFreeswitch('one changed gateway among 10,000', (start) => {
  it('is one file, one killgw, one rescan, and a question for each other tenant', async () => {
    const freeswitch = await start(shippedShape);
    const box = await attach(freeswitch);
    const store = await Store.open({
      ...{ file: box.db, keyFile: join(box.dir, 'config', 'sipctl', 'key') },
      ...{ actor: 'tester', now: () => new Date(), create: false },
    });
    const trunk = { provider: 'custom_ip', host: freeswitch.host, port: 5099, networks: ['192.0.2.1'] };
    await store.write(async (writer) => {
      for (let at = 0; at < tenants; at++) {
        const tenant = `t${at}`;
        await writer.add(nouns.tenant, { tenant: null, name: tenant }, {});
        for (let one = 0; one < gatewaysOfEach; one++)
          await writer.add(nouns.trunk, { tenant, name: `g${one}` }, trunk);
      }
    });
    store.close();
    const first = await box.apply();
    expect(first.code, first.stdout.slice(-3000)).toBe(0);

    const listener = await connectTo(freeswitch);
    const commands: string[] = [];
    const events = listener.events();
    await listener.subscribe(['API']);
    const read = async (): Promise<void> => {
      for await (const event of events)
        commands.push(`${event.get('API-Command')} ${event.get('API-Command-Argument') ?? ''}`.trim());
    };
    const reading = read().catch(() => undefined);
    await box.ok('trunk set g7 --tenant t7 --port 5098');
    const second = await box.apply();
    expect(second.code, second.stdout.slice(-3000)).toBe(0);
    // Whatever was asked before it has been told of when its own event comes.
    await listener.api('version short');
    await listener.close();
    await reading;

    const { nodes } = second.json().data as { nodes: { written: { files: number }; generation: number }[] };
    const own = readdirSync(join(freeswitch.conf, 'sipctl', 'current')).length;
    expect((nodes[0]?.written.files ?? 0) - own).toBe(1);
    const questions = /^(xml_locate|domain_exists|version|sofia jsonstatus|sofia xmlstatus gateway)\b/;
    expect(commands.filter((command) => !questions.test(command))).toEqual([
      'sofia profile external killgw t7.g7',
      'sofia profile external rescan',
    ]);
    expect(commands.length).toBeLessThan(mostQuestions);
  }, 600_000);
});

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Ended } from '../support/run-sipctl.ts';
import { type CallSite, startCallSite } from './calls/call-site.ts';
import { type CuttableWay, startWay } from './calls/cuttable-way.ts';
import { outsideMissing } from './calls/outside.ts';
import { describePbxs } from './calls/pbx.ts';
import { textCommands } from './calls/site-commands.ts';

const commands = `
  tenant add acme --domain acme.sip.example --country DE --max-calls 0
  user add ann --tenant acme --extension 1001 --max-calls 0
  user add bob --tenant acme --extension 1002 --max-calls 0
  trunk add main --tenant acme --provider custom_ip --host @carrier --networks @carrier/32 --max-calls 0 --number-format plus
  trunk add reg --tenant acme --provider custom_credential --host @reg --username regacct --networks @reg/32 --max-calls 0
  number add +4930111001 --tenant acme --to user:bob --trunk main
  tenant add other --domain other.sip.example --country DE --max-calls 0
  user add eve --tenant other --extension 1001 --max-calls 0
  user add fay --tenant other --extension 1002 --max-calls 0
`;
const password = 'a right one';
const webhookSecret = 'of-the-webhook';

/** Calls of every direction, from two tenants. */
const ways = [
  ['acme-ann', '1002'],
  ['acme-ann', '030123456'],
  ['carrier', '+4930111001'],
  ['other-eve', '1002'],
  ['acme-bob', '030123457'],
] as const;
const perSecond = 20;

interface Line {
  event: string;
  tenant: string | null;
  node: string;
  previous?: string | null;
  call?: {
    id: string;
    tenant: string | null;
    trunk: string | null;
    state: string;
    end: { text: string } | null;
  };
  trunk?: { trunk: string; registration: string };
  user?: { user: string };
}

/** A `sipctl monitor` that runs. */
interface Monitor {
  lines: Line[];
  /** Ctrl-C. */
  end(): Promise<Ended>;
}

function startMonitor(
  { box }: CallSite,
  words: readonly string[],
  env: Record<string, string> = {},
): Monitor {
  const lines: Line[] = [];
  const interrupt = new AbortController();
  let rest = '';
  const running = box.sipctl(['monitor', '--json', ...words], {
    signal: interrupt.signal,
    env: { PATH: process.env.PATH ?? '', ...env },
    onOut: (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.map((line) => JSON.parse(line) as Line));
    },
  });
  return {
    lines,
    end: () => {
      interrupt.abort();
      return running;
    },
  };
}

const until = (condition: () => boolean | Promise<boolean>, timeout = 20_000) =>
  vi.waitUntil(condition, { timeout, interval: 50 });

/** Ids of calls, each as often as its end was told. */
const ended = (lines: readonly Line[]): string[] =>
  lines.flatMap(({ event, call }) => (call !== undefined && event === 'call.ended' ? [call.id] : []));

describePbxs(
  'an operator who watches',
  (start) => {
    let site: CallSite;
    let way: CuttableWay;
    let receiver: Server;
    const letters: { signed: boolean; event: string; trunk?: string; delivery: string }[] = [];

    beforeAll(async () => {
      site = await startCallSite(start, {
        commands: textCommands(commands, { PASSWORD: password }),
        ...{ carriers: { carrier: null, reg: { username: 'regacct', password } }, gone: [], sounds: {} },
      });
      way = await startWay(site.pbx.control);
      const [node, flags] =
        site.pbx.engine === 'asterisk'
          ? ['pbx1', ['--ami', way.at, '--ami-user', 'test']]
          : ['fs1', ['--esl', way.at]];
      await site.box.ok(['node', 'set', node, ...flags]);
      receiver = createServer((request, response) => {
        const parts: Buffer[] = [];
        request.on('data', (part: Buffer) => parts.push(part));
        request.on('end', () => {
          const body = Buffer.concat(parts).toString();
          const { headers } = request;
          const right = createHmac('sha256', webhookSecret)
            .update(`${headers['sipctl-timestamp']}.${body}`)
            .digest('hex');
          const { event, trunk } = JSON.parse(body) as Line;
          letters.push({
            ...{ event, signed: headers['sipctl-signature'] === `v1=${right}` },
            ...{ delivery: String(headers['sipctl-delivery']) },
            ...(trunk === undefined ? {} : { trunk: trunk.trunk }),
          });
          response.end();
        });
      });
      await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    });
    afterAll(async () => {
      receiver?.close();
      way?.close();
      await site?.stop();
    });

    it('hears of a registration that is refused, and of phones, once each: by line, command and webhook', async () => {
      const heard = join(site.box.dir, 'heard');
      const { port } = receiver.address() as AddressInfo;
      const monitor = startMonitor(
        site,
        [
          ...['registrations', '--tenant', 'acme'],
          ...['--webhook', `http://127.0.0.1:${port}/in`, '--webhook-secret', 'env:HOOK'],
        ],
        { HOOK: webhookSecret },
      );
      const exec = startMonitor(site, [
        ...['users', '--event', 'user.registered,user.unregistered,node.connected', '--exec'],
        `case $SIPCTL_EVENT in user.*) echo "$SIPCTL_EVENT $SIPCTL_EVENT_USER" >> ${heard};; esac`,
      ]);
      const told = (name: string): number => monitor.lines.filter(({ event }) => event === name).length;
      const registration = (): string | undefined =>
        monitor.lines.filter(({ trunk }) => trunk?.trunk === 'reg').at(-1)?.trunk?.registration;
      await until(() => exec.lines.length > 0);
      await until(() => registration() === 'registered', 60_000);
      await site.outside.register('acme-ann', false);
      await until(() => told('user.unregistered') === 1);
      await site.outside.register('acme-ann', true);
      await until(() => told('user.registered') === 1);
      await site.box.ok('trunk set reg --tenant acme --password env:PW', { env: { PW: 'a wrong one' } });
      await site.box.apply();
      await site.pbx.registerAnew({ tenant: 'acme', name: 'reg' });
      await until(() => /^(rejected|failed)$/.test(registration() ?? ''), 45_000);
      await site.box.ok('trunk set reg --tenant acme --password env:PW', { env: { PW: password } });
      await site.box.apply();
      await site.pbx.registerAnew({ tenant: 'acme', name: 'reg' });
      await until(() => registration() === 'registered', 45_000);
      const changes = monitor.lines
        .map(({ event }) => event)
        .filter((event) => /^(trunk|user)\.(?!present)/.test(event));
      await until(() => letters.filter(({ event }) => !event.startsWith('node')).length >= changes.length);
      expect(letters.every(({ signed }) => signed)).toBe(true);
      expect(new Set(letters.map(({ delivery }) => delivery)).size).toBe(letters.length);
      const sorted = (events: readonly string[]): string[] => [...events].sort();
      expect(sorted(letters.map(({ event }) => event).filter((event) => !event.startsWith('node')))).toEqual(
        sorted(changes),
      );
      const byCommand = (): string[] =>
        readFileSync(heard, 'utf8')
          .split('\n')
          .filter((event) => event !== '');
      await until(() => byCommand().length >= 2);
      expect((await monitor.end()).code).toBe(130);
      expect((await exec.end()).code).toBe(130);
      expect(sorted(byCommand())).toEqual(['user.registered ann', 'user.unregistered ann']);
    });

    it('is told of each of 200 calls once, whatever is lost and restarted meanwhile', {
      timeout: 240_000,
    }, async () => {
      for (const party of site.outside.parties) await site.outside.does(party, 'answer briefly');
      const monitor = startMonitor(site, ['--save']);
      const narrow = startMonitor(
        site,
        'calls --tenant acme --trunk main --state ended --event call.ended,node.connected'.split(' '),
      );
      const { lines } = monitor;
      // How often both came to see what there is.
      const connected = (): number =>
        Math.min(
          ...[lines, narrow.lines].map((all) => all.filter(({ event }) => event === 'node.connected').length),
        );
      await until(() => connected() === 1);
      const listed = new Set<string>();
      let isOver = false;
      const sampling = (async () => {
        while (!isOver) {
          for (const id of await site.pbx.running().catch(() => [])) listed.add(id);
          await sleep(250);
        }
      })();
      const ends: Promise<unknown>[] = [];
      const load = async (count: number, cutAt: number | null): Promise<void> => {
        const from = performance.now();
        for (let at = 0; at < count; at += 1) {
          const [party, target] = ways[at % ways.length] ?? ways[0];
          const options = party === 'carrier' ? { callerId: '<+491701234567>' } : {};
          ends.push(
            site.outside.call(party, target, { ...options, silent: true }).then((call) => call.ended),
          );
          if (at === cutAt) way.cut();
          await sleep(Math.max(0, from + ((at + 1) * 1000) / perSecond - performance.now()));
        }
      };
      await load(75, 30);
      await until(() => connected() === 2, 60_000);
      await load(75, 40);
      // All that were placed are there; what runs is gone with the PBX.
      await until(() => connected() === 3, 60_000);
      await sleep(1000);
      const before = connected();
      await site.pbx.restart();
      await until(() => connected() > before, 60_000);
      for (const phone of ['acme-ann', 'acme-bob', 'other-eve', 'other-fay']) {
        await site.outside.register(phone, false);
        await site.outside.register(phone, true);
      }
      await site.pbx.untilKnown({ tenant: 'acme', name: 'main' }, true);
      await load(50, null);
      await until(async () => (await site.pbx.running()).length === 0, 30_000);
      isOver = true;
      await sampling;
      await until(() => new Set(ended(lines)).size >= listed.size).catch(() => undefined);
      // One that began and was answered while nobody listened is told as what it is by then.
      const begun = lines.flatMap(({ call, previous }) => (call && previous === null ? [call.id] : []));
      expect({ begun: begun.length, ended: ended(lines).length }).toEqual({ begun: 200, ended: 200 });
      expect(new Set(begun).size).toBe(200);
      expect(ended(lines).sort()).toEqual([...begun].sort());
      expect([...listed].filter((id) => !ended(lines).includes(id))).toEqual([]);
      expect(listed.size).toBe(200);
      expect(lines.filter(({ event }) => event === 'node.restarted')).toHaveLength(1);
      expect((await monitor.end()).code).toBe(130);
      await narrow.end();
      const overMain = lines.filter(({ event, call }) => event === 'call.ended' && call?.trunk === 'main');
      expect(ended(narrow.lines).sort()).toEqual(ended(overMain).sort());
      expect(overMain).toHaveLength(120);

      const kept = async (): Promise<string[]> =>
        (
          (await site.box.ok('cdr list --all-tenants --limit 1000 --json')).json().data as {
            cdrs: { call: string }[];
          }
        ).cdrs.map(({ call }) => call);
      expect((await kept()).sort()).toEqual(ended(lines).sort());
      // One that nobody watches.
      const unseen = await site.outside.call('acme-ann', '1002', { silent: true });
      await unseen.ended;
      await until(async () => (await site.pbx.running()).length === 0);
      const node = site.pbx.engine === 'asterisk' ? 'pbx1' : 'fs1';
      const imported = async () =>
        (await site.box.ok(`cdr import ${site.pbx.callList} --node ${node} --json`)).json().data;
      expect(await imported()).toMatchObject({ added: 1 });
      expect(await imported()).toMatchObject({ added: 0, changed: 0 });
      expect(await kept()).toHaveLength(201);
    });
  },
  outsideMissing,
);

import { expect, it } from 'vitest';
import { gatewayStatus, killGateway, reloadXml } from '../../src/platforms/freeswitch/esl/commands.ts';
import { samples } from '../support/freeswitch-samples.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, shippedShape } from './freeswitch-site.ts';

/** What FreeSWITCH is asked of the account: what its dialplan goes by. */
const variables = [
  ...['user_context', 'effective_caller_id_name', 'effective_caller_id_number', 'outbound_caller_id_number'],
  ...['callgroup', 'record_stereo', 'codec_string', 'dtmf_type', 'toll_allow', 'accountcode'],
];

/** What tells how long a gateway has been there, and who it is among all. */
const passing =
  /^(uptime|uuid|calls-|failed-calls-|ping-?(freq|time|sent|ping)?$|pingstate|pingcount|pingtime|state|status)/i;

describeFreeswitch('import freeswitch', (start) => {
  it('takes over the gateways and accounts that run: afterwards they have the values of before', async () => {
    const pbx = await start((host) => {
      const shape = shippedShape(host);
      const whole = shape['freeswitch.xml'] ?? '';
      const vars = '<X-PRE-PROCESS cmd="include" data="vars.xml"/>\n  <section name="configuration">';
      return {
        ...shape,
        'freeswitch.xml': whole.replace('<section name="configuration">', vars),
        ...samples(host),
      };
    });
    const before = await running(pbx);
    expect(before.get('gateway carrier')?.get('context')).toBe('public');
    expect(before.get('user 1000')?.get('callgroup')).toBe('techsupport');

    const box = await attach(pbx);
    await box.ok('tenant set default --domain sip.example');
    const imported = await box.ok(['import', 'freeswitch', pbx.conf, '--yes', '--json']);
    for (const secret of ['of-the-phone', 'gateway & secret', 'gateway &amp; secret'])
      expect(imported.stdout + imported.stderr).not.toContain(secret);
    const { warnings } = imported.json() as unknown as { warnings: { message: string }[] };
    expect(warnings.map(({ message }) => message)).toEqual([
      "the dial-string of the domain 'sip.example' becomes sipctl's own",
      "user 1000: variable.toll_allow='domestic,international,local' becomes 'internal,national,international'",
      "user 1000: variable.accountcode='1000' becomes 'default'",
    ]);

    for (const path of Object.keys(samples(pbx.host))) if (path !== 'vars.xml') pbx.remove(path);
    await ended(pbx, ['carrier', 'peer']);
    const applied = await box.apply();
    expect(applied.code, applied.stdout).toBe(0);

    const after = await running(pbx);
    const differing = [...before].flatMap(([key, values]) =>
      [...values].flatMap(([name, value]) =>
        after.get(key)?.get(name) === value
          ? []
          : [`${key} ${name}: '${value}', now '${after.get(key)?.get(name)}'`],
      ),
    );
    // The two that were told; all else is what it was.
    expect(differing).toEqual([
      "user 1000 toll_allow: 'domestic,international,local', now 'internal,national,international'",
      "user 1000 accountcode: '1000', now 'default'",
    ]);

    const again = await box.sipctl([
      'import',
      'freeswitch',
      pbx.conf,
      '--check',
      '--json',
      '--except',
      '1000',
    ]);
    expect(again.json().data, again.stdout).toMatchObject({ changes: [] });
  });
});

async function running(pbx: FreeswitchInstance): Promise<Map<string, Map<string, string>>> {
  const esl = await connectTo(pbx);
  const ask = (command: string): Promise<string> => esl.api(command);
  try {
    const found = new Map<string, Map<string, string>>();
    for (const name of ['carrier', 'peer']) {
      const status = await gatewayStatus(ask, name);
      const kept = [...(status?.all ?? [])].filter(([key]) => !passing.test(key));
      found.set(`gateway ${name}`, new Map(kept));
    }
    const values = await Promise.all(
      variables.map(async (name) => [name, await ask(`user_data 1000@sip.example var ${name}`)] as const),
    );
    return found.set('user 1000', new Map(values));
  } finally {
    await esl.close();
  }
}

// A gateway that runs is not made anew from other files while it is there.
async function ended(pbx: FreeswitchInstance, names: readonly string[]): Promise<void> {
  const esl = await connectTo(pbx);
  const ask = (command: string): Promise<string> => esl.api(command);
  for (const name of names) await killGateway(ask, 'external', name);
  await reloadXml(ask);
  await esl.close();
}

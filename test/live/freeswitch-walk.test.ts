import { beforeAll, expect, it } from 'vitest';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { shippedShape } from './freeswitch-site.ts';
import { commandsOf, type Step, walkPageOnFreeswitch } from './page-walk.ts';

const lines = commandsOf('docs/freeswitch.md', 'walk');
const secrets = { CARRIER_PASSWORD: 'car;rier "1" $${x}', BOARD_PIN: '4711' };

// The smallest configuration has a domain and a gateway of the very names of the page.
const nothing = '<include>\n</include>\n';
const nothingOfOthers = { 'directory/acme.xml': nothing, 'sip_profiles/external/main.xml': nothing };

describeFreeswitch('the walk of docs/freeswitch.md', (start) => {
  let freeswitch: FreeswitchInstance;
  let steps: Step[];

  beforeAll(async () => {
    freeswitch = await start((host) => ({ ...shippedShape(host), ...nothingOfOthers }));
    steps = await walkPageOnFreeswitch(freeswitch, lines, secrets);
  }, 120_000);

  const said = (command: string): string =>
    steps.findLast(({ line }) => line.startsWith(command))?.output ?? '';

  it('works to the letter', () => {
    expect(lines.length).toBeGreaterThan(15);
    expect(steps.map(({ line }) => line)).toEqual(lines);
    for (const { line, code, output } of steps) expect([line, code], output).toEqual([line, 0]);
  });

  it('says what the page says', () => {
    expect(said('sipctl apply')).toContain('pbx1: applied and verified, generation 1');
    expect(said('sipctl plan --detailed-exitcode')).toContain('Nothing to do.');
    expect(said('sipctl drift')).toContain('no drift from generation 1');
    expect(said('sipctl rollback')).toContain('pbx1: applied and verified, generation 1');
    expect(said('sipctl doctor')).toContain('FreeSWITCH knows Europe/Berlin');
    expect(said('sipctl doctor')).not.toMatch(/^ +failed/m);
    expect(steps.map(({ output }) => output).join()).not.toMatch(/car;rier|4711/);
  });

  it('leaves a FreeSWITCH that knows the trunk, the users and where calls go', async () => {
    const esl = await connectTo(freeswitch);
    try {
      expect(await esl.api('sofia xmlstatus gateway acme.main')).toContain('<name>acme.main</name>');
      expect((await esl.api('user_exists id bob acme.sip.example')).trim()).toBe('true');
      expect(await esl.api("xml_locate dialplan context name 't-acme.ivr.welcome'")).toContain(
        'acme.welcome',
      );
      expect(await esl.api('xml_locate configuration configuration name ivr.conf')).toContain('acme.welcome');
    } finally {
      await esl.close();
    }
  });
});

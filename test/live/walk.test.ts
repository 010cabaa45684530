import { beforeAll, describe, expect, it } from 'vitest';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { addManagerUser, shown } from './attached.ts';
import { commandsOf, type Step, walkPage } from './page-walk.ts';

const walkOfReadme = (): string[] => commandsOf('README.md', 'walk');

const secrets = { TELNYX_PASSWORD: 'tel;nyx "1"', ANN_PASSWORD: 'ann $HOME' };

describe('the five-minute walk', () => {
  it('stands in the README', () => {
    const lines = walkOfReadme();
    expect(lines.length).toBeGreaterThan(8);
    expect(
      lines.filter((line) => /\bsipctl (?:init|plan|apply|node init)\b/.test(line)).length,
    ).toBeGreaterThan(4);
  });
});

describeAsterisk('the five-minute walk of the README', ({ start }) => {
  let asterisk: AsteriskInstance;
  let steps: Step[];

  beforeAll(async () => {
    asterisk = await start();
    // As docs/asterisk.md says.
    await addManagerUser(asterisk, 'sipctl', 'config,system');
    steps = await walkPage(asterisk, walkOfReadme(), secrets);
  });

  it('works to the letter', () => {
    expect(steps.map(({ line }) => line)).toEqual(walkOfReadme());
    for (const { line, code, output } of steps) expect([line, code], output).toEqual([line, 0]);
  });

  it('ends with nothing to do', () => {
    const plans = steps.filter(({ line }) => line.startsWith('sipctl plan'));
    expect(plans[0]?.output).toMatch(/Plan: [0-9]+ to create, 0 to change, 0 to delete/);
    expect(plans.at(-1)?.output).toContain('Nothing to do.');
    expect(steps.find(({ line }) => line.startsWith('sipctl apply'))?.output).toContain(
      'applied and verified',
    );
  });

  it('leaves an Asterisk that knows the trunk and the users', async () => {
    const running = await shown(asterisk);
    expect([...running.endpoint.keys()].sort()).toEqual([
      'acme.telnyx_main',
      'john_doe@acme.sip.example',
      'mobile_user_1@acme.sip.example',
    ]);
    expect(running.auth.get('acme.telnyx_main')).toMatchObject({
      Username: '1234567890',
      Password: 'tel;nyx "1"',
    });
    expect(running.auth.get('mobile_user_1@acme.sip.example')?.Password).toBe('ann $HOME');
    expect(running.endpoint.get('acme.telnyx_main')).toMatchObject({
      Context: 'from-trunk',
      Allow: '(ulaw|alaw|g722)',
    });
  });

  it('prints no password', () => {
    expect(steps.map(({ output }) => output).join()).not.toMatch(/tel;nyx|ann \$HOME/);
  });
});

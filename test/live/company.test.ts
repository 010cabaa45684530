import { beforeAll, describe, expect, it } from 'vitest';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { addManagerUser } from './attached.ts';
import { blockOf, commandsOf, type Step, walkPage } from './page-walk.ts';

const page = 'docs/call-flows.md';
const company = (): string[] => commandsOf(page, 'company');

/** Each command of the page's simulations, and what the page says that it prints. */
const simulations = (): { command: string; said: string }[] =>
  blockOf(page, 'simulations')
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...said] = part.split('\n');
      return { command, said: said.join('\n').trim() };
    });

const secrets = {
  CARRIER_PASSWORD: 'carrier-0123456789',
  BACKUP_PASSWORD: 'backup-0123456789',
  BOARD_PIN: '4711',
  BOARD_MODERATOR_PIN: '81471',
};

describe('the small company', () => {
  it('stands in the page about calls', () => {
    expect(company().length).toBeGreaterThan(15);
    expect(simulations().length).toBeGreaterThan(3);
  });
});

describeAsterisk('the small company of the page about calls', ({ start }) => {
  let asterisk: AsteriskInstance;
  let steps: Step[];

  beforeAll(async () => {
    asterisk = await start();
    await addManagerUser(asterisk, 'sipctl', 'config,system');
    const simulated = simulations().map(({ command }) => command);
    steps = await walkPage(asterisk, [...company(), ...simulated], secrets);
  });

  it('is provisioned to the letter, and leaves nothing to do', () => {
    for (const { line, code, output } of steps) expect([line, code], output).toEqual([line, 0]);
    expect(steps.find(({ line }) => line.startsWith('sipctl apply'))?.output).toContain(
      'applied and verified',
    );
    expect(steps.find(({ line }) => line.startsWith('sipctl plan'))?.output).toContain('Nothing to do.');
  });

  it('takes its calls as the page says', () => {
    for (const { command, said } of simulations())
      expect(steps.find(({ line }) => line === command)?.output.trim()).toBe(said);
  });

  it('stands in the dialplan of the running Asterisk', async () => {
    const menu = await asterisk.cli('dialplan show t-hill.ivr.welcome');
    expect(menu).toMatch(/'1' =>\s+1\. Goto\(t-hill\.group\.sales,s,1\)/);
    expect(await asterisk.cli('voicemail show users')).toMatch(/t-hill\s+1001\s+Ann Hill/);
  });

  it('prints no secret', () => {
    const printed = steps.map(({ output }) => output).join();
    for (const secret of Object.values(secrets)) expect(printed).not.toContain(secret);
  });
});

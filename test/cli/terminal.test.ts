import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startAmiServer } from '../support/ami-server.ts';
import { type Cli, newCli, pendingChange } from './process.ts';

// script(1) of util-linux gives a command a terminal of its own, and this test both of its ends.
const probe = spawnSync('script', ['-qec', 'exit 7', '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] });
const hasTerminal = probe.status === 7;

const enter = '\r';
const down = '\u001b[B';
const ctrlC = '\u0003';

/** A person at a terminal: reads what is shown, types, and sees how it ends. */
interface Session {
  /** Everything that the terminal was sent so far, control sequences left out. */
  shown(): string;
  /** Waits until these words stand on the terminal, then types. */
  at(words: string, keys: string): Promise<void>;
  type(keys: string): void;
  ended: Promise<number | null>;
}

let cli: Cli;
beforeEach(() => {
  cli = newCli();
});

function session(line: string, env: Record<string, string> = {}): Session {
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    env: { ...cli.env, SHELL: '/bin/sh', TERM: 'xterm', ...env } as NodeJS.ProcessEnv,
    cwd: cli.dir,
  });
  onTestFinished(() => void child.kill());
  let raw = '';
  let seen = 0;
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw += text;
  });
  const over = once(child, 'close').then(([code]) => {
    return code as number | null;
  });
  const shown = (): string => stripVTControlCharacters(raw);
  const at = async (words: string, keys: string): Promise<void> => {
    while (!shown().slice(seen).includes(words)) {
      const ended = await Promise.race([once(child.stdout, 'data').then(() => false), over.then(() => true)]);
      if (ended && !shown().slice(seen).includes(words))
        throw new Error(`ended without '${words}':\n${shown()}`);
    }
    seen = shown().length;
    child.stdin.write(keys);
  };
  return { shown, at, type: (keys) => void child.stdin.write(keys), ended: over };
}

const reveal = async (argv: string): Promise<Record<string, unknown>> =>
  JSON.parse((await cli.ok(`${argv} --reveal --json`)).stdout).data;

describe.skipIf(!hasTerminal)('at a terminal (needs script of util-linux)', () => {
  beforeEach(() => cli.ok('init'));

  it('asks for what a trunk lacks, by the provider that was chosen, and echoes no secret', async () => {
    const secret = 'typed-Secret-9';
    const talk = session('sipctl trunk add main --provider telnyx');
    await talk.at('Authentication:', enter);
    await talk.at('account name at the carrier:', `1234567890${enter}`);
    await talk.at('account password:', `${secret}${enter}`);
    expect([await talk.ended, talk.shown().includes(secret)]).toEqual([0, false]);
    expect(talk.shown()).toContain('trunk main added');
    expect(talk.shown()).toContain('*'.repeat(secret.length));
    expect(await reveal('trunk show main')).toMatchObject({
      trunk: { provider: 'telnyx', authType: 'credential', username: '1234567890', password: secret },
    });
  });

  it('lets a carrier be chosen from the list', async () => {
    const talk = session(
      'sipctl trunk add main --host h.example --networks 192.0.2.1 --username u --password env:P',
      {
        P: 'x',
      },
    );
    await talk.at('Carrier of trunk main:', `${down}${enter}`);
    expect(await talk.ended).toBe(0);
    const { providers } = JSON.parse((await cli.ok('provider list --json')).stdout).data;
    expect(await reveal('trunk show main')).toMatchObject({ trunk: { provider: providers[1].id } });
  });

  it('tells what is wrong with an answer, and asks again', async () => {
    const talk = session('sipctl user add ann');
    await talk.at('number that reaches the user:', `12a${enter}`);
    await talk.at('is not an extension', `\u007f${enter}`);
    await talk.at('name shown to the called party (may be empty):', enter);
    await talk.at('Kind of phone', enter);
    await talk.at('Make a strong password?', enter);
    expect(await talk.ended).toBe(0);
    expect(await reveal('user show ann')).toMatchObject({
      user: { extension: '12', displayName: null, password: expect.stringMatching(/^[A-Za-z0-9]{24}$/) },
    });
  });

  it('takes a password of one’s own without showing it', async () => {
    const secret = 'typed-Secret-9';
    const talk = session('sipctl user add ann --extension 101 --display-name Ann');
    await talk.at('Kind of phone', enter);
    await talk.at('Make a strong password?', `n${enter}`);
    await talk.at('SIP password:', `${secret}${enter}`);
    expect([await talk.ended, talk.shown().includes(secret)]).toEqual([0, false]);
    expect(await reveal('user show ann')).toMatchObject({ user: { password: secret } });
  });

  it.each([
    ['a list', 'trunk add main', 'Carrier of trunk main:'],
    ['a line', 'trunk add main --provider telnyx --auth credential', 'account name at the carrier:'],
    ['a password', 'trunk add main --provider telnyx --auth credential --username u', 'account password:'],
    ['yes or no', 'tenant remove acme', 'Remove tenant acme?'],
  ])('ends with 130 on Ctrl-C at %s, with nothing done and no stack', async (_, argv, question) => {
    await cli.ok('tenant add acme');
    const talk = session(`sipctl ${argv}`);
    await talk.at(question, ctrlC);
    expect(await talk.ended, talk.shown()).toBe(130);
    expect(talk.shown()).toContain('interrupted: nothing was done');
    expect(talk.shown()).not.toMatch(/^\s+at /m);
    expect((await cli.run('trunk show main')).code).toBe(5);
    await cli.ok('tenant show acme');
  });

  it('asks before it destroys, and takes no for an answer', async () => {
    await cli.ok('tenant add acme');
    const no = session('sipctl tenant remove acme');
    await no.at('Remove tenant acme?', enter);
    expect(await no.ended).toBe(4);
    await cli.ok('tenant show acme');
    const yes = session('sipctl tenant remove acme');
    await yes.at('Remove tenant acme?', `y${enter}`);
    expect(await yes.ended).toBe(0);
    expect((await cli.run('tenant show acme')).code).toBe(5);
  });

  // A terminal of width 0 is one whose program never said how wide it is.
  it.each([0, 80])('shows the plan, asks, and applies, on a terminal of %i columns', async (columns) => {
    await pendingChange(cli);
    const no = session(`stty cols ${columns}; sipctl apply`);
    await no.at('Apply this plan?', enter);
    expect([await no.ended, no.shown()]).toEqual([4, expect.stringContaining('+ user ann')]);
    const yes = session(`stty cols ${columns}; sipctl apply`);
    await yes.at('Apply this plan?', `y${enter}`);
    expect([await yes.ended, yes.shown()]).toEqual([0, expect.stringContaining('pbx: writing')]);
    expect(yes.shown()).toContain('delivered, not verified');
    expect((await cli.run('plan --detailed-exitcode')).code).toBe(0);
  });

  it('ends an apply on Ctrl-C, with nothing put in force', async () => {
    const silent = await startAmiServer({ banner: '' });
    try {
      await pendingChange(cli);
      await cli.ok(`node set pbx --ami 127.0.0.1:${silent.port} --ami-user sipctl --ami-secret env:AMI`, {
        env: { AMI: 's3cret' },
      });
      const talk = session('sipctl apply --yes', { SIPCTL_CONNECT_TIMEOUT: '2' });
      await vi.waitFor(() => expect(silent.peers.length).toBe(1), { timeout: 20_000, interval: 20 });
      talk.type(ctrlC);
      expect([await talk.ended, talk.shown()]).toEqual([130, expect.stringContaining('interrupted')]);
      expect((await cli.run('plan --detailed-exitcode')).code).toBe(2);
    } finally {
      await silent.close();
    }
  });

  it('paints, unless it is told not to', async () => {
    const raw = async (env: Record<string, string>): Promise<string> => {
      const child = spawn('script', ['-qefc', 'sipctl user show nobody', '/dev/null'], {
        env: { ...cli.env, SHELL: '/bin/sh', TERM: 'xterm', ...env } as NodeJS.ProcessEnv,
      });
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      await once(child, 'close');
      return text;
    };
    expect(await raw({})).toContain('\u001b[31merror');
    expect(await raw({ NO_COLOR: '1' })).not.toContain('\u001b');
    expect(await raw({ TERM: 'dumb' })).not.toContain('\u001b');
  });

  it('asks nobody where CI is set, or where only standard output is a terminal', async () => {
    const ci = session('sipctl trunk add main', { CI: 'true' });
    expect(await ci.ended).toBe(3);
    expect(ci.shown()).toContain('give --provider');
    const piped = session('sipctl trunk add main < /dev/null');
    expect(await piped.ended).toBe(3);
    const silent = session('sipctl trunk add main 2> /dev/null');
    expect(await silent.ended).toBe(3);
  });

  it('does not wait for a secret on a terminal that was meant to be piped in', async () => {
    const talk = session('sipctl user add ann --extension 101 --password-stdin');
    expect(await talk.ended).toBe(64);
    expect(talk.shown()).toContain('--password-stdin reads standard input, and that is a terminal');
  });
});

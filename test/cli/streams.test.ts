import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Cli, type Ended, newCli, pendingSite } from './process.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const stack = /^\s+at /m;

describe('the first words', () => {
  it('are the version, for those who ask for it', async () => {
    const cli = newCli();
    for (const argv of ['--version', '-V', '--version --json', '--json --version'])
      expect([argv, await cli.run(argv)]).toEqual([
        argv,
        { code: 0, signal: null, stdout: `${version}\n`, stderr: '' },
      ]);
  });

  it('are one and the same page of help, with and without the parser', async () => {
    const cli = newCli();
    const pages = await Promise.all(
      [[], ['--help'], ['-h'], ['help'], ['--quiet', '--help']].map((argv) => cli.run(argv)),
    );
    for (const page of pages) expect(page).toEqual(pages[0]);
    expect(pages[0]).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: sipctl') });
  });

  it('say what is wrong with the line, with 64, in one line and a hint', async () => {
    const cli = newCli();
    const wrong: [string[], string][] = [
      [['nonsense'], "there is no command 'nonsense'"],
      [['users'], "there is no command 'users'"],
      [['--yes'], 'no command is given'],
      [['--json', '--quiet'], 'no command is given'],
      [[''], "there is no command ''"],
      [['--nonsense'], "unknown option '--nonsense'"],
      [['user'], 'user needs a verb'],
      [['user', 'nonsense'], "user has no verb 'nonsense'"],
      [['user', 'nonsense', '--yes'], "user has no verb 'nonsense'"],
      [['user', 'list', 'extra'], 'too many arguments'],
      [['user', 'list', '--tenant'], 'argument missing'],
      [['user', 'list', '--json=yes'], 'unknown option'],
      [['user', 'show'], 'username'],
      [['constructor'], "there is no command 'constructor'"],
      [['__proto__'], "there is no command '__proto__'"],
    ];
    for (const [argv, message] of wrong) {
      const ended = await cli.run(argv);
      expect([argv, ended.code]).toEqual([argv, 64]);
      const json = argv.includes('--json') || ended.stdout.startsWith('{');
      expect(json ? ended.stdout : ended.stderr).toContain(message);
      expect(ended.stderr).not.toMatch(stack);
    }
    expect((await cli.run('users')).stderr).toContain("did you mean 'user'?");
  });
});

describe('a reader that has gone away', () => {
  /** Runs with nobody at the other end of standard output. */
  async function unread(cli: Cli, argv: string): Promise<Ended> {
    const { process: child, ended } = cli.start(argv.split(' '));
    child.stdout?.destroy();
    return ended;
  }

  it('is nothing to speak of, and leaves the exit code as it is', async () => {
    const cli = newCli();
    await cli.ok('init');
    for (const argv of ['--help', '--version', 'provider list', 'provider list --json', 'trunk add --help'])
      expect([argv, await unread(cli, argv)]).toMatchObject([argv, { code: 0, signal: null, stderr: '' }]);
    for (const argv of ['user show nobody', 'user show nobody --json']) {
      const ended = await unread(cli, argv);
      expect([argv, ended.code, stack.test(ended.stderr)]).toEqual([argv, 5, false]);
    }
  });

  it('may read one line of many', async () => {
    const cli = newCli();
    const ended = await cli.bash(
      'set -o pipefail; sipctl provider list --json | head -c 1; echo " ${PIPESTATUS[*]}"',
    );
    expect(ended).toMatchObject({ stdout: '{ 0 0\n', stderr: '' });
  });

  it('does not end an apply half-way: it is delivered, recorded, and unlocked', async () => {
    const cli = newCli();
    await pendingSite(cli);
    const { process: child, ended } = cli.start(['apply', '--yes']);
    child.stdout?.destroy();
    child.stderr?.destroy();
    expect((await ended).code).toBe(0);
    expect((await cli.run('plan --detailed-exitcode')).code).toBe(0);
    const history = JSON.parse((await cli.ok('history --json')).stdout);
    expect(history.data.deliveries).toMatchObject([{ node: 'pbx', outcome: 'delivered', generation: 1 }]);
  });
});

describe('standard output that cannot be written', () => {
  it('is a failure, said on standard error without a stack', async () => {
    const cli = newCli();
    await cli.ok('init');
    for (const argv of ['--help', '--version', 'tenant list', 'tenant list --json']) {
      const ended = await cli.bash(`sipctl ${argv} > /dev/full`);
      expect([argv, ended.code, ended.stderr.split('\n')[0]]).toEqual([
        argv,
        1,
        'error: standard output cannot be written: ENOSPC',
      ]);
      expect(ended.stderr).not.toMatch(stack);
    }
  });

  it('hides no other failure, and standard error that cannot be written none either', async () => {
    const cli = newCli();
    await cli.ok('init');
    const json = await cli.bash('sipctl user show nobody --json > /dev/full');
    expect([json.code, json.stderr]).toEqual([5, expect.stringContaining("there is no user 'nobody'")]);
    expect((await cli.bash('sipctl user show nobody 2> /dev/full')).code).toBe(5);
    expect((await cli.bash('sipctl user show nobody >&- 2>&- <&-')).code).toBe(5);
  });
});

describe('colour', () => {
  const escapeByte = '\u001b';

  it('stays away from pipes, also where the environment asks for it', async () => {
    const cli = newCli();
    await pendingSite(cli);
    for (const env of [
      {},
      { FORCE_COLOR: '1' },
      { NO_COLOR: '1' },
      { TERM: 'xterm-256color', COLORTERM: 'truecolor' },
    ]) {
      for (const argv of ['plan --diff', 'user list', 'provider show telnyx', 'user show nobody', 'doctor']) {
        const { stdout, stderr } = await cli.run(argv, { env });
        expect([env, argv, (stdout + stderr).includes(escapeByte)]).toEqual([env, argv, false]);
      }
    }
  });
});

describe('the environment', () => {
  it('may hold empty values, which count as not set', async () => {
    const cli = newCli();
    const env = {
      SIPCTL_CONFIG: '',
      SIPCTL_TENANT: '',
      SIPCTL_KEY_FILE: '',
      SIPCTL_TEMPLATES: '',
      SIPCTL_CONNECT_TIMEOUT: '',
    };
    await cli.ok('init', { env });
    await cli.ok('user list', { env });
  });

  it('may lack HOME, or have an empty one in its place', async () => {
    const cli = newCli();
    await cli.ok('init');
    for (const env of [{ HOME: undefined }, { HOME: '' }]) await cli.ok('tenant list', { env });
  });
});

describe('two secrets of one command', () => {
  it('cannot both come from standard input; one of them can', async () => {
    const cli = newCli();
    await cli.ok('init');
    const add = 'conference add board --extension 8000';
    const both = await cli.run(`${add} --pin-stdin --moderator-pin-stdin`, { input: '4711' });
    expect([both.code, both.stdout, both.stderr]).toEqual([
      64,
      '',
      'error: --pin-stdin and --moderator-pin-stdin both read standard input\n  hint: give one of them by file\n',
    ]);
    expect((await cli.run('conference show board')).code).toBe(5);
    await cli.ok(`${add} --pin-stdin --moderator-pin env:MODERATOR`, {
      input: '4711',
      env: { MODERATOR: '815815' },
    });
    expect((await cli.ok('conference show board --reveal')).stdout).toMatch(
      /pin: +4711\nmoderatorPin: +815815/,
    );
  });
});

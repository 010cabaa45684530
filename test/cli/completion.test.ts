import { beforeEach, expect, it } from 'vitest';
import { commands } from '../../src/commands/index.ts';
import { type Cli, newCli } from './process.ts';

let cli: Cli;
beforeEach(() => {
  cli = newCli();
});

/** What bash offers when Tab is pressed at the end of a line. */
async function offered(line: string): Promise<string[]> {
  const { code, stdout, stderr } = await cli.bash(`
    source <(sipctl completion bash) || exit
    COMP_WORDS=(${line.replace(/ $/, " ''")}) COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _sipctl
    printf '%s\\n' "\${COMPREPLY[@]}"`);
  expect([code, stderr]).toEqual([0, '']);
  return stdout.split('\n').filter((word) => word !== '');
}

it('is registered for the command', async () => {
  const { stdout } = await cli.bash('source <(sipctl completion bash); complete -p sipctl');
  expect(stdout).toBe('complete -o default -F _sipctl sipctl\n');
});

it('offers commands, verbs and flags, also before there is a database', async () => {
  expect(await offered('sipctl ')).toEqual(commands.map(({ name }) => name));
  expect(await offered('sipctl tr')).toEqual(['trunk']);
  expect(await offered('sipctl user ')).toEqual(
    expect.arrayContaining(['list', 'show', 'add', 'set', 'ensure', 'remove', 'enable', 'disable']),
  );
  expect(await offered('sipctl user en')).toEqual(['ensure', 'enable']);
  expect(await offered('sipctl plan --d')).toEqual(expect.arrayContaining(['--diff', '--detailed-exitcode']));
  expect(await offered('sipctl user show ')).not.toContain('ann');
  expect(await offered('sipctl nonsense ')).toEqual([]);
  expect(await offered('sipctl constructor ')).toEqual([]);
  expect(await offered('sipctl user constructor ')).toContain('list');
});

it('offers the names of objects, those of the tenant that is named', async () => {
  await cli.ok('init');
  await cli.ok('tenant add acme --domain acme.example');
  await cli.ok('user add ann --extension 101 --generate-password');
  await cli.ok('user add anders --tenant acme --extension 101 --generate-password');
  await cli.ok('number add +15551234567');
  expect(await offered('sipctl user show a')).toEqual(['ann']);
  expect(await offered('sipctl user add a')).toEqual([]);
  expect(await offered('sipctl tenant set ac')).toEqual(['acme']);
  expect(await offered('sipctl number show ')).toContain('+15551234567');
  expect(await offered('sipctl provider show tel')).toEqual(['telekom', 'telnyx']);
  for (const line of [
    'sipctl --tenant acme user show a',
    'sipctl user --tenant acme show a',
    'sipctl user show --tenant acme a',
  ])
    expect([line, await offered(line)]).toEqual([line, ['anders']]);
});

it('offers what a flag may be given', async () => {
  await cli.ok('init');
  await cli.ok('tenant add acme');
  expect(await offered('sipctl user list --tenant ')).toEqual(['acme', 'default']);
  expect(await offered('sipctl trunk add x --provider tel')).toEqual(['telekom', 'telnyx']);
  expect(await offered('sipctl user add x --template web')).toEqual(['webrtc_user']);
});

it('goes on with destinations that bash takes apart at the colon', async () => {
  await cli.ok('init');
  await cli.ok('user add ann --extension 101 --generate-password');
  expect(await offered('sipctl number add +15551234567 --to us')).toEqual(['user:ann']);
  expect(await offered('sipctl number add +15551234567 --to user : a')).toEqual(['ann']);
});

it('is a script that each of the shells can read', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await cli.ok(['completion', shell]);
    expect(stdout).toContain('sipctl completion words');
    const there = (await cli.bash(`command -v ${shell}`)).code === 0;
    if (there)
      expect([shell, (await cli.bash(`sipctl completion ${shell} | ${shell} -n`)).code]).toEqual([shell, 0]);
  }
});

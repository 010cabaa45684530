import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { needs } from '../../src/platforms/asterisk/rights.ts';
import { type AmiServer, message, type ReceivedAction, startAmiServer } from '../support/ami-server.ts';
import { type Cli, newCli, pendingSite } from './process.ts';

let cli: Cli;
let pbx: string;
let silent: AmiServer;

beforeEach(async () => {
  cli = newCli();
  pbx = await pendingSite(cli);
  await cli.ok('apply --yes');
  silent = await startAmiServer({ banner: '' });
  await attach('pbx', silent);
  await cli.ok('user set ann --display-name Ann');
});
afterEach(() => silent.close());

const attach = (node: string, { port }: AmiServer): Promise<unknown> =>
  cli.ok(`node set ${node} --ami 127.0.0.1:${port} --ami-user sipctl --ami-secret env:AMI`, {
    env: { AMI: 's3cret' },
  });

/** What the PBX sees, what keeps others out, and what is left to do. */
async function state(): Promise<unknown> {
  const database = new BetterSqlite3(cli.db, { readonly: true });
  const leases = database.prepare('SELECT name FROM leases').all();
  database.close();
  return {
    current: readlinkSync(join(pbx, 'sipctl', 'current')),
    generations: readdirSync(join(pbx, 'sipctl', 'generations')).length,
    locked: readdirSync(join(pbx, 'sipctl')).some((name) => name.startsWith('lock')),
    leases,
    pending: (await cli.run('plan --detailed-exitcode')).code,
  };
}
const untouched = { current: 'generations/000001', generations: 2, locked: false, leases: [], pending: 2 };

const connected = (server: AmiServer): Promise<unknown> =>
  vi.waitFor(() => expect(server.peers.length).toBeGreaterThan(0), { timeout: 20_000, interval: 20 });

/** Whoever waited for the time to pass would still be waiting when the test is over. */
const patient = { env: { SIPCTL_CONNECT_TIMEOUT: '600' } };

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  it(`${signal} while a PBX does not answer ends with 130, and nothing was done`, async () => {
    const run = cli.start(['apply', '--yes'], patient);
    await connected(silent);
    run.process.kill(signal);
    const ended = await run.ended;
    expect(ended).toMatchObject({ code: 130, signal: null });
    expect(ended.stderr).toContain('interrupted: the current step is being finished or undone');
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(await state()).toEqual(untouched);
  });
}

it('says the same as one JSON document', async () => {
  const run = cli.start(['apply', '--yes', '--json'], patient);
  await connected(silent);
  run.process.kill('SIGINT');
  const { code, stdout } = await run.ended;
  expect([code, JSON.parse(stdout)]).toMatchObject([130, { ok: false, changed: false }]);
  expect(JSON.parse(stdout).errors).toContainEqual(expect.objectContaining({ code: 'interrupted' }));
});

for (const command of ['rollback pbx --to 0 --yes', 'drift', 'status', 'doctor', 'node init pbx']) {
  it(`ends ${command} likewise`, async () => {
    const run = cli.start(command.split(' '), patient);
    await connected(silent);
    run.process.kill('SIGINT');
    const ended = await run.ended;
    expect(ended).toMatchObject({ code: 130, signal: null });
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(await state()).toEqual(untouched);
  });
}

for (const command of ['monitor --json', 'metrics --listen 127.0.0.1:0 --quiet']) {
  it(`ends ${command} without a word of steps, as it has none`, async () => {
    const run = cli.start(command.split(' '), patient);
    await connected(silent);
    run.process.kill('SIGINT');
    expect(await run.ended).toMatchObject({ code: 130, signal: null, stdout: '', stderr: '' });
  });
}

it('ends with 130 too where the PBX let it in and then fell silent', async () => {
  let ask = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const drowsy = await startAmiServer({
    answer: ({ name }) => {
      if (name === 'ListCommands') ask();
      return ['Challenge', 'Login'].includes(name) ? undefined : null;
    },
  });
  try {
    await attach('pbx', drowsy);
    const run = cli.start(['apply', '--yes'], patient);
    await Promise.race([asked, run.ended]);
    run.process.kill('SIGINT');
    expect(await run.ended).toMatchObject({ code: 130, signal: null });
    expect(await state()).toEqual(untouched);
  } finally {
    await drowsy.close();
  }
});

it('a second Ctrl-C does not wait, and what it leaves is no obstacle', async () => {
  let reload = (): void => undefined;
  const reloading = new Promise<void>((resolve) => {
    reload = resolve;
  });
  const busy = await startAmiServer({
    answer: (action) => {
      if (action.name === 'Reload') reload();
      return action.name === 'Reload' ? null : answerOfForgetful(action);
    },
  });
  try {
    await attach('pbx', busy);
    const run = cli.start(['apply', '--yes'], patient);
    await Promise.race([reloading, run.ended]);
    const heard = new Promise<void>((resolve) => {
      run.process.stderr?.on('data', (text: string) => text.includes('interrupted') && resolve());
    });
    run.process.kill('SIGINT');
    await heard;
    run.process.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
  } finally {
    await busy.close();
  }
  expect(await state()).toMatchObject({ current: 'generations/000002', pending: 2 });
  expect((await cli.ok('history --json')).stdout).toContain('"outcome":"interrupted"');
  await cli.ok('node set pbx --unset ami,ami-user,ami-secret');
  await cli.ok('user set ann --display-name Eve');
  await cli.ok('apply --yes');
  expect(await state()).toMatchObject({
    current: 'generations/000003',
    locked: false,
    leases: [],
    pending: 0,
  });
});

it('begins no other node, and names those that are left', async () => {
  await cli.ok(['node', 'add', 'zulu', '--kind', 'asterisk', '--dir', cli.dir]);
  const run = cli.start(['apply', '--yes', '--concurrency', '1'], patient);
  await connected(silent);
  run.process.kill('SIGINT');
  const { code, stderr } = await run.ended;
  expect([code, stderr]).toEqual([130, expect.stringContaining('zulu')]);
  expect(readdirSync(cli.dir)).not.toContain('sipctl');
});

it('finishes what it has begun: from the flip on, the PBX is not left with half a change', async () => {
  let reload = (): void => undefined;
  const reloading = new Promise<void>((resolve) => {
    reload = resolve;
  });
  const forgetful = await startAmiServer({
    answer: (action) => {
      if (action.name === 'Reload') reload();
      return answerOfForgetful(action);
    },
  });
  try {
    await attach('pbx', forgetful);
    const run = cli.start(['apply', '--yes', '--json']);
    await Promise.race([reloading, run.ended]);
    run.process.kill('SIGINT');
    const { code, stdout } = await run.ended;
    // This one shows nothing of what it was given: the change is taken back, and that is said before all else.
    expect([code, JSON.parse(stdout).ok]).toEqual([9, false]);
    expect(await state()).toMatchObject({ current: 'generations/000001', locked: false, leases: [] });
  } finally {
    await forgetful.close();
  }
});

/** Allows everything, reloads, and then knows no endpoint. */
function answerOfForgetful(action: ReceivedAction): string | undefined {
  const allowed = needs.flatMap(({ actions }) => actions).map((name) => `${name}: x  (Priv: system)`);
  if (action.name === 'ListCommands') return message(action, 'Response: Success', ...allowed);
  if (action.name === 'CoreSettings') return message(action, 'Response: Success', 'AsteriskVersion: 22.10.1');
  if (action.name.startsWith('PJSIPShow'))
    return message(action, 'Response: Error', 'Message: No endpoints found');
  return ['Reload', 'ListCategories', 'GetConfig'].includes(action.name)
    ? message(action, 'Response: Success')
    : undefined;
}

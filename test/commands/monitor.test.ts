import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { ScriptedPbx } from '../support/scripted-plane.ts';
import { callToAnn, monitoredSite, start } from './monitor-site.ts';

let box: Sandbox;
let pbx: ScriptedPbx;
beforeEach(async () => {
  ({ box, pbx } = await monitoredSite());
});

const events = (lines: readonly Record<string, unknown>[]): unknown[] => lines.map(({ event }) => event);

describe('monitor, away from a terminal', () => {
  it('tells what is there, what changes, and ends with 130 at Ctrl-C', async () => {
    callToAnn(pbx, 'old');
    pbx.trunk('acme.main');
    const running = start(box, 'monitor', { control: pbx.open });
    await running.heard('node.connected');
    callToAnn(pbx, 'new');
    pbx.end('old.1', { q850: 16 });
    pbx.end('old.2', { q850: 16 });
    await running.heard('call.ended');
    pbx.trunk('acme.main', { registration: 'gave-up' });
    await running.heard('trunk.gave-up');
    const { code, stderr } = await running.end();
    expect([code, stderr, pbx.openSessions]).toEqual([130, '', 0]);
    const lines = running.lines();
    expect(new Set(events(lines))).toEqual(
      new Set([
        ...['call.present', 'trunk.present', 'node.connected'],
        ...['call.answered', 'call.changed', 'call.ended', 'trunk.gave-up'],
      ]),
    );
    expect(lines.find(({ event }) => event === 'call.ended')).toMatchObject({
      schema: 'sipctl/v1',
      at: '2026-05-04T10:00:00.000Z',
      node: 'pbx1',
      tenant: 'acme',
      call: {
        id: 'old.1',
        trunk: 'main',
        direction: 'inbound',
        from: '+4930111',
        to: '+4930222',
        state: 'ended',
        answeredAt: '2026-05-04T10:00:04.000Z',
        end: { q850: 16 },
      },
    });
  });

  it('carries on over a lost connection, and tells no call twice', async () => {
    const running = start(box, 'monitor calls', { control: pbx.open });
    await running.heard('node.connected');
    callToAnn(pbx, 'a');
    await running.heard('call.answered');
    pbx.lose();
    await running.heard('node.connected', 2);
    pbx.end('a.1');
    pbx.end('a.2');
    await running.heard('call.ended');
    await running.end();
    const told = events(running.lines());
    expect(told.filter((event) => event === 'call.answered')).toHaveLength(1);
    expect(told.filter((event) => event === 'call.ended')).toHaveLength(1);
    expect(told).toContain('node.lost');
  });

  it.each([
    ['calls --tenant beta', ['node.connected']],
    ['--tenant acme --event call.ended', ['call.ended']],
    ['calls --state ended', ['node.connected', 'call.ended']],
    ['trunks', ['trunk.present', 'node.connected']],
    ['users', ['user.present', 'node.connected']],
    ['registrations --event trunk,user', ['trunk.present', 'user.present']],
    ['calls --trunk main --event call.answered', ['call.answered']],
  ])('tells of %s only that', async (flags, told) => {
    pbx.trunk('acme.main');
    pbx.user('ann@acme.example', 1);
    const running = start(box, `monitor ${flags}`, { control: pbx.open });
    // It looks before the other one does, whatever store it waits for.
    await vi.waitFor(() => expect(pbx.openSessions).toBe(1), { timeout: 20_000, interval: 5 });
    const other = start(box, 'monitor', { control: pbx.open });
    await other.heard('node.connected');
    callToAnn(pbx, 'a');
    pbx.end('a.1');
    pbx.end('a.2');
    await other.heard('call.ended');
    await running.heard(told.at(-1) as string);
    await Promise.all([running.end(), other.end()]);
    expect(events(running.lines())).toEqual(told);
  });

  it('lets a dead node hide nothing of the others', async () => {
    await box.ok(['node', 'add', 'pbx2', '--kind', 'asterisk', '--dir', box.dir]);
    const dead = new ScriptedPbx();
    dead.goDown();
    const control = (node: string, options: { events: boolean }) =>
      (node === 'pbx2' ? dead : pbx).open(node, options);
    callToAnn(pbx, 'a');
    const running = start(box, 'monitor', { control });
    await running.heard('call.present');
    await running.heard('node.lost', 2);
    dead.comeBack();
    await running.heard('node.connected', 2);
    expect((await running.end()).code).toBe(130);
    const once = await box.sipctl('monitor --once', { control });
    expect(once.code).toBe(0);
    dead.goDown('pbx2 does not answer');
    const partly = await box.sipctl('monitor --once', { control });
    expect([partly.code, partly.stderr]).toEqual([7, expect.stringContaining('pbx2 does not answer')]);
    expect(partly.stdout).toContain('call.present');
  });

  it('goes on where one PBX refuses us, and says so', async () => {
    await box.ok(['node', 'add', 'pbx2', '--kind', 'asterisk', '--dir', box.dir]);
    const strict = new ScriptedPbx();
    strict.goDown('pbx2 denies the login', 'refused');
    const control = (node: string, options: { events: boolean }) =>
      (node === 'pbx2' ? strict : pbx).open(node, options);
    const running = start(box, 'monitor', { control });
    await running.heard('node.lost');
    await running.heard('node.connected');
    callToAnn(pbx, 'a');
    await running.heard('call.answered');
    await running.end();
    expect(running.lines().filter(({ node }) => node === 'pbx2')).toMatchObject([
      { event: 'node.lost', detail: 'pbx2 denies the login' },
    ]);
  });

  it.each([
    ['unreachable', 7],
    ['refused', 4],
  ] as const)('ends where no node can be had at all: %s', async (outcome, code) => {
    pbx.goDown('no such luck', outcome);
    const ended = await box.sipctl('monitor', { control: pbx.open });
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining('no such luck')]);
  });

  it('complains of what can be seen to be wrong before it watches', async () => {
    const codes = async (line: string) => (await box.sipctl(line, { control: pbx.open })).code;
    expect(await codes('monitor lunch')).toBe(64);
    expect(await codes('monitor --state angry')).toBe(3);
    expect(await codes('monitor --event call.lost')).toBe(3);
    expect(await codes('monitor --trunk nobody')).toBe(5);
    expect(await codes('monitor --tenant nobody')).toBe(5);
    expect(await codes('monitor --node nobody')).toBe(5);
    expect(await codes('monitor --once --exec true')).toBe(64);
    expect(await codes('monitor --webhook ftp://example --webhook-secret env:S')).toBe(3);
    expect(await codes('monitor --webhook https://u:p@example --webhook-secret env:S')).toBe(3);
    expect(await codes('monitor --webhook https://example')).toBe(3);
    const typed = await box.sipctl('monitor --webhook https://example --webhook-secret hunter2', {
      control: pbx.open,
    });
    expect([typed.code, typed.stderr.includes('hunter2')]).toEqual([3, false]);
    const uncontrolled = await box.sipctl('monitor');
    expect([uncontrolled.code, uncontrolled.stderr]).toEqual([
      3,
      expect.stringContaining('--ami <host:port>'),
    ]);
    expect(pbx.opened).toEqual([]);
  });

  it('asks for no events where it only looks once', async () => {
    await box.ok('monitor --once', { control: pbx.open });
    expect(pbx.opened).toEqual([{ node: 'pbx1', events: false }]);
  });

  it('keeps the calls that ended, each once, of every tenant', async () => {
    const running = start(box, 'monitor trunks --tenant beta --save', { control: pbx.open });
    await running.heard('node.connected');
    callToAnn(pbx, 'a');
    pbx.end('a.1');
    pbx.end('a.2');
    callToAnn(pbx, 'b');
    pbx.lose();
    pbx.end('b.1');
    pbx.end('b.2');
    await running.heard('node.connected', 2);
    await running.end();
    const { cdrs } = (await box.ok('cdr list --all-tenants --json')).json().data as {
      cdrs: { call: string }[];
    };
    expect(cdrs.map(({ call }) => call).sort()).toEqual(['a.1', 'b.1']);
  });
});

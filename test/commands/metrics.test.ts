import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { ScriptedPbx } from '../support/scripted-plane.ts';
import { callToAnn, monitoredSite } from './monitor-site.ts';

let box: Sandbox;
let pbx: ScriptedPbx;
beforeEach(async () => {
  ({ box, pbx } = await monitoredSite());
});

/** Series → value, as a scraper reads them; every line must be one that Prometheus takes. */
function series(text: string): Map<string, number> {
  const read = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE (\w+) (gauge|counter)$/.exec(line);
    if (type !== null) typed.add(type[1] as string);
    if (line.startsWith('# ')) continue;
    const sample = /^(\w+)(\{(?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)*\}) (-?[\d.]+)$/.exec(line);
    expect(sample, line).not.toBeNull();
    const [, name = '', labels = '', value] = sample as RegExpExecArray;
    expect([name, typed.has(name), read.has(name + labels)]).toEqual([name, true, false]);
    read.set(name + labels, Number(value));
  }
  return read;
}

describe('metrics', () => {
  it('counts what is there, by what tells it apart', async () => {
    callToAnn(pbx, 'a');
    callToAnn(pbx, 'b');
    pbx.trunk('acme.main', { registration: 'rejected', reachable: false, rttMs: 12 });
    pbx.user('ann@acme.example', 2);
    const read = series((await box.ok('metrics', { control: pbx.open })).stdout);
    const main = 'node="pbx1",tenant="acme",trunk="main"';
    expect(Object.fromEntries(read)).toMatchObject({
      'sipctl_node_up{node="pbx1"}': 1,
      'sipctl_calls{node="pbx1",tenant="acme",direction="inbound",trunk="main",state="answered"}': 2,
      'sipctl_tenant_calls_limit{tenant="acme"}': 2,
      [`sipctl_trunk_registration{${main},state="rejected"}`]: 1,
      [`sipctl_trunk_registration{${main},state="registered"}`]: 0,
      [`sipctl_trunk_reachable{${main}}`]: 0,
      [`sipctl_trunk_rtt_seconds{${main}}`]: 0.012,
      'sipctl_users_registered{node="pbx1",tenant="acme"}': 1,
      'sipctl_contacts{node="pbx1",tenant="acme"}': 2,
    });
    const beta = series((await box.ok('metrics --tenant beta', { control: pbx.open })).stdout);
    expect([...beta.keys()].filter((name) => name.includes('acme'))).toEqual([]);
  });

  it('tells of a silent node that it is down, and fails only where all are', async () => {
    await box.ok(['node', 'add', 'pbx2', '--kind', 'asterisk', '--dir', box.dir]);
    const dead = new ScriptedPbx();
    dead.goDown('pbx2 does not answer');
    const control = (node: string, options: { events: boolean }) =>
      (node === 'pbx2' ? dead : pbx).open(node, options);
    const partly = await box.ok('metrics', { control });
    expect(partly.stderr).toContain('pbx2 does not answer');
    const read = series(partly.stdout);
    expect([read.get('sipctl_node_up{node="pbx1"}'), read.get('sipctl_node_up{node="pbx2"}')]).toEqual([
      1, 0,
    ]);
    const none = await box.sipctl('metrics', { control: dead.open });
    expect([none.code, series(none.stdout).get('sipctl_node_up{node="pbx1"}')]).toEqual([7, 0]);
  });

  it('escapes what would end a label', async () => {
    pbx.leg('x', { account: 'a"b\\c\nd', number: '1' });
    const { stdout } = await box.ok('metrics', { control: pbx.open });
    expect(stdout).toContain('tenant="a\\"b\\\\c\\nd"');
    series(stdout);
  });

  it('writes a file whole, and leaves nothing else behind', async () => {
    const file = join(box.dir, 'textfile', 'sipctl.prom');
    const missing = await box.sipctl(['metrics', '--textfile', file], { control: pbx.open });
    expect([missing.code, missing.stderr]).toEqual([5, expect.stringContaining('no such file')]);
    mkdirSync(join(box.dir, 'textfile'));
    const ended = await box.ok(['metrics', '--textfile', file], { control: pbx.open });
    expect(ended.stdout).toBe('');
    expect(series(readFileSync(file, 'utf8')).get('sipctl_node_up{node="pbx1"}')).toBe(1);
    expect(readdirSync(join(box.dir, 'textfile'))).toEqual(['sipctl.prom']);
    const device = await box.sipctl(['metrics', '--textfile', join(box.dir, 'textfile')], {
      control: pbx.open,
    });
    expect([device.code, device.stderr]).toEqual([3, expect.stringContaining('is no regular file')]);
  });

  it('gives the same as data', async () => {
    const { data } = (await box.ok('metrics --json', { control: pbx.open })).json();
    expect(data).toMatchObject({
      metrics: [{ name: 'sipctl_build_info', type: 'gauge' }, {}, {}, {}, {}, {}, {}, {}, {}],
    });
  });

  it.each(['--listen nonsense', '--listen 127.0.0.1:99999'])('refuses %s', async (flags) => {
    expect((await box.sipctl(`metrics ${flags}`, { control: pbx.open })).code).toBe(3);
  });

  it.each([
    '--every 5',
    '--listen 127.0.0.1:0 --json',
  ])('says what contradicts itself in %s', async (flags) => {
    expect((await box.sipctl(`metrics ${flags}`, { control: pbx.open })).code).toBe(64);
  });
});

describe('metrics --listen', () => {
  interface Answer {
    status: number | undefined;
    type: string | undefined;
    text: string;
  }

  const asked = (url: string, method = 'GET'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = get(url, { method, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (more: string) => {
          text += more;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode, type: response.headers['content-type'], text }),
        );
      });
      request.on('error', reject);
    });

  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  it('counts what happens, and ends with 130', async () => {
    const interrupt = new AbortController();
    const file = join(box.dir, 'sipctl.prom');
    const port = await freePort();
    const running = box.sipctl(
      ['metrics', '--listen', `127.0.0.1:${port}`, '--textfile', file, '--every', '1'],
      { control: pbx.open, signal: interrupt.signal },
    );
    const base = `http://127.0.0.1:${port}`;
    const until = (series: string) =>
      vi.waitFor(async () => expect((await asked(`${base}/metrics`)).text).toContain(series), {
        timeout: 20_000,
        interval: 20,
      });
    await until('sipctl_node_up{node="pbx1"} 1');
    callToAnn(pbx, 'a');
    pbx.end('a.1');
    pbx.end('a.2', {}, Date.UTC(2026, 4, 4, 10, 0, 34));
    pbx.leg('b.1', { endpoint: 'acme.main', account: 'acme', number: '+4930111' });
    pbx.end('b.1', { q850: 17, sip: 486 });
    const labels = 'node="pbx1",tenant="acme",direction="inbound",trunk="main"';
    await until(`sipctl_calls_failed_total{${labels},q850="17",sip="486"} 1`);
    const { text, type } = await asked(`${base}/metrics`);
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(Object.fromEntries(series(text))).toMatchObject({
      [`sipctl_calls_answered_total{${labels}}`]: 1,
      [`sipctl_calls_ended_total{${labels}}`]: 2,
      [`sipctl_call_talk_seconds_total{${labels}}`]: 30,
      'sipctl_monitor_lag_seconds{node="pbx1"}': expect.any(Number),
    });
    expect(await asked(`${base}/healthz`)).toMatchObject({ status: 200, text: 'pbx1 connected\n' });
    expect(await asked(`${base}/metrics`, 'POST')).toMatchObject({ status: 405 });
    expect(await asked(`${base}/etc/passwd`)).toMatchObject({ status: 404 });
    pbx.goDown();
    await until('sipctl_node_up{node="pbx1"} 0');
    expect(await asked(`${base}/healthz`)).toMatchObject({ status: 503, text: 'pbx1 lost\n' });
    await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain('sipctl_node_lost_total'), {
      timeout: 20_000,
    });
    const taken = await box.sipctl(`metrics --listen 127.0.0.1:${port}`, { control: pbx.open });
    expect([taken.code, taken.stderr]).toEqual([6, expect.stringContaining('EADDRINUSE')]);
    interrupt.abort();
    expect((await running).code).toBe(130);
    await expect(asked(`${base}/metrics`)).rejects.toThrow('ECONNREFUSED');
  });
});

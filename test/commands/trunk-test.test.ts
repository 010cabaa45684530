import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { headerOf } from '../../src/sip/message/message.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import {
  challenge,
  registrar,
  type Script,
  type SipServer,
  sipServer,
} from '../support/scripted-registrar.ts';
import {
  addTrunk as addTrunkAt,
  trunkPassword as password,
  type Tested,
  type TestedStage,
} from '../support/tested-trunk.ts';

async function site(script: Script): Promise<{ box: Sandbox; server: SipServer }> {
  const server = await sipServer(script);
  return { box: await sandbox(), server };
}

/** All with one account, as a customer of one carrier has it. */
const addTrunk = (box: Sandbox, { port }: SipServer, name: string, more = '') =>
  addTrunkAt(box, port, name, { username: 'account', more });

async function test(box: Sandbox, line: string) {
  const { code, json, stdout } = await box.sipctl(`trunk test ${line} --timeout 1 --json`);
  const { trunks } = json().data as Tested;
  const stage = (name: string, at = 0): TestedStage | undefined =>
    trunks[at]?.stages.find((one) => one.stage === name);
  return { code, trunks, stage, stdout };
}

it('registers, gives the binding back, and tells of a NAT that is not there', async () => {
  const { box, server } = await site(registrar(password));
  await addTrunk(box, server, 'main');
  const { code, stage, trunks } = await test(box, 'main');
  expect(code).toBe(0);
  expect(trunks[0]).toMatchObject({ status: 'ok', causes: [] });
  expect(stage('register')).toMatchObject({ status: 'ok', facts: { expires: 120, unregistered: true } });
  expect(stage('nat')).toMatchObject({ status: 'ok', facts: { seen: { address: '127.0.0.1' } } });
  const expiries = server.of('REGISTER').map((request) => headerOf(request, 'Expires'));
  expect(expiries).toEqual(['300', '300', '0', '0']);
  const ids = new Set(server.of('REGISTER').map((request) => headerOf(request, 'Call-ID')));
  expect(ids.size).toBe(1);
});

it('tries a rejected account once, whichever trunk it belongs to', async () => {
  const { box, server } = await site(registrar('another one'));
  await addTrunk(box, server, 'one');
  await addTrunk(box, server, 'two');
  const { code, stage, trunks } = await test(box, '--all');
  expect(code).toBe(1);
  expect([stage('register', 0)?.cause, stage('register', 1)?.cause].sort()).toEqual([
    'credentials_rejected',
    'rejected_before',
  ]);
  expect(trunks.map(({ status }) => status)).toEqual(['failed', 'failed']);
  const answered = server.of('REGISTER').filter((request) => headerOf(request, 'Authorization') !== null);
  expect(answered).toHaveLength(1);
});

it('answers a stale nonce once more, and no oftener', async () => {
  const { box, server } = await site(({ method }, count) =>
    method === 'REGISTER' ? challenge(`n${count}`, ',stale=true') : { status: 200 },
  );
  await addTrunk(box, server, 'main');
  const { stage } = await test(box, 'main');
  expect(stage('register')).toMatchObject({ cause: 'challenge_loop', facts: { attempts: 2 } });
  expect(server.of('REGISTER')).toHaveLength(3);
});

it('does not show a strange realm what the password makes of its nonce', async () => {
  const { box, server } = await site(registrar(password));
  await addTrunk(box, server, 'main', '--realm other.example');
  const { stage, trunks } = await test(box, 'main');
  expect(stage('register')).toMatchObject({ cause: 'realm_mismatch', facts: { realm: 'carrier.example' } });
  expect(trunks[0]?.causes[0]).toMatchObject({ field: 'realm' });
  expect(server.of('REGISTER')).toHaveLength(1);
});

it('asks for the interval that the registrar wants', async () => {
  const { box, server } = await site((request, count) =>
    request.method === 'REGISTER' && Number(headerOf(request, 'Expires')) === 300
      ? { status: 423, headers: { 'Min-Expires': '900' } }
      : registrar(password)(request, count),
  );
  await addTrunk(box, server, 'main');
  expect((await test(box, 'main')).stage('register')).toMatchObject({ status: 'ok' });
  expect(server.of('REGISTER').map((request) => headerOf(request, 'Expires'))).toContain('900');
});

it.each([
  [403, 'forbidden', 'username'],
  [404, 'unknown_user', 'username'],
  [503, 'service_unavailable', undefined],
  [500, 'server_error', undefined],
])('names what %i to REGISTER means', async (status, cause, field) => {
  const { box, server } = await site(({ method }) =>
    method === 'REGISTER' ? { status, headers: { 'Retry-After': '30' } } : { status: 200 },
  );
  await addTrunk(box, server, 'main');
  const { code, stage, trunks } = await test(box, 'main');
  expect(code).toBe(1);
  expect(stage('register')).toMatchObject({ cause, facts: { status, retryAfter: 30 } });
  expect(trunks[0]?.causes[0]?.field).toBe(field);
});

it('tells silence from a refusal, and both from a failure by the exit code', async () => {
  const { box, server } = await site(() => null);
  await addTrunk(box, server, 'silent');
  const silent = await test(box, 'silent');
  expect(silent.code).toBe(7);
  expect(silent.stage('options')).toMatchObject({ status: 'warning', cause: 'no_answer' });
  expect(silent.stage('register')).toMatchObject({ status: 'failed', cause: 'no_answer' });
  expect(server.of('OPTIONS').length).toBeGreaterThan(1);
  await box.ok('trunk set silent --port 9');
  const refused = await test(box, 'silent');
  expect(refused.code).toBe(7);
  expect(refused.stage('options')).toMatchObject({ status: 'failed', cause: 'connection_refused' });
  expect(refused.stage('register')).toMatchObject({ status: 'skipped' });
});

it('writes traces without what could be guessed from, for nobody else’s eyes', async () => {
  const { box, server } = await site(registrar(password));
  await addTrunk(box, server, 'main');
  const [trace, pcap] = [join(box.dir, 'trace.txt'), join(box.dir, 'trace.pcap')];
  await box.ok(['trunk', 'test', 'main', '--trace', trace, '--pcap', pcap]);
  const text = readFileSync(trace, 'utf8');
  expect(text).toMatch(/Authorization: Digest .*response="x{32}"/);
  const proofs = server.of('REGISTER').flatMap((request) => {
    const found = /response="([0-9a-f]{32})"/.exec(headerOf(request, 'Authorization') ?? '');
    return found === null ? [] : [found[1] as string];
  });
  expect(proofs.length).toBeGreaterThan(0);
  for (const proof of proofs) {
    expect(text).not.toContain(proof);
    expect(readFileSync(pcap).includes(proof)).toBe(false);
  }
  expect(readFileSync(pcap).readUInt32LE(0)).toBe(0xa1b2c3d4);
});

it('answers a monitoring system in its own words and codes', async () => {
  const { box, server } = await site(registrar(password));
  await addTrunk(box, server, 'main');
  const good = await box.sipctl('trunk test main --nagios');
  expect(good.code).toBe(0);
  expect(good.stdout).toMatch(/^TRUNK OK - main: passed \| .*'register'=\d+ms;;;0/);
  await addTrunk(box, server, 'bad', '--realm other.example');
  const bad = await box.sipctl('trunk test --all --nagios');
  expect(bad.code).toBe(2);
  expect(bad.stdout).toMatch(/^TRUNK CRITICAL - 1 of 2 passed; bad: /);
  const unknown = await box.sipctl('trunk test nobody --nagios');
  expect(unknown.code).toBe(3);
  expect(unknown.stdout).toMatch(/^TRUNK UNKNOWN - /);
});

it('explains in the words of the trunk', async () => {
  const { box, server } = await site(registrar('another one'));
  await addTrunk(box, server, 'main');
  const { stdout, stderr, code } = await box.sipctl('trunk explain main');
  expect(code).toBe(1);
  expect(stdout).toContain("rejects user 'account' with this password (realm 'carrier.example') [password]");
  expect(stdout).toContain('sipctl trunk set main --tenant default --password-stdin');
  expect(stderr).toBe('');
});

it.each([
  ['', 64, 'no_trunk'],
  ['nobody', 5, 'trunk_not_found'],
  ['main --stages dance', 3, 'invalid_stages'],
  ['main --call !', 3, 'invalid_call'],
  ['main --stun a:b:c', 3, 'invalid_stun'],
  ['main --ca /nowhere', 3, 'invalid_ca'],
  ['main --timeout 0', 3, 'invalid_timeout'],
  ['main --trace /nowhere/trace', 3, 'invalid_trace'],
])('refuses %j', async (line, code, error) => {
  const { box, server } = await site(registrar(password));
  await addTrunk(box, server, 'main');
  const ended = await box.sipctl(`trunk test ${line} --json`.replace('  ', ' '));
  expect(ended.code).toBe(code);
  expect(ended.json().errors[0]?.code).toBe(error);
  expect(server.requests).toEqual([]);
});

it('gives the binding back when it is interrupted', async () => {
  const interrupt = new AbortController();
  const { box, server } = await site((request, count) => {
    const reply = registrar(password)(request, count);
    if (request.method === 'REGISTER' && reply?.status === 200) interrupt.abort();
    return reply;
  });
  await addTrunk(box, server, 'main');
  const { code } = await box.sipctl('trunk test main', { signal: interrupt.signal });
  expect(code).toBe(130);
  const last = server.of('REGISTER').at(-1);
  expect(last === undefined ? null : headerOf(last, 'Expires')).toBe('0');
});

it('stops a delivery whose trunks do not pass, where that is asked for', async () => {
  const { box, server } = await site(registrar('another one'));
  await addTrunk(box, server, 'main');
  const dir = join(box.dir, 'pbx');
  mkdirSync(dir);
  await box.ok(`node add pbx --kind asterisk --dir ${dir}`);
  const refused = await box.sipctl('apply --yes --require-test --json');
  expect(refused.code, refused.stdout + refused.stderr).toBe(4);
  expect(refused.json().errors[0]).toMatchObject({ code: 'credentials_rejected', field: 'password' });
  expect(existsSync(join(dir, 'sipctl')) ? readdirSync(join(dir, 'sipctl')) : []).not.toContain('current');
  writeFileSync(join(box.dir, 'password'), 'another one');
  await box.ok(['trunk', 'set', 'main', '--password-file', join(box.dir, 'password')]);
  await box.ok('apply --yes --require-test');
  expect(readdirSync(join(dir, 'sipctl'))).toContain('current');
});

it('tests the trunk that a number arrives on', async () => {
  const { box, server } = await site(registrar(password));
  await addTrunk(box, server, 'main', '--did +15551234567');
  await box.ok('number add +15557654321');
  const { code, json } = await box.sipctl('number test +15551234567 --json');
  expect(code).toBe(0);
  expect((json().data as Tested).trunks[0]).toMatchObject({ trunk: 'main', status: 'ok' });
  const idle = await box.sipctl('number test +15557654321 --json');
  expect(idle.code).toBe(3);
  expect(idle.json().errors[0]).toMatchObject({ code: 'missing_trunk', field: 'trunk' });
});

it.each([
  ['(555) 123-0000', '+15551230000'],
  ['+49 30 123456', '+4930123456'],
  ['011 49 30 123456', '+4930123456'],
  ['300', '300'],
])('calls %j as the PBX would', async (given, sent) => {
  const { box, server } = await site((request, count) =>
    request.method === 'INVITE' ? { status: 486 } : registrar(password)(request, count),
  );
  await addTrunk(box, server, 'main');
  const { json } = await box.sipctl(['trunk', 'test', 'main', '--call', given, '--json']);
  const [tested] = (json().data as Tested).trunks;
  expect(tested?.stages.find(({ stage }) => stage === 'call')).toMatchObject({ cause: 'busy' });
  expect(server.of('INVITE')[0]?.uri).toMatch(new RegExp(`^sip:${sent.replace('+', '\\+')}@`));
});

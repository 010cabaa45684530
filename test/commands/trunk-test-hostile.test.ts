import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { headerOf, type SipRequest } from '../../src/sip/message/message.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import {
  challenge,
  registrar,
  type Script,
  type SipServer,
  sipServer,
} from '../support/scripted-registrar.ts';
import { addTrunk, trunkPassword as password, type Tested } from '../support/tested-trunk.ts';

async function site(script: Script): Promise<{ box: Sandbox; server: SipServer }> {
  const server = await sipServer(script);
  const box = await sandbox();
  await addTrunk(box, server.port, 'main');
  return { box, server };
}

async function test(box: Sandbox, line: string) {
  const { code, json } = await box.sipctl(`trunk test ${line} --json`);
  const { trunks } = json().data as Tested;
  return { code, trunks, register: trunks[0]?.stages.find(({ stage }) => stage === 'register') };
}

const expiryOf = (request: SipRequest | undefined): string | null =>
  request === undefined ? null : headerOf(request, 'Expires');

it('warns where the registrar falls silent while the binding is given back', async () => {
  const { box, server } = await site((request, count) =>
    expiryOf(request) === '0' && headerOf(request, 'Authorization') !== null
      ? null
      : registrar(password)(request, count),
  );
  const { code, register } = await test(box, 'main');
  expect(code).toBe(0);
  expect(register).toMatchObject({ status: 'warning', cause: 'not_unregistered' });
  expect(expiryOf(server.of('REGISTER').at(-1))).toBe('0');
});

it('gives all bindings back when several trunks are interrupted', async () => {
  const interrupt = new AbortController();
  const silent = await sipServer(() => null);
  const { box, server } = await site((request, count) => {
    const reply = registrar(password)(request, count);
    if (request.method === 'REGISTER' && reply?.status === 200) interrupt.abort();
    return reply;
  });
  await addTrunk(box, silent.port, 'silent');
  const { code, stderr } = await box.sipctl('trunk test --all', { signal: interrupt.signal });
  expect(code).toBe(130);
  expect(stderr).toContain('was taken back');
  const last = server.of('REGISTER').at(-1) as SipRequest;
  expect([expiryOf(last), headerOf(last, 'Authorization') === null]).toEqual(['0', false]);
});

it.each(['', ' --nagios', ' --json'])('lets nothing through that steers a terminal%s', async (form) => {
  const { box } = await site(({ method }) => ({
    status: method === 'OPTIONS' ? 200 : 488,
    reason: '\\\u001b[31mred \u009b2J \u202e \u2028',
    headers: { Warning: '399 x "\\\u001b]0;title\\\u0007"' },
  }));
  const { stdout } = await box.sipctl(`trunk test main${form}`);
  expect(stdout).toContain('u001b');
  expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\u202e]/u);
});

it('quotes a realm that is going to be pasted into a shell', async () => {
  const { box } = await site(({ method }) =>
    method === 'REGISTER'
      ? { status: 401, headers: { 'WWW-Authenticate': `Digest realm="x'; reboot; '",nonce="n"` } }
      : { status: 200 },
  );
  await box.ok('trunk set main --realm mine');
  const { trunks } = await test(box, 'main');
  expect(trunks[0]?.causes[0]).toMatchObject({ code: 'realm_mismatch' });
  expect(trunks[0]?.causes[0]?.hint).toContain(`--realm 'x'\\''; reboot; '\\'''`);
});

it.each(['9'.repeat(40), '31536000', '0', '-5', 'NaN'])('does not register for %s s', async (interval) => {
  const { box, server } = await site(({ method }) =>
    method === 'REGISTER' ? { status: 423, headers: { 'Min-Expires': interval } } : { status: 200 },
  );
  const { register } = await test(box, 'main');
  expect(register).toMatchObject({ status: 'failed', cause: 'interval_too_brief' });
  expect(server.of('REGISTER').map(expiryOf)).toEqual(['300']);
});

it.each(['-5', 'NaN', '9'.repeat(40)])('takes Expires: %s for none', async (expires) => {
  const { box } = await site(({ method }) =>
    method === 'REGISTER' ? { status: 200, headers: { Expires: expires } } : { status: 200 },
  );
  expect((await test(box, 'main')).register?.facts.expires).toBe(300);
});

it('tells a redirect that leads nowhere from one in circles', async () => {
  let contact = '<sip:127.0.0.1:9;transport=tcp>';
  const { box, server } = await site(({ method }) =>
    method === 'REGISTER' ? { status: 302, headers: { Contact: contact } } : { status: 200 },
  );
  expect((await test(box, 'main')).register).toMatchObject({ cause: 'redirect_unreachable' });
  contact = `<sip:127.0.0.1:${server.port}>`;
  expect((await test(box, 'main')).register).toMatchObject({ cause: 'redirect_loop' });
});

it('speaks of the outbound proxy where that is what does not work', async () => {
  const { box } = await site(() => null);
  await box.ok('trunk set main --host carrier.example --outbound-proxy 127.0.0.3');
  const { trunks } = await test(box, 'main --timeout 1');
  expect(trunks[0]?.causes[0]).toMatchObject({ code: 'connection_refused', field: 'outboundProxy' });
  expect(trunks[0]?.causes[0]?.message).toContain('127.0.0.3 over udp');
});

it('tells a server that says 100 for ever from a silent one, once', async () => {
  const { box } = await site(() => ({ status: 100 }));
  const { code, trunks } = await test(box, 'main --timeout 1');
  expect(code).toBe(7);
  expect(trunks[0]?.causes).toEqual([expect.objectContaining({ code: 'no_answer' })]);
  expect(trunks[0]?.causes[0]?.message).toContain('is at work, and never comes to an end');
});

it('places no second call with an account that was rejected at the first', async () => {
  const { box, server } = await site(({ method }, count) =>
    method === 'INVITE' ? challenge(`n${count}`) : { status: 200 },
  );
  await box.ok('trunk set main --no-registration --username account');
  await addTrunk(box, server.port, 'second', { more: '--no-registration' });
  await box.ok('trunk set second --username account');
  const { trunks } = await test(box, '--all --call +15551230000 --stages call');
  const causes = trunks.map(({ causes: [first] }) => first?.code).sort();
  expect(causes).toEqual(['credentials_rejected', 'rejected_before']);
  expect(server.of('INVITE').filter((one) => headerOf(one, 'Authorization') !== null)).toHaveLength(1);
});

it('does not say 488 of a call that was taken', async () => {
  const { box } = await site(() => ({ status: 200 }));
  await box.ok('trunk set main --no-registration');
  const { trunks } = await test(box, 'main --call +15551230000 --stages call');
  expect(trunks[0]?.causes[0]?.message).toContain('takes the call, and none of the media');
});

it('cuts short what nobody could read', async () => {
  const { box } = await site(() => ({ status: 403, reason: 'x'.repeat(50_000) }));
  const { stdout } = await box.sipctl('trunk test main');
  expect(stdout.length).toBeLessThan(5000);
});

it('hides digest proofs that the other side repeats', async () => {
  const { box, server } = await site((request) => {
    const proof = headerOf(request, 'Authorization');
    if (request.method !== 'REGISTER') return { status: 200 };
    if (proof === null) return challenge('n', ',qop="auth"');
    return { status: 403, reason: proof, headers: { Warning: `399 x "${proof.replaceAll('"', '\\"')}"` } };
  });
  const [trace, pcap] = [join(box.dir, 'trace.txt'), join(box.dir, 'trace.pcap')];
  const argv = ['trunk', 'test', 'main', '--trace', trace, '--pcap', pcap, '--debug'];
  const [text, json] = [await box.sipctl(argv), await box.sipctl([...argv.slice(0, 3), '--json'])];
  const proofs = server.of('REGISTER').flatMap((request) => {
    const sent = headerOf(request, 'Authorization') ?? '';
    return [...sent.matchAll(/\b(?:response|cnonce)="([^"]+)"/g)].map(([, proof = '']) => proof);
  });
  expect(proofs.length).toBeGreaterThan(3);
  const told = [
    text.stdout,
    text.stderr,
    json.stdout,
    readFileSync(trace, 'utf8'),
    readFileSync(pcap, 'latin1'),
  ];
  for (const proof of proofs) for (const one of told) expect(one).not.toContain(proof);
});

it('keeps the binding of nobody where a trace cannot be written to its end', async () => {
  if (!existsSync('/dev/full')) return;
  const { box, server } = await site(registrar(password));
  const { code, stderr } = await box.sipctl('trunk test main --trace /dev/full');
  expect(code).toBe(1);
  expect(stderr).toContain('trace: /dev/full cannot be written');
  expect(expiryOf(server.of('REGISTER').at(-1))).toBe('0');
});

it('takes the rights of others from a trace that was there before', async () => {
  const { box } = await site(registrar(password));
  const trace = join(box.dir, 'trace.txt');
  writeFileSync(trace, 'old');
  chmodSync(trace, 0o644);
  await box.ok(['trunk', 'test', 'main', '--trace', trace]);
  expect(statSync(trace).mode & 0o777).toBe(0o600);
});

it('tests a trunk once that is named twice', async () => {
  const { box } = await site(registrar(password));
  expect((await test(box, 'main main')).trunks).toHaveLength(1);
});

it('says that nothing was tested where there is no trunk', async () => {
  const box = await sandbox();
  expect((await box.ok('trunk test --all')).stdout).toBe('no enabled trunk: nothing was tested\n');
  expect((await box.ok('trunk explain --all')).stdout).toBe('no enabled trunk: nothing was tested\n');
  const { code, stdout } = await box.sipctl('trunk test --all --nagios');
  expect([code, stdout]).toEqual([3, 'TRUNK UNKNOWN - no enabled trunk\n']);
});

it('gives figures of different tenants different labels', async () => {
  const { box, server } = await site(registrar(password));
  await box.ok('tenant add other');
  await addTrunk(box, server.port, 'main', { more: '--tenant other' });
  const { stdout } = await box.sipctl('trunk test --all-tenants --nagios');
  const labels = [...stdout.matchAll(/'([^']+)'=/g)].map(([, label]) => label);
  expect(labels).toContain('other/main register');
  expect(new Set(labels).size).toBe(labels.length);
});

it.each([
  ['main --timeout 9999999', 3, 'invalid_timeout'],
  ['main --call +15551230000 --seconds 9999999', 3, 'invalid_seconds'],
  ['main --dns nonsense', 3, 'invalid_dns'],
  ['main --all', 64, 'names_and_all'],
  ['main --all-tenants', 64, 'names_and_all'],
  ['main --nagios', 64, 'two_forms'],
  ['main --stages call', 64, 'no_number'],
  ['main --call +15551230000 --stages options', 64, 'call_left_out'],
])('refuses %j', async (line, code, error) => {
  const { box, server } = await site(() => challenge('n'));
  const ended = await box.sipctl(`trunk test ${line} --json`);
  expect([ended.code, ended.json().errors[0]?.code]).toEqual([code, error]);
  expect(server.requests).toEqual([]);
});

it('refuses authorities that are no certificates', async () => {
  const { box } = await site(registrar(password));
  const file = join(box.dir, 'ca.pem');
  writeFileSync(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  const { code, json } = await box.sipctl(['trunk', 'test', 'main', '--ca', file, '--json']);
  expect([code, json().errors[0]?.code]).toEqual([3, 'invalid_ca']);
});

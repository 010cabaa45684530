import { createConnection } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { answer, call, type Phone, register, sippAvailable } from './sipp.ts';

const endpoint = `
[6001]
type = endpoint
context = default
disallow = all
allow = alaw,ulaw
auth = 6001
aors = 6001

[6001]
type = auth
auth_type = userpass
username = 6001
password = a right one; really

[6001]
type = aor
max_contacts = 1
remove_existing = yes
`.replace('; ', '\\; ');

/** Says something to the manager interface and answers with all that it says back. */
function ami(
  { ami: { host, port, secret } }: AsteriskInstance,
  user: string,
  ...actions: string[]
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, timeout: 20_000 });
    const login = `Action: Login\r\nUsername: ${user}\r\nSecret: ${secret}\r\nEvents: off`;
    let said = '';
    socket.on('data', (data) => {
      said += data;
    });
    socket.on('timeout', () =>
      socket.destroy(new Error(`no answer from the manager interface; so far: ${said}`)),
    );
    socket.on('error', reject);
    socket.on('end', () => resolve(said));
    socket.end([login, ...actions, 'Action: Logoff', ''].join('\r\n\r\n'));
  });
}

const show = 'Action: PJSIPShowEndpoint\r\nEndpoint: 6001';
const reload = 'Action: Reload\r\nModule: res_pjsip.so';

describeAsterisk('the live-test harness', ({ version, start }) => {
  let asterisk: AsteriskInstance;
  beforeAll(async () => {
    asterisk = await start({ pjsip: endpoint });
  });
  const phone = (): Phone => ({
    host: asterisk.host,
    port: asterisk.sip.udp,
    user: '6001',
    password: 'a right one; really',
  });

  it('starts the version asked for, and its console answers', async () => {
    expect(asterisk.version.split('.')[0]).toBe(version);
    expect(await asterisk.cli('pjsip show endpoints')).toContain('6001');
  });

  it('has manager users who may do all, what provisioning takes, and only look', async () => {
    expect(await ami(asterisk, 'test', show, reload)).toMatch(/EndpointDetail[\s\S]*Module Reloaded/);
    expect(await ami(asterisk, 'deploy', show, reload)).toMatch(/EndpointDetail[\s\S]*Module Reloaded/);
    expect(await ami(asterisk, 'weak', show, reload)).toMatch(/Permission denied[\s\S]*Permission denied/);
  });

  it('shows the log from a mark on', async () => {
    const mark = asterisk.mark();
    await asterisk.cli('logger reload');
    await expect
      .poll(() => asterisk.logSince(mark), { timeout: 10_000 })
      .toContain('Asterisk Queue Logger restarted');
  });

  it('starts with transports and nothing else where nothing is asked for', async () => {
    const bare = await start();
    expect(await bare.cli('pjsip show transports')).toContain('transport-udp');
    expect(await bare.cli('pjsip show endpoints')).toContain('No objects found');
    expect(bare.host).not.toBe(asterisk.host);
    await bare.stop();
    expect(() => process.kill(bare.pid, 0)).toThrow('ESRCH');
  });

  describe.skipIf(sippAvailable() !== null)(
    `SIPp${sippAvailable() ? ` (skipped: ${sippAvailable()})` : ''}`,
    () => {
      it.each(['udp', 'tcp'] as const)('registers over %s with the right password', async (transport) => {
        const result = await register({ ...phone(), transport });
        expect(result, result.trace).toMatchObject({ ok: true, statuses: [401, 200] });
      });

      it('is refused with a wrong password', async () => {
        const result = await register({ ...phone(), password: 'a wrong one' });
        expect(result, result.trace).toMatchObject({ ok: false, statuses: [401, 401] });
      });

      it('calls an extension', async () => {
        const result = await call(phone(), 'echo');
        expect(result.ok, result.trace).toBe(true);
        expect(result.statuses.at(-1)).toBe(200);
      });

      it('is called where it registered', async () => {
        const waiting = { ...phone(), localPort: 5060 };
        const registered = await register(waiting);
        expect(registered.ok, registered.trace).toBe(true);
        const answering = answer(waiting);
        await asterisk.cli('channel originate PJSIP/6001 application Wait 1');
        const answered = await answering.result;
        expect(answered, answered.trace).toMatchObject({ ok: true, requests: ['INVITE', 'ACK', 'BYE'] });
      });
    },
  );
});

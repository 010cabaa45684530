import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach, complaintsSince, shown, withManager } from './attached.ts';
import { answer, call, type Phone, register, sippAvailable } from './sipp.ts';

/** What a call looks like from the dialplan: who calls, for whom, and with which limit. */
const dialplan = `
[report](!)
exten = 600,1,Set(GLOBAL(SEEN)=\${CHANNEL(endpoint)}|\${SIPCTL_TENANT}|\${CALL_LIMIT}|\${CALLERID(num)}|\${CONTEXT})
 same = n,Answer()
 same = n,Wait(10)
[phones-acme](report)
[phones-globex](report)
[default](+,report)
`;

describeAsterisk('phones', ({ start }) => {
  let asterisk: AsteriskInstance;
  let box: Sandbox;
  let mark: number;

  beforeAll(async () => {
    asterisk = await start({ etc: { 'extensions.d/report.conf': dialplan } });
    box = await attach(asterisk);
    mark = asterisk.mark();
    for (const tenant of ['acme', 'globex']) {
      await box.ok(`tenant add ${tenant} --domain ${tenant}.sip.example --context phones-${tenant}`);
      await addUser(tenant, 'john_doe', `${tenant}: a right one; "really"`, '--extension 1001 --max-calls 2');
    }
    await addUser('acme', 'mobile', 'many phones', '--extension 1002 --template mobile_user');
    await addUser('default', 'single', 'of the node', '--extension 1003');
    expect((await box.apply()).code).toBe(0);
    expect(await complaintsSince(asterisk, mark)).toEqual([]);
  });

  // Not asked with OPTIONS: between two scenarios there is nobody at SIPp's port, and a contact that is silent is not called.
  const addUser = (tenant: string, user: string, password: string, more: string) =>
    box.ok(`user add ${user} --tenant ${tenant} --password env:PASSWORD --qualify-frequency 0 ${more}`, {
      env: { PASSWORD: password },
    });

  const phone = (user: string, password: string, more: Partial<Phone> = {}): Phone => ({
    ...{ host: asterisk.host, port: asterisk.sip.udp, user, password },
    ...more,
  });
  const john = (tenant: string, more: Partial<Phone> = {}): Phone =>
    phone('john_doe', `${tenant}: a right one; "really"`, { domain: `${tenant}.sip.example`, ...more });

  const reason = sippAvailable();
  describe.skipIf(reason !== null)(reason === null ? 'SIPp' : `SIPp (skipped: ${reason})`, () => {
    it.each(['udp', 'tcp'] as const)('of a tenant without a domain register over %s', async (transport) => {
      const domain = transport === 'udp' ? asterisk.host : 'any.example';
      const at = { transport, port: asterisk.sip[transport], domain };
      const right = await register(phone('single', 'of the node', at));
      expect(right, right.trace).toMatchObject({ ok: true, statuses: [401, 200] });
      const wrong = await register(phone('single', 'of another node', at));
      expect(wrong, wrong.trace).toMatchObject({ ok: false, statuses: [401, 401] });
    });

    it('of a tenant with a domain register with the domain in their addresses', async () => {
      for (const tenant of ['acme', 'globex']) {
        const right = await register(john(tenant));
        expect(right, right.trace).toMatchObject({ ok: true, statuses: [401, 200] });
        const contacts = (await shown(asterisk)).aor.get(`john_doe@${tenant}.sip.example`)?.Contacts;
        expect(contacts).toContain('sip:john_doe@');
      }
    });

    it('are told apart by the domain where they are called alike', async () => {
      const wrong = await register({ ...john('acme'), domain: 'globex.sip.example' });
      expect(wrong, wrong.trace).toMatchObject({ ok: false, statuses: [401, 401] });
    });

    it.each([
      '',
      'other.example',
    ])('of a tenant with a domain are unknown under another one, or an address: %j', async (domain) => {
      const unknown = await register({ ...john('acme'), domain: domain || asterisk.host });
      expect(unknown, unknown.trace).toMatchObject({ ok: false, statuses: [401, 401] });
    });

    it('call with the context, caller and limit that were set', async () => {
      const cases: [Phone, string][] = [
        [john('acme'), 'john_doe@acme.sip.example|acme|2|1001|phones-acme'],
        [phone('single', 'of the node'), 'single|default|5|1003|default'],
      ];
      for (const [caller, seen] of cases) {
        const called = await call(caller, '600');
        expect(called, called.trace).toMatchObject({ ok: true });
        expect(called.statuses).toEqual(expect.arrayContaining([401, 200]));
        expect(await asterisk.cli('dialplan show globals')).toContain(`SEEN=${seen}`);
      }
    });

    it('are called where they registered', async () => {
      const cases: [Phone, string][] = [
        [john('globex'), 'john_doe@globex.sip.example'],
        [phone('mobile', 'many phones', { domain: 'acme.sip.example' }), 'mobile@acme.sip.example'],
        [phone('single', 'of the node'), 'single'],
      ];
      for (const [at, [person, endpoint]] of cases.entries()) {
        const waiting = { ...person, localPort: 5070 + at };
        const registered = await register(waiting);
        expect(registered.ok, registered.trace).toBe(true);
        const answering = answer(waiting);
        await asterisk.cli(`channel originate PJSIP/${endpoint} application Wait 1`);
        const answered = await answering.result;
        expect(answered, answered.trace).toMatchObject({ ok: true, requests: ['INVITE', 'ACK', 'BYE'] });
      }
    });

    it('may use the address in place of the domain where a domain_alias says whose it is', async () => {
      const alias = `[${asterisk.host}]\ntype = domain_alias\ndomain = globex.sip.example\n`;
      appendFileSync(join(asterisk.etc, 'pjsip.conf'), `\n${alias}`);
      await withManager(asterisk, (ami) => ami.action('Reload', { Module: 'res_pjsip.so' }));
      const right = await register(john('globex', { domain: asterisk.host }));
      expect(right, right.trace).toMatchObject({ ok: true, statuses: [401, 200] });
      const wrong = await register(john('acme', { domain: asterisk.host }));
      expect(wrong, wrong.trace).toMatchObject({ ok: false, statuses: [401, 401] });
      await box.ok('drift --check');
    });

    it('sign in with a new password after one apply, and stay registered through it', async () => {
      const registered = await register(john('acme', { localPort: 5075 }));
      expect(registered.ok, registered.trace).toBe(true);
      await box.ok('user set john_doe --tenant acme --password env:PASSWORD', {
        env: { PASSWORD: 'a new one' },
      });
      expect((await box.apply()).code).toBe(0);
      expect((await shown(asterisk)).aor.get('john_doe@acme.sip.example')?.Contacts).toContain(':5075');
      const old = await register(john('acme'));
      expect(old, old.trace).toMatchObject({ ok: false, statuses: [401, 401] });
      const fresh = await register(john('acme', { password: 'a new one' }));
      expect(fresh, fresh.trace).toMatchObject({ ok: true, statuses: [401, 200] });
    });
  });
});

import { describe, expect, it } from 'vitest';
import { describeAttacks } from './attacked.ts';

/**
 * What somebody would try who means harm: accounts of others, calls at the cost of others, commands in every text that
 * arrives from outside. Everything that could be reached is listened at.
 */
describeAttacks(
  'attacks',
  ({
    pbx,
    phones,
    there,
    callsAt,
    account,
    rawPhone,
    dial,
    callIn,
    touched,
    hostilePasswords,
    hostileNames,
  }) => {
    describe('accounts', () => {
      it('open for their own passwords, however these are written', async () => {
        const phone = await rawPhone();
        for (const [at, password] of hostilePasswords().entries()) {
          const own = { ...account(`password${at}`), password };
          expect(await phone.register(phones(), own), password).toBe(200);
          for (const other of ['', 'x', `${password} `])
            expect(await phone.register(phones(), { ...own, password: other }), password).toBe(403);
        }
      });

      it.each([
        ['no answer to the question who it is', undefined],
        ['an empty password', { password: '' }],
        ['another password', { password: 'Secret' }],
        ['another realm', { realm: 'globex.example' }],
        ['a user of the other tenant', { user: 'vic' }],
        ['nobody', { user: 'nobody' }],
        ['no user', { user: '' }],
      ])('do not open for %s', async (_, wrong) => {
        const signed = wrong === undefined ? {} : { account: { ...account('ann'), ...wrong } };
        const phone = await rawPhone();
        const call = { uri: 'sip:1002@acme.example', from: '<sip:ann@acme.example>', ...signed };
        expect([401, 403, 407]).toContain(await phone.call(phones(), call));
        if (signed.account !== undefined)
          expect([401, 403]).toContain(await phone.register(phones(), signed.account));
        expect(callsAt()).toEqual({});
      });

      it('do not open for another domain than their own', async () => {
        for (const from of ['<sip:zoe@globex.example>', '<sip:ann@globex.example>'])
          expect(await dial('ann', '1002', { from }), from).toBe(403);
        expect(callsAt()).toEqual({});
      });

      it('lend nobody another name', async () => {
        for (const header of [
          'P-Asserted-Identity: "The boss" <sip:911@acme.example>',
          'Remote-Party-ID: "The boss" <sip:911@acme.example>;party=calling',
          'P-Preferred-Identity: "The boss" <sip:911@acme.example>',
        ]) {
          expect(
            await dial('ann', '1002', { from: '"The boss" <sip:911@acme.example>', headers: [header] }),
          ).toBe(200);
          expect(
            await dial('ann', '+15557654321', {
              from: '"The boss" <sip:911@acme.example>',
              headers: [header],
            }),
          ).toBe(200);
        }
        const all = [...there.bob.calls, ...there.carrier.calls];
        expect(all).toHaveLength(6);
        for (const call of all) expect(call.replace(/^X-FS.*$/gm, '')).not.toMatch(/911|boss/);
      });
    });

    describe('texts', () => {
      it('of users stay what they are: names', async () => {
        for (const at of hostileNames().keys()) {
          expect(await dial(`name${at}`, '1002')).toBe(200);
          expect(await dial(`name${at}`, '2000')).toBe(200);
          expect(await dial(`name${at}`, '+15557654321')).toBe(200);
        }
        const many = hostileNames().length;
        expect(callsAt()).toEqual({ bob: 2 * many, carrier: many });
      }, 60_000);

      const hostileCallers = (): [from: string, user: string][] => [
        ...hostileNames().flatMap((name): [string, string][] => [
          [`"${name.replace(/["\\]/g, '\\$&')}" `, '15550001111'],
          ['', encodeURIComponent(name)],
        ]),
        ['', `%24%7Bsystem(touch%20${encodeURIComponent(touched())})%7D`],
        ['', '1%0d%0aX-Evil%3a%201'],
        ['', '1%0d%0aX-Evil:%201'],
        ['"a" ', '1%0d%0aX-Evil%3a%201'],
        ['', "1',user/zoe@globex.example,'".replace('@', '%40')],
        ['', '1,user/zoe%40globex.example'],
        ['"a\\"\tb" ', '1;x=y'],
      ];

      it('of callers inside stay what they are', async () => {
        for (const [name, user] of hostileCallers()) {
          for (const number of ['1002', '2000', '3000', '+15557654321'])
            await dial('ann', number, { from: `${name}<sip:${user}@acme.example>` }).catch(() => 0);
        }
        const { bob, carrier, ...others } = callsAt();
        expect(others).toEqual({});
        expect([bob, carrier]).not.toContain(undefined);
        for (const call of [...there.bob.calls, ...there.carrier.calls]) expect(call).not.toMatch(/^X-Evil/m);
      }, 120_000);

      it('of callers outside stay what they are', async () => {
        for (const [name, user] of hostileCallers()) {
          for (const number of ['15551230001', '15551230002', '15551230003'])
            await callIn(there.carrier.host, {
              uri: `sip:${number}@${pbx().host}`,
              from: `${name}<sip:${user}@carrier.example>`,
            }).catch(() => 0);
        }
        const { bob, carrier, ...others } = callsAt();
        expect(others).toEqual({});
        expect([bob, carrier]).not.toContain(undefined);
        for (const call of [...there.bob.calls, ...there.carrier.calls]) expect(call).not.toMatch(/^X-Evil/m);
      }, 120_000);

      it('that are dialled lead nowhere', async () => {
        const command = encodeURIComponent(`\${system(touch ${touched()})}`);
        for (const number of [
          ...[command, `1002${command}`, `%24${command}`, "1002'", '1002,1001', '1002%7C1001', '1002;x=y'],
          ...['1002%20XML%20t-globex', '1001%20XML%20t-globex.users', 't-globex', 's', 'again', 'entered'],
          ...[
            '%5E1002',
            '1002%0d%0aX-Evil:%201',
            '%00',
            '%2B1555%00',
            '+',
            '*',
            '#',
            '1002%40globex.example',
          ],
          ...[
            'gw+globex.live',
            'sofia%2Fgateway%2Fglobex.live%2F%2B15557654321',
            'user%2Fzoe%40globex.example',
          ],
        ]) {
          const status = await dial('ann', number);
          // What is behind a semicolon is no part of the number: RFC 3261 §25.1 has it as part of the user.
          if (number === '1002;x=y') continue;
          expect([403, 404, 484, 400], number).toContain(status);
        }
        const { bob: _, ...others } = callsAt();
        expect(others).toEqual({});
      }, 60_000);

      it('in To, and headers that sound like settings, change nothing', async () => {
        const command = encodeURIComponent(`\${system(touch ${touched()})}`);
        const headers = [
          ...['SIPCTL_TENANT: globex', 'X-SIPCTL_TENANT: globex', 'X-sipctl_caller_tenant: globex'],
          ...['X-toll_allow: international', 'X-FS-Support: update_display', 'X-accountcode: globex'],
          ...['P-sipctl_caller: 1002', `X-command: \${system(touch ${touched()})}`, 'Diversion: <sip:911@x>'],
        ];
        for (const to of [
          '<sip:1001@globex.example>',
          `<sip:${command}@acme.example>`,
          '<sip:nobody@x;gw=globex.live>',
        ]) {
          expect(await dial('ann', '1002', { to, headers })).toBe(200);
          expect(await dial('eve', '+15557654321', { to, headers })).toBe(403);
          expect(await dial('dan', '+4930123456', { to, headers })).toBe(403);
          const call = { from: '<sip:1@x>', to, headers };
          expect(await callIn(there.carrier.host, { ...call, uri: `sip:15551230001@${pbx().host}` })).toBe(
            200,
          );
          expect(await callIn(pbx().host, { ...call, uri: `sip:15551230001@${pbx().host}` })).not.toBe(200);
        }
        expect(callsAt()).toEqual({ bob: 6 });
      });
    });

    describe('other tenants', () => {
      it('are not reached by their domain in the request', async () => {
        for (const uri of ['sip:1002@globex.example', 'sip:1002@globex.example;context=t-globex'])
          expect(await dial('ann', '', { uri, to: '<sip:1002@globex.example>' })).toBe(200);
        for (const uri of ['sip:zoe@globex.example', 'sip:+15559990001@globex.example;gw=globex.live'])
          await dial('ann', '', { uri }).catch(() => 0);
        expect(callsAt().zoe).toBeUndefined();
      });

      it('cannot be called for by a carrier that is not theirs, nor by anybody else', async () => {
        const call = (number: string) => ({ uri: `sip:${number}@${pbx().host}`, from: '<sip:1@x>' });
        expect(await callIn(there.globexCarrier.host, call('15551230001'))).toBe(404);
        expect(await callIn(there.carrier.host, call('15559990001'))).toBe(404);
        for (const number of ['15551230001', '1002', '1001'])
          expect(await callIn(pbx().host, call(number))).toBe(404);
        expect(callsAt()).toEqual({});
      });
    });
  },
);

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { rescanProfile } from '../../src/platforms/freeswitch/esl/commands.ts';
import { describeAttacks } from './attacked.ts';
import { connectTo } from './freeswitch.ts';
import { node, shippedShape } from './freeswitch-site.ts';
import type { RawDialog } from './raw-phone.ts';

/** Ways around the question who may call whom: contacts that are guessed or made up, and transfers. */
describeAttacks(
  'attacks by contact and transfer',
  ({ pbx, box, phones, there, callsAt, account, rawPhone, dial, callIn, touched, commands }) => {
    describe('the contact of a trunk', () => {
      /** As the registrar got it. */
      const registered = (): Promise<string> =>
        vi.waitUntil(
          () =>
            there.registrar.requests
              .filter((text) => text.startsWith('REGISTER '))
              .map((text) => /^Contact: *<([^>]+)>/m.exec(text)?.[1] ?? '')
              .at(-1),
          { timeout: 10_000 },
        );

      it('is for who knows it', async () => {
        const uri = await registered();
        expect(uri).toMatch(/^sip:gw\+acme\.account@.*;line=[0-9a-f]{32}/);
        const to = '<sip:15551230001@carrier.example>';
        expect(await callIn(pbx().host, { uri, to, from: '<sip:1@x>' })).toBe(200);
        expect(callsAt()).toEqual({ bob: 1 });
      });

      it('is not guessed', async () => {
        const uri = await registered();
        const bare = `sip:gw+acme.account@${pbx().host}:5080`;
        for (const wrong of [
          bare,
          `${bare};transport=udp;gw=acme.account`,
          `${bare};line=`,
          `${bare};line=.*`,
          `${bare};xline=1;gw=acme.account`,
          uri.replace(/line=..../, 'line=0000'),
          uri.replace('line=', 'x='),
          `sip:15551230001@${pbx().host}:5080;gw=acme.account`,
          `sip:gw+acme.live@${pbx().host}:5080`,
          `sip:15551230001@${pbx().host}:5080;gw=acme.live`,
        ]) {
          const to = '<sip:15551230001@carrier.example>';
          expect(await callIn(pbx().host, { uri: wrong, to, from: '<sip:1@x>' }), wrong).not.toBe(200);
        }
        expect(callsAt()).toEqual({});
      });

      it('takes a number only, also from who knows it', async () => {
        const uri = await registered();
        for (const number of [
          '1002',
          '15559990001',
          `%24%7Bsystem(touch%20${encodeURIComponent(touched())})%7D`,
          '15551230001%20XML%20t-globex',
        ])
          expect(
            await callIn(pbx().host, { uri, to: `<sip:${number}@x>`, from: '<sip:1@x>' }),
            number,
          ).not.toBe(200);
        expect(callsAt()).toEqual({});
      });
    });

    describe('transfers', () => {
      const refer = (to: string) => async (dialog: RawDialog) => {
        await sleep(200);
        await dialog
          .request('REFER', [`Refer-To: <${to}>`, 'Referred-By: <sip:ann@acme.example>'])
          .catch(() => 0);
        await sleep(700);
      };

      it.each([
        '+4930123456',
        '1001%20XML%20t-globex.users',
        't-globex',
        'gw+globex.live',
        '%24%7Bstatus%7D',
      ])('to %s cost nothing and reach nobody', async (number) => {
        await dial('dan', '+15557654321', {}, refer(`sip:${number}@acme.example`));
        await dial('eve', '1002', {}, refer(`sip:${number}@acme.example`));
        expect(callsAt()).toEqual({ carrier: 1, bob: 1 });
      });

      it.each(['+15557770000', '+4930123456'])('to %s are dialled by the user who may', async (number) => {
        await dial('ann', '1002', {}, refer(`sip:${number}@acme.example`));
        expect(callsAt()).toEqual({ carrier: 1, bob: 1 });
      });

      it('inside the tenant go on', async () => {
        await dial('dan', '+15557654321', {}, refer('sip:1002@globex.example'));
        expect(callsAt()).toEqual({ carrier: 1, bob: 1 });
      });

      it('of calls that are nowhere reach nobody where transfers are off, which sipctl says', async () => {
        const path = 'sip_profiles/internal.xml';
        const off = '<settings>\n<param name="disable-transfer" value="true"/>';
        const rescan = async () => {
          const esl = await connectTo(pbx());
          await rescanProfile((command) => esl.api(command), 'internal');
          await esl.close();
          return (await box().sipctl(`doctor ${node}`)).stdout.includes('past the toll class');
        };
        expect(await rescan()).toBe(true);
        pbx().write(path, shippedShape(pbx().host)[path]?.replace('<settings>', off) ?? '');
        expect(await rescan()).toBe(false);
        const replaces = '?Replaces=nobody%40x%3Bto-tag%3D1%3Bfrom-tag%3D2';
        for (const user of ['x', 'x,sofia/gateway/globex.live/+15557654321', 'x,user/zoe'])
          await dial('eve', '1002', {}, refer(`sip:${user}@${there.globexCarrier.host}:5060${replaces}`));
        expect(callsAt()).toEqual({ bob: 3 });
      });
    });

    describe('registered contacts', () => {
      const fraud = 'sofia/gateway/globex.live/+15557654321';
      it.each([
        ['in its user', `bob,${fraud},x@HERE`],
        ['in its user, escaped', `bob${encodeURIComponent(`,${fraud},`)}x@HERE`],
        ['in its user, with variables', `bob,[x=y]${fraud},x@HERE`],
        ['behind a bar', `bob|${fraud}|x@HERE`],
        ['as an expression', `bob|.*|${fraud}|n|x@HERE`],
        ['as an escaped expression', `bob%7C.*%7C${fraud}%7Cn@HERE`],
        ['behind a tilde', `m:~bob~.*~${fraud}~x@HERE`],
        ['behind quotes', `bob'|.*|${fraud}|',${fraud},'@HERE`],
        ['in a parameter', `bob@HERE;x=,${fraud},y`],
        ['in a parameter with a bar', `bob@HERE;x=|.*|${fraud}|n`],
        ['in a header', `bob@HERE?x=,${fraud},y`],
        ['as its host', `bob@127.0.0.1,${fraud}`],
        ['for a bridge of its own', `bob:_:${fraud}:_:x@HERE`],
        ['a dialplan', `bob,loopback/+15557654321/t-globex.external/XML,x@HERE`],
        ['a user of another tenant', 'bob,user/zoe@globex.example'],
      ])('lead to nobody else: %s', async (_, contact) => {
        const evil = await rawPhone();
        const here = `<sip:${contact.replace('HERE', `${evil.host}:${evil.port}`)}>`;
        await evil.register(phones(), account('eve'), here).catch(() => 0);
        for (const number of ['1005', '2005']) await dial('ann', number).catch(() => 0);
        const reached = callsAt();
        await evil.register(phones(), account('eve'), '*', 0);
        expect(reached).toEqual({});
      });

      it('ring all together', async () => {
        const two = [await rawPhone(), await rawPhone()];
        for (const phone of two) expect(await phone.register(phones(), account('dan'))).toBe(200);
        expect(await dial('ann', '1004')).toBe(200);
        await vi.waitFor(() => expect(two.map(({ calls }) => calls.length)).toEqual([1, 1]));
      });

      it('hold no command', async () => {
        const evil = await rawPhone();
        for (const command of commands()) {
          const user = `x${command}`;
          for (const contact of [
            `<sip:${user}@${evil.host}:${evil.port}>`,
            `<sip:x@${evil.host}:${evil.port};y=${command}>`,
            `"${command}" <sip:x@${evil.host}:${evil.port}>`,
            `<sip:${encodeURIComponent(user)}@${evil.host}:${evil.port}>`,
          ]) {
            await evil.register(phones(), account('eve'), contact).catch(() => 0);
            await dial('ann', '1005').catch(() => 0);
          }
        }
        expect(callsAt()).toEqual({});
      }, 90_000);
    });
  },
);

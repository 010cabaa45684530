import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { rescanProfile } from '../../src/platforms/freeswitch/esl/commands.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, node, shippedShape } from './freeswitch-site.ts';
import { type RawAccount, type RawCall, type RawDialog, RawPhone } from './raw-phone.ts';

/**
 * What somebody would try who means harm: accounts of others, calls at the cost of others, commands in every text that
 * arrives from outside. Everything that could be reached is listened at.
 */
describeFreeswitch('attacks', (start) => {
  let freeswitch: FreeswitchInstance;
  let box: Sandbox;
  let touched: string;
  const open: RawPhone[] = [];
  /** Who could be reached: phones, and the carriers of both tenants. */
  const there = {} as Record<'bob' | 'zoe' | 'carrier' | 'globexCarrier' | 'registrar', RawPhone>;

  const phones = () => ({ host: freeswitch.host, port: 5060 });
  const trunks = () => ({ host: freeswitch.host, port: 5080 });
  const account = (user: string, domain = 'acme.example'): RawAccount => ({
    ...{ user, domain, password: 'secret' },
  });
  const rawPhone = async (host = freeswitch.host, port = 0): Promise<RawPhone> => {
    const phone = await RawPhone.open(host, port);
    open.push(phone);
    return phone;
  };
  /** A user of acme calls a number, from a port of its own. */
  const dial = async (
    user: string,
    number: string,
    call: Partial<RawCall> = {},
    during?: (dialog: RawDialog) => Promise<unknown>,
  ): Promise<number> => {
    const phone = await rawPhone();
    const from = `<sip:${user}@acme.example>`;
    return phone.call(
      phones(),
      { uri: `sip:${number}@acme.example`, from, account: account(user), ...call },
      during,
    );
  };
  /** A call to the SIP profile of the carriers. */
  const callIn = async (host: string, call: RawCall): Promise<number> =>
    (await rawPhone(host)).call(trunks(), call);
  const callsAt = () =>
    Object.fromEntries(
      Object.entries(there).flatMap(([name, { calls }]) =>
        calls.length === 0 ? [] : [[name, calls.length]],
      ),
    );
  /** As many blanks as a command needs none of: all of these run where one is run at all. */
  const commands = () => [`\${system(touch ${touched})}`, `$\${system(touch ${touched})}`];

  const add = (noun: string, name: string, options: string, secret = 'secret', tenant = 'acme') =>
    box.ok([noun, 'add', name, '--tenant', tenant, ...options.split(' ')], { env: { PW: secret } });

  const hostilePasswords = () => [
    '$${x}',
    '$${domain}',
    ...commands(),
    'x-pre-process',
    '<X-PRE-PROCESS cmd="exec" data="id"/>',
    '"quoted"',
    "it's",
    'a&b',
    '<b>',
    '🎺𝄞',
    '&#36;',
    ']]>',
    'x'.repeat(1000),
  ];
  const hostileNames = () => [
    '}[x=y]user/zoe@globex.example,',
    ...commands(),
    '"><',
    '" <sip:911@globex.example>',
    "',user/zoe@globex.example,'",
    '{origination_caller_id_name=x}',
    '%24%7Bsystem(id)%7D',
    '🎺𝄞',
  ];

  beforeAll(async () => {
    freeswitch = await start(shippedShape);
    box = await attach(freeswitch);
    touched = join(box.dir, 'touched');
    const { host } = freeswitch;
    const at = (second: number) => host.replace(/\.\d+$/, `.${second}`);
    const [carrier, globexCarrier, registrar] = [at(251), at(252), at(253)];
    there.carrier = await rawPhone(carrier, 5060);
    there.globexCarrier = await rawPhone(globexCarrier, 5060);
    there.registrar = await rawPhone(registrar, 5060);
    there.bob = await rawPhone();
    there.zoe = await rawPhone();
    await box.ok('tenant add acme --domain acme.example --country US');
    await box.ok('tenant add globex --domain globex.example --country US');
    await add('user', 'ann', '--extension 1001 --password env:PW');
    await add('user', 'bob', '--extension 1002 --password env:PW --ring-time 3');
    await add(
      'user',
      'dan',
      '--extension 1004 --password env:PW --toll-class national --caller-id +15551230009',
    );
    await add('user', 'eve', '--extension 1005 --password env:PW --toll-class internal');
    await add('user', 'zoe', '--extension 1001 --password env:PW', 'secret', 'globex');
    await add('user', 'vic', '--extension 1002 --password env:PW', 'secret', 'globex');
    await add('group', 'sales', '--extension 2000 --members bob --ring-time 3');
    await add('group', 'alone', '--extension 2005 --members eve,dan --ring-time 3');
    await add(
      'ivr',
      'main',
      '--extension 3000 --greeting hello --key 1=user:bob --timeout 1 --attempts 1 --unanswered user:bob',
    );
    await add('trunk', 'live', `--provider custom_ip --host ${carrier} --networks ${carrier}`);
    await add(
      'trunk',
      'account',
      `--provider custom_credential --host ${registrar} --username acme-account --password env:PW --no-outbound`,
      'of the carrier',
    );
    await add(
      'trunk',
      'live',
      `--provider custom_ip --host ${globexCarrier} --networks ${globexCarrier}`,
      '',
      'globex',
    );
    await add('number', '+15551230001', '--to user:bob');
    await add('number', '+15551230002', '--to external:+15557770000');
    await add('number', '+15551230003', '--to ivr:main');
    await add('number', '+15559990001', '--to user:zoe', '', 'globex');
    for (const [at, password] of hostilePasswords().entries())
      await add('user', `password${at}`, `--extension ${5000 + at} --password env:PW`, password);
    for (const [at, name] of hostileNames().entries())
      await box.ok(
        ['user', 'add', `name${at}`, '--tenant', 'acme', '--extension', `${6000 + at}`].concat([
          '--password',
          'env:PW',
          `--display-name=${name}`,
        ]),
        { env: { PW: 'secret' } },
      );
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);
    expect(await there.bob.register(phones(), account('bob'))).toBe(200);
    expect(await there.zoe.register(phones(), account('zoe', 'globex.example'))).toBe(200);
  }, 120_000);

  beforeEach(() => {
    for (const phone of Object.values(there)) {
      if (phone !== there.registrar) phone.requests.length = 0;
    }
    return () => {
      expect(existsSync(touched), 'a command was run').toBe(false);
    };
  });
  afterAll(() => {
    for (const phone of open) phone.close();
  });

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
          await dial('ann', '+15557654321', { from: '"The boss" <sip:911@acme.example>', headers: [header] }),
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
      ['', '%24%7Bsystem(touch%20' + encodeURIComponent(touched) + ')%7D'],
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
            uri: `sip:${number}@${freeswitch.host}`,
            from: `${name}<sip:${user}@carrier.example>`,
          }).catch(() => 0);
      }
      const { bob, carrier, ...others } = callsAt();
      expect(others).toEqual({});
      expect([bob, carrier]).not.toContain(undefined);
      for (const call of [...there.bob.calls, ...there.carrier.calls]) expect(call).not.toMatch(/^X-Evil/m);
    }, 120_000);

    it('that are dialled lead nowhere', async () => {
      const command = encodeURIComponent(`\${system(touch ${touched})}`);
      for (const number of [
        ...[command, `1002${command}`, `%24${command}`, "1002'", '1002,1001', '1002%7C1001', '1002;x=y'],
        ...['1002%20XML%20t-globex', '1001%20XML%20t-globex.users', 't-globex', 's', 'again', 'entered'],
        ...['%5E1002', '1002%0d%0aX-Evil:%201', '%00', '%2B1555%00', '+', '*', '#', '1002%40globex.example'],
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
      const command = encodeURIComponent(`\${system(touch ${touched})}`);
      const headers = [
        ...['SIPCTL_TENANT: globex', 'X-SIPCTL_TENANT: globex', 'X-sipctl_caller_tenant: globex'],
        ...['X-toll_allow: international', 'X-FS-Support: update_display', 'X-accountcode: globex'],
        ...['P-sipctl_caller: 1002', `X-command: \${system(touch ${touched})}`, 'Diversion: <sip:911@x>'],
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
        expect(await callIn(there.carrier.host, { ...call, uri: `sip:15551230001@${freeswitch.host}` })).toBe(
          200,
        );
        expect(
          await callIn(freeswitch.host, { ...call, uri: `sip:15551230001@${freeswitch.host}` }),
        ).not.toBe(200);
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
      const call = (number: string) => ({ uri: `sip:${number}@${freeswitch.host}`, from: '<sip:1@x>' });
      expect(await callIn(there.globexCarrier.host, call('15551230001'))).toBe(404);
      expect(await callIn(there.carrier.host, call('15559990001'))).toBe(404);
      for (const number of ['15551230001', '1002', '1001'])
        expect(await callIn(freeswitch.host, call(number))).toBe(404);
      expect(callsAt()).toEqual({});
    });
  });

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
      expect(await callIn(freeswitch.host, { uri, to, from: '<sip:1@x>' })).toBe(200);
      expect(callsAt()).toEqual({ bob: 1 });
    });

    it('is not guessed', async () => {
      const uri = await registered();
      const bare = `sip:gw+acme.account@${freeswitch.host}:5080`;
      for (const wrong of [
        bare,
        `${bare};transport=udp;gw=acme.account`,
        `${bare};line=`,
        `${bare};line=.*`,
        `${bare};xline=1;gw=acme.account`,
        uri.replace(/line=..../, 'line=0000'),
        uri.replace('line=', 'x='),
        `sip:15551230001@${freeswitch.host}:5080;gw=acme.account`,
        `sip:gw+acme.live@${freeswitch.host}:5080`,
        `sip:15551230001@${freeswitch.host}:5080;gw=acme.live`,
      ]) {
        const to = '<sip:15551230001@carrier.example>';
        expect(await callIn(freeswitch.host, { uri: wrong, to, from: '<sip:1@x>' }), wrong).not.toBe(200);
      }
      expect(callsAt()).toEqual({});
    });

    it('takes a number only, also from who knows it', async () => {
      const uri = await registered();
      for (const number of [
        '1002',
        '15559990001',
        `%24%7Bsystem(touch%20${encodeURIComponent(touched)})%7D`,
        '15551230001%20XML%20t-globex',
      ])
        expect(
          await callIn(freeswitch.host, { uri, to: `<sip:${number}@x>`, from: '<sip:1@x>' }),
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
      '+15557770000',
      '1001%20XML%20t-globex.users',
      't-globex',
      'gw+globex.live',
      '%24%7Bstatus%7D',
    ])('to %s cost nothing and reach nobody', async (number) => {
      await dial('dan', '+15557654321', {}, refer(`sip:${number}@acme.example`));
      await dial('eve', '1002', {}, refer(`sip:${number}@acme.example`));
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
        const esl = await connectTo(freeswitch);
        await rescanProfile((command) => esl.api(command), 'internal');
        await esl.close();
        return (await box.sipctl(`doctor ${node}`)).stdout.includes('past the toll class');
      };
      expect(await rescan()).toBe(true);
      freeswitch.write(path, shippedShape(freeswitch.host)[path]?.replace('<settings>', off) ?? '');
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
});

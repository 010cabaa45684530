import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, shippedShape } from './freeswitch-site.ts';
import { type RawAccount, type RawCall, type RawDialog, RawPhone } from './raw-phone.ts';

/** Two tenants on one FreeSWITCH, and whatever an attacker of either has. */
export interface Attacked {
  pbx(): FreeswitchInstance;
  box(): Sandbox;
  /** Where phones speak to, and where carriers do. */
  phones(): { host: string; port: number };
  trunks(): { host: string; port: number };
  /** Who could be reached: phones, and the carriers of both tenants. */
  there: Readonly<Record<'bob' | 'zoe' | 'carrier' | 'globexCarrier' | 'registrar', RawPhone>>;
  /** How many calls arrived at each of them in this test. */
  callsAt(): Record<string, number>;
  account(user: string, domain?: string): RawAccount;
  rawPhone(host?: string): Promise<RawPhone>;
  /** A user of acme calls a number, from a port of its own. */
  dial(
    user: string,
    number: string,
    call?: Partial<RawCall>,
    during?: (dialog: RawDialog) => Promise<unknown>,
  ): Promise<number>;
  /** A call to the SIP profile of the carriers. */
  callIn(host: string, call: RawCall): Promise<number>;
  /** A file that none of the commands may have made. */
  touched(): string;
  commands(): string[];
  hostilePasswords(): string[];
  hostileNames(): string[];
}

/** A suite of attacks: after each of them no command was run. */
export function describeAttacks(title: string, suite: (attacked: Attacked) => void): void {
  describeFreeswitch(title, (start) => {
    let freeswitch: FreeswitchInstance;
    let box: Sandbox;
    let touched: string;
    const open: RawPhone[] = [];
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
    const callIn = async (host: string, call: RawCall): Promise<number> =>
      (await rawPhone(host)).call(trunks(), call);
    const callsAt = () =>
      Object.fromEntries(
        Object.entries(there).flatMap(([name, { calls }]) =>
          calls.length === 0 ? [] : [[name, calls.length]],
        ),
      );
    /** Each makes a file where it is run. */
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

    suite({
      ...{
        pbx: () => freeswitch,
        box: () => box,
        phones,
        trunks,
        there,
        callsAt,
        account,
        rawPhone,
        dial,
        callIn,
      },
      ...{ touched: () => touched, commands, hostilePasswords, hostileNames },
    });
  });
}

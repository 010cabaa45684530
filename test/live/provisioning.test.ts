import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProviderTemplate } from '../../src/model/template.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach, complaintsSince, settings, shown } from './attached.ts';
import { startWillingCarrier, type WillingCarrier } from './willing-carrier.ts';

type Provider = Pick<
  ProviderTemplate,
  'id' | 'authTypes' | 'transports' | 'requiredFields' | 'usernameRule' | 'registration'
>;

/** One of these is an account name at each provider that has a rule for them. */
const accounts = ['account-1', '123456', '12345678', '17771234567', '0033123456789'];
const kinds = ['basic_user', 'mobile_user', 'webrtc_user', 'advanced_user'];
/** Two customers who call their things alike: only their SIP domains tell them apart. */
const alike = ['acme', 'globex'];

describeAsterisk('provisioning', ({ start }) => {
  let asterisk: AsteriskInstance;
  let carrier: WillingCarrier;
  let box: Sandbox;
  let mark: number;

  beforeAll(async () => {
    asterisk = await start();
    carrier = await startWillingCarrier(asterisk);
    box = await attach(asterisk);
    mark = asterisk.mark();
  });
  afterAll(() => carrier?.close());

  /** Applies; the second plan is empty, and Asterisk has nothing to complain about. */
  async function applied(): Promise<{ create: number; update: number; delete: number }> {
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);
    expect(await complaintsSince(asterisk, mark)).toEqual([]);
    const { nodes } = ended.json().data as { nodes: { outcome: string; count: never }[] };
    expect(nodes.map(({ outcome }) => outcome)).toEqual(['verified']);
    return nodes[0]?.count as never;
  }

  /** What a plan made now would change, each object once: `create user ann`. */
  async function objects(): Promise<string[]> {
    const { nodes } = (await box.ok('plan --json')).json().data as {
      nodes: { changes: { objects: { action: string; kind: string; tenant: string; name: string }[] }[] }[];
    };
    const all = nodes.flatMap(({ changes }) => changes.flatMap((change) => change.objects));
    const each = new Map(
      all.map(({ action, kind, tenant, name }) => [`${tenant} ${kind} ${name}`, `${action} ${kind} ${name}`]),
    );
    return [...each.values()];
  }

  async function addTrunk(
    tenant: string,
    provider: Provider,
    auth: string,
    transport: string,
  ): Promise<void> {
    const name = `${provider.id}_${auth}_${transport}`;
    const argv = ['trunk', 'add', name, '--tenant', tenant, '--provider', provider.id];
    argv.push('--auth', auth, '--transport', transport, '--host', carrier.host);
    const required = provider.requiredFields[auth as 'ip'] ?? [];
    const given: Record<string, string> = {
      username: accountAt(provider),
      authUsername: 'digest-user',
      networks: '192.0.2.0/24',
      techPrefix: '1234',
      outboundProxy: carrier.host,
    };
    const flags: Record<string, string> = {
      authUsername: 'auth-username',
      techPrefix: 'tech-prefix',
      outboundProxy: 'outbound-proxy',
    };
    for (const field of required) {
      const value = given[field];
      if (value !== undefined) argv.push(`--${flags[field] ?? field}`, value);
    }
    if (required.includes('did')) argv.push('--did', nextNumber());
    if (required.includes('password')) argv.push('--password', 'env:PASSWORD');
    await box.ok(argv, { env: { PASSWORD: `of ${tenant} at ${provider.id}; and "more"` } });
  }

  it('takes every provider with every way to sign in and every transport, and every kind of user', async () => {
    for (const name of alike) await box.ok(`tenant add ${name} --domain ${name}.sip.example`);
    await box.ok('tenant add plain --max-calls 0');
    const providers = await allProviders(box);
    expect(providers.length).toBeGreaterThanOrEqual(30);
    for (const provider of providers) {
      for (const auth of provider.authTypes) {
        const [first] = provider.transports;
        for (const transport of provider.transports) await addTrunk('acme', provider, auth, transport);
        await addTrunk('globex', provider, auth, first as string);
      }
    }
    await addTrunk('default', providers.find(({ id }) => id === 'telnyx') as Provider, 'credential', 'udp');
    for (const tenant of [...alike, 'default', 'plain']) await addUsers(box, tenant);
    const planned = await objects();
    const { create } = await applied();
    expect(create).toBe(planned.length);

    const running = await shown(asterisk);
    const trunks = running.endpoint.size - 4 * kinds.length;
    const endpoints = planned.filter((one) => /^create (trunk|user) /.test(one));
    expect(endpoints).toHaveLength(running.endpoint.size);
    expect(trunks).toBeGreaterThan(100);
    expect([...running.auth.keys()]).toContain('globex.telnyx_credential_udp');
    for (const name of alike) {
      expect(running.auth.get(`basic_user@${name}.sip.example`)?.Password).toBe(`phone of ${name}`);
      expect(running.auth.get(`${name}.telnyx_credential_udp`)?.Password).toContain(`of ${name} at telnyx;`);
    }
    expect(running.auth.get('p-basic_user')?.Password).toBe('phone of plain');
    expect(running.auth.get('d-basic_user')?.Password).toBe('phone of default');
  });

  it('takes changes of one tenant, and leaves the others alone', async () => {
    const before = await shown(asterisk);
    await box.ok(
      'user set basic_user --tenant acme --display-name "Ann B." --codecs g722,alaw --max-contacts 3',
    );
    await box.ok('user set mobile_user --tenant acme --password env:NEW', {
      env: { NEW: 'changed; really' },
    });
    await box.ok(
      'trunk set telnyx_credential_udp --tenant acme --codecs alaw --no-registration --max-calls 7',
    );
    await box.ok('trunk set twilio_ip_udp --tenant acme --networks 198.51.100.0/24 --no-outbound');
    // What a trunk may carry is said by its routes too, and by what all calls of the tenant share.
    expect((await objects()).sort()).toEqual([
      'update route default',
      'update tenant acme',
      'update trunk telnyx_credential_udp',
      'update trunk twilio_ip_udp',
      'update user basic_user',
      'update user mobile_user',
    ]);
    expect(await applied()).toMatchObject({ create: 0, update: 6, delete: 0 });
    const after = await shown(asterisk);
    expect(after.endpoint.get('basic_user@acme.sip.example')).toMatchObject({
      Allow: '(g722|alaw)',
      Callerid: '"Ann B." <1000>',
    });
    expect(after.auth.get('mobile_user@acme.sip.example')?.Password).toBe('changed; really');
    expect(after.registration.has('acme.telnyx_credential_udp')).toBe(false);
    for (const name of ['basic_user@globex.sip.example', 'globex.telnyx_credential_udp', 'd-basic_user']) {
      expect(stable(after.auth.get(name))).toEqual(stable(before.auth.get(name)));
      expect(stable(after.endpoint.get(name))).toEqual(stable(before.endpoint.get(name)));
    }
  });

  it('takes away what is disabled, and brings it back as it was', async () => {
    const before = await settings(asterisk);
    await box.ok('tenant disable globex');
    await box.ok('trunk disable telnyx_ip_tls --tenant acme');
    await box.ok('user disable webrtc_user --tenant acme');
    await applied();
    const without = await shown(asterisk);
    expect([...without.endpoint.keys()].filter((name) => name.includes('globex'))).toEqual([]);
    expect([...without.registration.keys()].filter((name) => name.includes('globex'))).toEqual([]);
    expect(without.endpoint.has('acme.telnyx_ip_tls')).toBe(false);
    expect(without.endpoint.has('webrtc_user@acme.sip.example')).toBe(false);
    await box.ok('tenant enable globex');
    await box.ok('trunk enable telnyx_ip_tls --tenant acme');
    await box.ok('user enable webrtc_user --tenant acme');
    await applied();
    expect(await settings(asterisk)).toEqual(before);
  });

  it('tells the carrier before a trunk goes', async () => {
    const account = 'leaving-account';
    await box.ok(
      ['trunk', 'add', 'leaving', '--tenant', 'acme', '--provider', 'custom_credential'].concat([
        ...['--host', carrier.host, '--username', account, '--password', 'env:PASSWORD'],
      ]),
      { env: { PASSWORD: 'x' } },
    );
    await applied();
    await expect
      .poll(() => registers(carrier, account), { timeout: 30_000, interval: 100 })
      .toEqual([expect.toSatisfy((seconds: number) => seconds > 0)]);
    await box.ok('trunk remove leaving --tenant acme --yes');
    const plan = (await box.ok('plan --json')).json().data as { nodes: { reload: unknown[] }[] };
    expect(plan.nodes[0]?.reload[0]).toEqual({ kind: 'unregister', registration: 'acme.leaving' });
    await applied();
    await expect.poll(() => registers(carrier, account).at(-1), { timeout: 10_000, interval: 50 }).toBe(0);
    expect((await shown(asterisk)).registration.has('acme.leaving')).toBe(false);
  });

  it('takes everything away again', async () => {
    for (const name of [...alike, 'plain']) await box.ok(`tenant remove ${name} --cascade --yes`);
    for (const kind of kinds) await box.ok(`user remove d-${kind} --yes`);
    const refused = await box.sipctl('apply --yes --json');
    expect(refused.code).toBe(4);
    const [, count] = /--confirm ([0-9]+)/.exec(refused.json().errors[0]?.hint ?? '') ?? [];
    await box.ok(`apply --yes --confirm ${count}`);
    await box.ok('plan --detailed-exitcode');
    expect(await complaintsSince(asterisk, mark)).toEqual([]);
    expect([...(await shown(asterisk)).endpoint.keys()]).toEqual(['telnyx_credential_udp']);
  });
});

async function allProviders(box: Sandbox): Promise<Provider[]> {
  const { providers } = (await box.ok('provider list --json')).json().data as { providers: { id: string }[] };
  const found: Provider[] = [];
  for (const { id } of providers) {
    const { provider } = (await box.ok(`provider show ${id} --json`)).json().data as { provider: Provider };
    found.push(provider);
  }
  return found;
}

function accountAt({ id, usernameRule }: Provider): string {
  const pattern = new RegExp(`^(?:${usernameRule?.pattern ?? '.*'})$`);
  const account = accounts.find((one) => pattern.test(one));
  if (account === undefined) throw new Error(`no account name for ${id}`);
  return account;
}

/** One user of each kind, with a field or two that the kind is for. Without a domain, names are the node's own. */
async function addUsers(box: Sandbox, tenant: string): Promise<void> {
  const prefix = alike.includes(tenant) ? '' : `${tenant.charAt(0)}-`;
  const more: Record<string, string[]> = {
    basic_user: ['--mailbox', '1000@default', '--caller-id', '+15551230000'],
    mobile_user: ['--display-name', `O'Neil "Ann" <${tenant}>; \\`],
    webrtc_user: ['--video', 'vp8,h264', '--max-contacts', '9'],
    advanced_user: ['--codecs', 'g722,ulaw', '--video', 'h264', '--max-calls', '0', '--mailbox', '1003'],
  };
  if (tenant !== 'default') delete more.basic_user;
  for (const [at, kind] of kinds.entries()) {
    const argv = ['user', 'add', `${prefix}${kind}`, '--tenant', tenant, '--template', kind];
    argv.push('--extension', String(1000 + at), '--password', 'env:PASSWORD', ...(more[kind] ?? []));
    await box.ok(argv, { env: { PASSWORD: `phone of ${tenant}` } });
  }
}

let numbers = 0;
const nextNumber = (): string => `+1555${String(1_000_000 + numbers++)}`;

const registers = ({ requests }: WillingCarrier, account: string): (number | null)[] =>
  requests
    .filter((one) => one.method === 'REGISTER' && one.account === account)
    .map(({ expires }) => expires);

/** Without what a running system changes by itself. */
const stable = (fields: Readonly<Record<string, string>> | undefined): unknown =>
  Object.entries(fields ?? {}).filter(([name]) => !/^(?:ActionID|Contacts|DeviceState)$/.test(name));

import { describe, expect, it } from 'vitest';
import { resolveSite, resolveTrunk, resolveUser } from '../../src/model/resolve.ts';
import { Secret } from '../../src/model/secret.ts';
import type { Catalog } from '../../src/model/template.ts';
import { providerWith, tenantWith, trunkWith, userTemplateWith, userWith } from './site-objects.ts';

const empty = {
  numbers: [],
  groups: [],
  ivrs: [],
  conferences: [],
  schedules: [],
  routes: [],
  emergencies: [],
};

const trunkOf = (
  trunk: Parameters<typeof trunkWith>[0],
  provider: Parameters<typeof providerWith>[0] = {},
  tenant: Parameters<typeof tenantWith>[0] = {},
) => resolveTrunk(trunkWith(trunk), tenantWith(tenant), providerWith(provider));

const userOf = (
  user: Parameters<typeof userWith>[0],
  template: Parameters<typeof userTemplateWith>[0] = {},
  tenant: Parameters<typeof tenantWith>[0] = {},
) => resolveUser(userWith(user), tenantWith(tenant), userTemplateWith(template));

describe('a resolved trunk', () => {
  it('takes from its template what it leaves open', () => {
    expect(trunkOf({ username: 'account' })).toMatchObject({
      id: 'acme.main',
      authType: 'credential',
      host: 'us.acme.example',
      port: 5060,
      portGiven: false,
      transport: 'udp',
      authUsername: 'account',
      realm: null,
      fromUser: 'account',
      fromDomain: 'us.acme.example',
      registration: true,
      expiry: 300,
      codecs: ['ulaw', 'alaw'],
      srtp: false,
      context: 'from-trunk-acme',
      networks: ['192.0.2.0/24'],
      maxCalls: 5,
      inbound: true,
      outbound: true,
      qualifyFrequency: 60,
    });
  });

  it('keeps every value of its own', () => {
    const own = {
      host: 'own.example',
      port: 6060,
      transport: 'tcp',
      authType: 'credential',
      authUsername: 'digest',
      realm: 'realm.example',
      fromUser: 'caller',
      fromDomain: 'from.example',
      registration: false,
      codecs: ['opus'],
      srtp: true,
      context: 'own',
      networks: ['198.51.100.1'],
      techPrefix: '123',
      outboundProxy: 'proxy.example',
      maxCalls: 0,
      inbound: false,
      outbound: false,
    } as const;
    expect(trunkOf(own)).toMatchObject({ ...own, portGiven: true });
  });

  it('is found under a name that no other tenant’s trunk can have', () => {
    expect(trunkOf({}, {}, { name: 'default' })).toMatchObject({ id: 'main', context: 'from-trunk' });
    expect(trunkOf({}, {}, { name: 'beta' })).toMatchObject({ id: 'beta.main', context: 'from-trunk-beta' });
  });

  it('goes to the host of its region, whatever the case it is written in', () => {
    for (const region of ['eu', 'EU', 'Eu']) expect(trunkOf({ region }).host).toBe('eu.acme.example');
    expect(trunkOf({ region: 'us' }).host).toBe('us.acme.example');
    expect(trunkOf({ region: 'eu', host: 'own.example' }).host).toBe('own.example');
  });

  // RFC 3263 §4.2: a port in a URI keeps SRV records from being asked, so a default one is left out.
  it.each([
    ['udp', {}, 5060, false],
    ['tcp', {}, 5060, false],
    ['tls', {}, 5061, false],
    ['tls', { ports: {} }, 5061, false],
    ['udp', { ports: { udp: 5080 } }, 5080, true],
    ['tls', { ports: { udp: 5060, tls: 5067 } }, 5067, true],
    ['tls', { ports: { tls: 5060 } }, 5060, true],
  ] as const)('over %s with %j uses port %i', (transport, provider, port, portGiven) => {
    expect(trunkOf({ transport }, provider)).toMatchObject({ port, portGiven });
  });

  it('shows a port in URIs where it was set, also the default one', () => {
    expect(trunkOf({ port: 5060 })).toMatchObject({ port: 5060, portGiven: true });
  });

  it('falls back to the account in From where the template wants a number and there is none', () => {
    for (const rule of ['did', 'did-plus'] as const) {
      expect(trunkOf({}, { fromUser: rule }).fromUser).toBe('account');
      expect(trunkOf({ did: '+15551234567' }, { fromUser: rule }).fromUser).toBe(rule);
    }
    expect(trunkOf({ did: '+15551234567' }, { fromUser: 'account' }).fromUser).toBe('account');
    expect(trunkOf({}, { fromUser: 'caller' }).fromUser).toBe('caller');
    expect(trunkOf({ fromUser: 'caller' }, { fromUser: 'did' }).fromUser).toBe('caller');
  });

  it('takes the domain of From from its own, then its realm, then the host', () => {
    expect(trunkOf({ realm: 'r.example' }).fromDomain).toBe('r.example');
    expect(trunkOf({ realm: 'Two words; lr' }).fromDomain).toBe('us.acme.example');
    expect(trunkOf({ realm: 'r.example', fromDomain: 'f.example' }).fromDomain).toBe('f.example');
    // A realm that only the template names is the carrier's digest realm, and says nothing of the domain.
    expect(trunkOf({}, { realm: 'template.example' })).toMatchObject({
      realm: 'template.example',
      fromDomain: 'us.acme.example',
    });
  });

  it.each([
    ['none', null, false],
    ['none', true, false],
    ['optional', null, true],
    ['optional', false, false],
    ['required', null, true],
    ['required', false, false],
  ] as const)('with registration %s at the carrier, and %s on the trunk: %s', (mode, own, registers) => {
    const provider = { registration: { mode, expiry: 120 } };
    expect(trunkOf({ registration: own }, provider)).toMatchObject({ registration: registers, expiry: 120 });
    expect(trunkOf({ registration: own, authType: 'ip' }, provider).registration).toBe(false);
  });

  it('has no password where the carrier knows it by its address', () => {
    const password = new Secret('pw');
    expect(trunkOf({ password, authType: 'ip' }).password).toBeNull();
    expect(trunkOf({ password, authType: null }, { authTypes: ['ip'] }).password).toBeNull();
    expect(trunkOf({ password }).password).toBe(password);
  });

  it('encrypts media where the carrier requires it, or where it was asked to', () => {
    expect(trunkOf({}, { srtp: 'required' }).srtp).toBe(true);
    expect(trunkOf({ srtp: false }, { srtp: 'required' }).srtp).toBe(false);
    expect(trunkOf({}, { srtp: 'optional' }).srtp).toBe(false);
    expect(trunkOf({}, { srtp: null }).srtp).toBe(false);
  });

  it('accepts calls from nowhere where no network is known', () => {
    expect(trunkOf({}, { networks: null }).networks).toEqual([]);
  });
});

describe('a resolved user', () => {
  it('takes from its template, and then from its tenant, what it leaves open', () => {
    expect(userOf({})).toMatchObject({
      id: 'ann',
      domain: null,
      codecs: ['ulaw', 'alaw'],
      maxContacts: 1,
      qualifyFrequency: 30,
      context: 't-acme',
      callerId: null,
      transport: null,
    });
    expect(userOf({}, {}, { name: 'default' }).context).toBe('default');
  });

  it('is named with the domain where the tenant has one', () => {
    expect(userOf({}, {}, { domain: 'acme.example' })).toMatchObject({
      id: 'ann@acme.example',
      domain: 'acme.example',
    });
  });

  it('takes its context from itself, its tenant, its template, in this order', () => {
    const template = { context: 'of-template' };
    const tenant = { context: 'of-tenant' };
    expect(userOf({ context: 'own' }, template, tenant).context).toBe('own');
    expect(userOf({}, template, tenant).context).toBe('of-tenant');
    expect(userOf({}, template).context).toBe('of-template');
  });

  it('shows its tenant’s number where it has none of its own', () => {
    const tenant = { defaultCallerId: '+15550000000' };
    expect(userOf({}, {}, tenant).callerId).toBe('+15550000000');
    expect(userOf({ callerId: '+15551111111' }, {}, tenant).callerId).toBe('+15551111111');
  });

  it('shows the messages of its own box, and of one that was named', () => {
    const box = (...[user, template]: Parameters<typeof userOf>) => userOf(user, template).mailbox;
    expect(box({})).toBeNull();
    expect(box({ voicemail: true })).toBe('101@t-acme');
    expect(box({}, { voicemail: true })).toBe('101@t-acme');
    expect(box({ voicemail: false }, { voicemail: true })).toBeNull();
    expect(box({ mailbox: '7@default' })).toBe('7@default');
    expect(box({ mailbox: '7@default', voicemail: true })).toBe('101@t-acme,7@default');
  });

  it('adds video behind its codecs, none twice', () => {
    expect(userOf({ video: ['h264', 'vp8'] }).codecs).toEqual(['ulaw', 'alaw', 'h264', 'vp8']);
    expect(userOf({ codecs: ['opus', 'vp8'], video: ['vp8', 'h264'] }).codecs).toEqual([
      'opus',
      'vp8',
      'h264',
    ]);
  });

  it('keeps a zero: no limit, no OPTIONS', () => {
    expect(userOf({ qualifyFrequency: 0, maxCalls: 0 })).toMatchObject({ qualifyFrequency: 0, maxCalls: 0 });
  });
});

describe('a resolved tenant', () => {
  const catalog: Catalog = {
    providers: new Map([['acme', providerWith()]]),
    users: new Map([['basic_user', userTemplateWith()]]),
    digest: '',
  };
  const site = (enabled: boolean) => ({
    tenant: tenantWith({ enabled }),
    trunks: [trunkWith(), trunkWith({ name: 'off', enabled: false })],
    users: [userWith({ username: 'off', enabled: false }), userWith()],
    ...empty,
  });

  it('has its enabled objects only, and none at all when it is disabled', () => {
    const on = resolveSite(site(true), catalog);
    expect([on.trunks.map(({ name }) => name), on.users.map(({ username }) => username)]).toEqual([
      ['main'],
      ['ann'],
    ]);
    expect(resolveSite(site(false), catalog)).toMatchObject({ trunks: [], users: [] });
  });

  it('names a template that is gone, and who uses it', () => {
    const trunks = { ...site(true), trunks: [trunkWith({ provider: 'gone' })] };
    expect(() => resolveSite(trunks, catalog)).toThrow("trunk main of tenant acme uses the provider 'gone'");
    const users = { ...site(true), users: [userWith({ template: 'gone' })] };
    expect(() => resolveSite(users, catalog)).toThrow(
      "user ann of tenant acme uses the user-template 'gone'",
    );
    const disabled = { ...site(true), users: [userWith({ template: 'gone', enabled: false })] };
    expect(resolveSite(disabled, catalog).users).toEqual([]);
  });
});

import type { Field, Noun, Value } from '../../src/model/field.ts';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import type { ProviderTemplate, UserTemplate } from '../../src/model/template.ts';

const stored = { id: 1, enabled: true, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01' };

/** Every field of a noun as it is where nobody set it. */
function untouched(noun: Noun): Record<string, Value> {
  const entries = Object.entries(noun.fields) as [string, Field][];
  return Object.fromEntries(entries.map(([name, { initial }]) => [name, initial ?? null]));
}

export const tenantWith = (values: Partial<nouns.Tenant> = {}): nouns.Tenant =>
  ({ ...stored, ...untouched(nouns.tenant), name: 'acme', revision: 'r1', ...values }) as nouns.Tenant;

export const trunkWith = (values: Partial<nouns.Trunk> = {}): nouns.Trunk =>
  ({
    ...stored,
    ...untouched(nouns.trunk),
    ...{ tenant: 'acme', name: 'main', provider: 'acme', ...values },
  }) as nouns.Trunk;

export const userWith = (values: Partial<nouns.User> = {}): nouns.User =>
  ({
    ...stored,
    ...untouched(nouns.user),
    ...{ tenant: 'acme', username: 'ann', extension: '101', password: new Secret('pw'), ...values },
  }) as nouns.User;

/** A carrier with a host, over UDP, by user name and password, unless said otherwise. */
export const providerWith = (values: Partial<ProviderTemplate> = {}): ProviderTemplate => ({
  id: 'acme',
  displayName: 'Acme',
  origin: 'shipped',
  docs: 'https://acme.example/',
  verified: '2026-01-01',
  authTypes: ['credential', 'ip'],
  hosts: [
    { host: 'us.acme.example', region: 'us' },
    { host: 'eu.acme.example', region: 'EU' },
  ],
  hostPattern: null,
  ports: { udp: 5060, tcp: 5060, tls: 5061 },
  transports: ['udp', 'tcp', 'tls'],
  requiredFields: { credential: ['username', 'password'], ip: [] },
  optionalFields: [],
  usernameRule: null,
  realm: null,
  networks: { cidrs: ['192.0.2.0/24'], source: 'https://acme.example/', read: '2026-01-01' },
  registration: { mode: 'optional', expiry: null },
  fromUser: 'account',
  callerIdHeaders: { pai: true, rpid: false },
  didSource: null,
  didFormat: null,
  dialedFormat: null,
  numberFormat: null,
  codecs: ['ulaw', 'alaw'],
  dtmf: 'rfc4733',
  srtp: 'optional',
  qualifyFrequency: 60,
  t38: null,
  failures: [],
  notes: [],
  asterisk: {},
  ...values,
});

export const userTemplateWith = (values: Partial<UserTemplate> = {}): UserTemplate => ({
  id: 'basic_user',
  displayName: 'Basic user',
  title: 'Basic SIP User',
  origin: 'shipped',
  description: 'a desk phone',
  codecs: ['ulaw', 'alaw'],
  maxContacts: 1,
  qualifyFrequency: 30,
  context: null,
  voicemail: false,
  corrections: [],
  asterisk: {},
  ...values,
});

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileShipped } from '../../src/catalog/compile.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import type { Problem } from '../../src/errors.ts';
import { checkTrunk, checkUser, nearest } from '../../src/model/check.ts';
import type { Field } from '../../src/model/field.ts';
import * as nouns from '../../src/model/nouns.ts';
import { resolveTrunk } from '../../src/model/resolve.ts';
import { Secret } from '../../src/model/secret.ts';
import type { AuthType, Catalog, ProviderTemplate } from '../../src/model/template.ts';
import { templatesDir } from '../catalog/support.ts';
import { providerWith, tenantWith, trunkWith, userTemplateWith, userWith } from './site-objects.ts';

let shipped: Catalog;
beforeAll(async () => {
  shipped = await loadCatalog({ shipped: await compileShipped(templatesDir) });
});

const catalogOf = (provider: Parameters<typeof providerWith>[0] = {}): Catalog => ({
  providers: new Map([['acme', providerWith(provider)]]),
  users: new Map([['basic_user', userTemplateWith()]]),
  digest: '',
});

const complaints = (
  trunk: Parameters<typeof trunkWith>[0],
  provider: Parameters<typeof providerWith>[0] = {},
): Problem[] =>
  checkTrunk(trunkWith({ username: 'u', password: new Secret('p'), ...trunk }), catalogOf(provider));

const fields = (problems: readonly Problem[]): (string | undefined)[] =>
  problems.map((problem) => problem.field).sort();

/** A value for every trunk field that a template may require. */
const given: Partial<nouns.Trunk> = {
  host: 'host.example',
  username: 'account',
  authUsername: 'digest',
  password: new Secret('p'),
  did: '+15551234567',
  networks: ['192.0.2.1'],
  techPrefix: '1234',
  outboundProxy: 'proxy.example',
};

const pairs = (): [ProviderTemplate, AuthType][] =>
  [...shipped.providers.values()].flatMap((template) =>
    template.authTypes.map((authType) => [template, authType] as [ProviderTemplate, AuthType]),
  );

describe('every provider of the catalog', () => {
  it('requires nothing that the command line cannot give', () => {
    const trunkFields = nouns.trunk.fields as Record<string, Field>;
    for (const [{ id, requiredFields, optionalFields }, authType] of pairs()) {
      for (const field of requiredFields[authType] ?? []) {
        expect([id, field, trunkFields[field]?.flag]).toEqual([id, field, expect.any(String)]);
        expect([id, field, field in given]).toEqual([id, field, true]);
      }
      for (const field of optionalFields)
        expect([id, field, field in trunkFields]).toEqual([id, field, true]);
    }
  });

  it('names each required field that is missing, with its flag, and nothing else', () => {
    for (const [{ id, requiredFields }, authType] of pairs()) {
      const required = requiredFields[authType] ?? [];
      const problems = checkTrunk(trunkWith({ provider: id, authType }), shipped);
      expect([id, authType, fields(problems)]).toEqual([id, authType, [...required].sort()]);
      for (const { field = '', hint } of problems) {
        const { flag } = (nouns.trunk.fields as Record<string, Field>)[field] as Field;
        expect([id, field, hint]).toEqual([id, field, expect.stringContaining(`--${flag}`)]);
      }
    }
  });

  it('is content with exactly what it requires, and then has a host to go to', () => {
    for (const [template, authType] of pairs()) {
      const { id, requiredFields, usernameRule } = template;
      const own = Object.fromEntries(
        (requiredFields[authType] ?? []).map((field) => [field, given[field as keyof typeof given]]),
      ) as Partial<nouns.Trunk>;
      if (own.username !== undefined && usernameRule?.pattern != null)
        own.username = usernameThat(usernameRule.pattern);
      const trunk = trunkWith({ provider: id, authType, ...own });
      expect([id, authType, checkTrunk(trunk, shipped)]).toEqual([id, authType, []]);
      expect([id, resolveTrunk(trunk, tenantWith(), template).host]).not.toEqual([id, '']);
    }
  });

  it('refuses each transport and way of signing in that it does not offer, and takes each that it does', () => {
    for (const { id, transports, authTypes } of shipped.providers.values()) {
      for (const transport of ['udp', 'tcp', 'tls'] as const) {
        const problems = checkTrunk(trunkWith({ provider: id, transport, ...given }), shipped);
        expect([id, transport, fields(problems).includes('transport')]).toEqual([
          id,
          transport,
          !transports.includes(transport),
        ]);
      }
      for (const authType of ['credential', 'ip'] as const) {
        const problems = checkTrunk(trunkWith({ provider: id, authType, ...given }), shipped);
        expect([id, authType, fields(problems).includes('authType')]).toEqual([
          id,
          authType,
          !authTypes.includes(authType),
        ]);
      }
    }
  });
});

/** Some account name that a carrier's pattern takes. */
const usernameThat = (pattern: string): string =>
  fc.sample(fc.stringMatching(new RegExp(`^(?:${pattern})$`)), { numRuns: 1, seed: 1 })[0] as string;

describe('a trunk as a whole', () => {
  it('is right with nothing but an account', () => expect(complaints({})).toEqual([]));

  it('names a provider that is close to the one that was typed', () => {
    expect(checkTrunk(trunkWith({ provider: 'telnix' }), shipped)).toEqual([
      expect.objectContaining({ code: 'unknown_provider', hint: expect.stringContaining("'telnyx'") }),
    ]);
    expect(checkTrunk(trunkWith({ provider: 'constructor' }), shipped)[0]?.hint).toBe('sipctl provider list');
  });

  it('asks for a host where the carrier has none, whichever way of signing in names it', () => {
    const hostless = { hosts: [], hostPattern: '{name}.acme.example' };
    expect(complaints({}, hostless)).toEqual([
      expect.objectContaining({ field: 'host', hint: expect.stringContaining('{name}.acme.example') }),
    ]);
    const both = { ...hostless, requiredFields: { credential: ['host'], ip: [] } };
    expect(fields(complaints({}, both))).toEqual(['host']);
    expect(fields(complaints({ authType: 'ip' }, both))).toEqual(['host']);
    expect(complaints({ host: 'h.example' }, both)).toEqual([]);
  });

  it('takes a region in any case, and lists those that there are', () => {
    expect(complaints({ region: 'Eu' })).toEqual([]);
    expect(complaints({ region: 'mars' })[0]).toMatchObject({
      field: 'region',
      hint: 'choose one of: us, EU',
    });
    expect(complaints({ region: 'mars' }, { hosts: [], requiredFields: {} })).toContainEqual(
      expect.objectContaining({ field: 'region', hint: 'leave --region out' }),
    );
  });

  it('does not register where that cannot be', () => {
    const none = { registration: { mode: 'none', expiry: null } } as const;
    expect(complaints({ registration: true }, none)).toMatchObject([{ code: 'registration_unsupported' }]);
    expect(complaints({ registration: true, authType: 'ip' })).toMatchObject([
      { code: 'registration_needs_credential' },
    ]);
    expect(complaints({ registration: false }, none)).toEqual([]);
  });

  it('registers where the carrier serves nobody who does not', () => {
    const required = { registration: { mode: 'required', expiry: null } } as const;
    expect(complaints({ registration: false }, required)).toMatchObject([
      {
        code: 'registration_required',
        field: 'registration',
        hint: expect.stringContaining('--registration'),
      },
    ]);
    expect(complaints({ registration: true }, required)).toEqual([]);
    expect(complaints({}, required)).toEqual([]);
    // By address there is nothing to register with, whatever a template says.
    expect(complaints({ registration: false, authType: 'ip', username: null }, required)).toEqual([]);
    const registering = [...shipped.providers.values()].filter(
      ({ registration }) => registration.mode === 'required',
    );
    expect(registering.length).toBeGreaterThan(3);
    for (const { id } of registering) {
      const problems = checkTrunk(trunkWith({ provider: id, registration: false }), shipped);
      expect(fields(problems), id).toContain('registration');
    }
  });

  it('has what its own rule for From needs', () => {
    for (const fromUser of ['did', 'did-plus'] as const) {
      expect(complaints({ fromUser })).toMatchObject([{ field: 'did', hint: 'give --did' }]);
      expect(complaints({ fromUser, did: '+15551234567' })).toEqual([]);
    }
    const ip = { authType: 'ip', username: null } as const;
    expect(complaints({ ...ip, fromUser: 'account' })).toMatchObject([{ field: 'username' }]);
    expect(complaints({ ...ip, fromUser: 'caller' })).toEqual([]);
  });

  it('has an account name of the carrier’s kind, all of it', () => {
    const rule = { usernameRule: { pattern: '[0-9]{4}', help: 'four digits' } };
    expect(complaints({ username: '1234' }, rule)).toEqual([]);
    for (const username of ['123', '12345', 'x1234'])
      expect(complaints({ username }, rule)).toMatchObject([{ field: 'username', hint: 'four digits' }]);
  });

  it('encrypts no media where the carrier cannot', () => {
    expect(complaints({ srtp: true }, { srtp: 'unsupported' })).toMatchObject([{ field: 'srtp' }]);
    expect(complaints({ srtp: false }, { srtp: 'unsupported' })).toEqual([]);
    expect(complaints({ srtp: true }, { srtp: null })).toEqual([]);
  });

  it('is told everything at once', () => {
    const problems = complaints(
      { authType: 'ip', registration: true, transport: 'tls', region: 'mars' },
      {
        transports: ['udp'],
        requiredFields: { ip: ['networks', 'techPrefix'] },
      },
    );
    expect(fields(problems)).toEqual(['networks', 'region', 'registration', 'techPrefix', 'transport']);
  });

  it('counts an empty list as missing', () => {
    expect(fields(complaints({ networks: [] }, { requiredFields: { credential: ['networks'] } }))).toEqual([
      'networks',
    ]);
  });
});

describe('a user as a whole', () => {
  it('has a template that there is, and a codec to speak with', () => {
    expect(checkUser(userWith(), catalogOf())).toEqual([]);
    expect(checkUser(userWith({ template: 'basic_usr' }), catalogOf())).toMatchObject([
      { field: 'template', hint: expect.stringContaining("'basic_user'") },
    ]);
    expect(checkUser(userWith({ codecs: ['h264', 'vp8'] }), catalogOf())).toMatchObject([
      { field: 'codecs' },
    ]);
    expect(checkUser(userWith({ codecs: ['h264', 'ulaw'] }), catalogOf())).toEqual([]);
  });

  it('is right with every shipped template', () => {
    for (const template of shipped.users.keys())
      expect(checkUser(userWith({ template }), shipped)).toEqual([]);
  });
});

describe('the nearest word', () => {
  it('is one that a slip of the fingers makes of it, or none', () => {
    expect(nearest('telnix', ['telnyx', 'twilio'])).toBe('telnyx');
    expect(nearest('TELNYX', ['telnyx'])).toBe('telnyx');
    expect(nearest('zzzzzz', ['telnyx', 'twilio'])).toBeNull();
    expect(nearest('', [])).toBeNull();
  });
});

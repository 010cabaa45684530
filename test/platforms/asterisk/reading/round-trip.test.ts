import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkTrunk, checkUser } from '../../../../src/model/check.ts';
import { emptyFlow } from '../../../../src/model/flow/resolve-flow.ts';
import type { Trunk, User } from '../../../../src/model/nouns.ts';
import { inOrder } from '../../../../src/model/raw-option.ts';
import type { ReadingSettings } from '../../../../src/model/reading.ts';
import { resolveTrunk, resolveUser } from '../../../../src/model/resolve.ts';
import { Secret } from '../../../../src/model/secret.ts';
import type { ProviderTemplate, UserTemplate } from '../../../../src/model/template.ts';
import { parseRendered } from '../../../../src/platforms/asterisk/conf/rendered.ts';
import { expectedDefault } from '../../../../src/platforms/asterisk/expected-values.ts';
import { readPjsip } from '../../../../src/platforms/asterisk/reading/read.ts';
import { loadTemplates } from '../../../../src/platforms/asterisk/render/compiled.ts';
import { renderTenant } from '../../../../src/platforms/asterisk/render/render.ts';
import { tenantWith, trunkWith, userWith } from '../../../model/site-objects.ts';
import { shippedCatalog } from '../render/sample-site.ts';

const catalog = await shippedCatalog();
const version = '22';
const templates = await loadTemplates(catalog, version);
const tenant = tenantWith({ name: 'acme', domain: 'acme.sip.example' });

const settings: ReadingSettings = {
  catalog,
  tenants: [tenant],
  tenant: 'acme',
  contexts: new Map(),
  given: new Map(),
  variables: new Map(),
  except: new Set(),
  generatePasswords: false,
  keepNames: false,
  templateDefaults: false,
  version,
};

function rendered(trunks: readonly Trunk[], users: readonly User[]): string {
  const site = {
    tenant,
    trunks: trunks.map((one) =>
      resolveTrunk(one, tenant, catalog.providers.get(one.provider) as ProviderTemplate),
    ),
    users: users.map((one) => resolveUser(one, tenant, catalog.users.get(one.template) as UserTemplate)),
    flow: emptyFlow('acme'),
  };
  return renderTenant(site, { transports: {}, templates })
    .map(({ text }) => text.toString('utf8'))
    .join('');
}

/** Every line of every object that says something else than Asterisk does by itself, sorted. */
function meaning(text: string): string[] {
  const lines = parseRendered(text).flatMap(({ kind, name, objects }) =>
    objects.flatMap(({ type, id, options }) => [
      `${kind} ${name}: ${type} ${id}`,
      ...options.flatMap(([option, value]) =>
        expectedDefault(type, option, version)?.agrees(value)
          ? []
          : [`${kind} ${name}: ${type}.${option}=${value}`],
      ),
    ]),
  );
  return lines.sort();
}

/** What a password or a name may hold, and what would end it where it is not escaped. */
const secret = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/).map((text) => new Secret(text));
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const codecs = fc.uniqueArray(fc.constantFrom('ulaw', 'alaw', 'g722', 'opus', 'g729'), { minLength: 1 });
const host = fc.constantFrom(
  'sip.telnyx.com',
  'sip.telnyx.eu',
  'pbx.example',
  '198.51.100.7',
  'acme.pstn.twilio.com',
);
const context = fc.constantFrom('from-outside', 'default', 'from-trunk-acme');
const trunkOptions = fc
  .uniqueArray(
    fc.constantFrom(
      ...[
        'endpoint.rtp_timeout=30',
        'endpoint.set_var=A=1,2',
        'endpoint.set_var=B=;x',
        'registration.max_retries=7',
      ],
      ...[
        'endpoint.direct_media=yes',
        'aor.qualify_timeout=2.5',
        'endpoint.from_user=any body',
        'endpoint.send_pai=',
      ],
      ...['registration.contact_user=5000', 'aor.contact=sip:one.example;x,sip:two.example'],
    ),
  )
  .map((found) => (found.length === 0 ? null : inOrder(found)));

const carriers = [
  ['telnyx.com', 'telnyx'],
  ['telnyx.eu', 'telnyx'],
  ['pstn.twilio.com', 'twilio'],
] as const;

const trunk = fc
  .record({
    provider: fc.constantFrom(...catalog.providers.keys()),
    authType: fc.constantFrom('credential' as const, 'ip' as const),
    host: maybe(host),
    port: maybe(fc.integer({ min: 1, max: 65535 })),
    transport: maybe(fc.constantFrom('udp' as const, 'tcp' as const, 'tls' as const)),
    username: fc.constantFrom('account-1', '123456', '12345678', '17771234567'),
    authUsername: maybe(fc.constantFrom('digest-user', '123456')),
    password: secret,
    realm: maybe(fc.constantFrom('realm.example', 'a realm')),
    did: maybe(fc.constantFrom('+15551234567', '+4930123456')),
    fromUser: maybe(
      fc.constantFrom('account' as const, 'did' as const, 'did-plus' as const, 'caller' as const),
    ),
    fromDomain: maybe(fc.constantFrom('from.example')),
    registration: maybe(fc.boolean()),
    codecs: maybe(codecs),
    dtmf: maybe(fc.constantFrom('rfc4733' as const, 'inband' as const, 'info' as const)),
    srtp: maybe(fc.boolean()),
    context: maybe(context),
    networks: maybe(
      fc.uniqueArray(fc.constantFrom('192.0.2.0/24', '198.51.100.7', '2001:db8::1'), { minLength: 1 }),
    ),
    outboundProxy: maybe(fc.constantFrom('proxy.example')),
    maxCalls: fc.integer({ min: 0, max: 50 }),
    inbound: fc.boolean(),
    outbound: fc.boolean(),
    options: trunkOptions,
  })
  .map((values) => trunkWith({ ...values, name: 'main' } as Partial<Trunk>))
  .filter((one) => checkTrunk(one, catalog).length === 0)
  // Of a trunk that takes no calls the addresses of its carrier stand nowhere.
  .filter(
    (one) => one.inbound || one.authType !== 'ip' || (one.host === '198.51.100.7' && one.options === null),
  )
  // Neither do they where nobody said any: the reader asks for them.
  .filter(
    (one) =>
      one.authType !== 'ip' ||
      one.networks !== null ||
      (one.host === '198.51.100.7' && one.options === null) ||
      catalog.providers.get(one.provider)?.networks !== null,
  )
  // A carrier is known by its hosts: at them its own template is taken, with the networks that it publishes.
  .filter((one) => carriers.every(([at, provider]) => !one.host?.endsWith(at) || one.provider === provider));

const user = fc
  .record({
    username: fc.stringMatching(/^[a-z0-9]([a-z0-9._+-]{0,8}[a-z0-9])?$/),
    extension: fc.stringMatching(/^[0-9]{2,5}$/),
    password: secret,
    displayName: maybe(fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)),
    template: fc.constantFrom(...catalog.users.keys()),
    codecs: maybe(codecs),
    dtmf: maybe(fc.constantFrom('rfc4733' as const, 'inband' as const, 'auto' as const)),
    video: maybe(fc.constantFrom(['h264'], ['vp8', 'h264'])),
    maxContacts: maybe(fc.integer({ min: 1, max: 100 })),
    qualifyFrequency: maybe(fc.integer({ min: 0, max: 600 })),
    transport: maybe(fc.constantFrom('transport-udp', 'internal')),
    context: maybe(context),
    callerId: maybe(fc.constantFrom('+15551234567')),
    mailbox: maybe(fc.constantFrom('1001@default', '42')),
    voicemail: maybe(fc.boolean()),
    maxCalls: fc.integer({ min: 0, max: 50 }),
    options: fc
      .uniqueArray(
        fc.constantFrom(
          'aor.remove_existing=no',
          'endpoint.rtp_timeout=9',
          'auth.realm=r s',
          'endpoint.rewrite_contact=',
        ),
      )
      .map((found) => (found.length === 0 ? null : inOrder(found))),
  })
  .map((values) => userWith(values as Partial<User>))
  .filter((one) => checkUser(one, catalog).length === 0);

async function again(text: string): Promise<string> {
  const reading = await readPjsip([{ source: 'pjsip.conf', text }], { find: () => [] }, settings);
  expect(reading.problems).toEqual([]);
  expect(reading.differences).toEqual([]);
  expect(reading.renamings).toEqual([]);
  const of = (noun: string) => reading.declared.filter((one) => one.noun.name === noun);
  const trunks = of('trunk').map(({ name, values }) => trunkWith({ ...values, name } as Partial<Trunk>));
  const users = of('user').map(({ name, values }) =>
    userWith({ ...values, username: name } as Partial<User>),
  );
  return rendered(trunks, users);
}

it('a trunk that is rendered, read and rendered again means the same', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(trunk, async (one) => {
      const text = rendered([one], []);
      expect(meaning(await again(text))).toEqual(meaning(text));
    }),
    { numRuns: 150 },
  );
});

it('a user that is rendered, read and rendered again is the same', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(user, async (one) => {
      const text = rendered([], [one]);
      expect(meaning(await again(text))).toEqual(meaning(text));
    }),
    { numRuns: 150 },
  );
});

it('what was read, rendered and read again is the same object', { timeout: 120_000 }, async () => {
  const valuesOf = async (text: string) => {
    const { declared } = await readPjsip([{ source: 'f', text }], { find: () => [] }, settings);
    return declared.map(({ name, values }) => [
      name,
      values,
      (values.password as Secret | undefined)?.reveal(),
    ]);
  };
  await fc.assert(
    fc.asyncProperty(trunk, user, async (line, phone) => {
      const text = rendered([line], [phone]);
      expect(await valuesOf(await again(text))).toEqual(await valuesOf(text));
    }),
    { numRuns: 60 },
  );
});

import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { checkTrunk, type TrunkValues } from '../model/check.ts';
import type { Value } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import { resolveTrunk } from '../model/resolve.ts';
import { cautions } from '../pipeline/cautions.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Stored } from '../store/rows.ts';
import type { Patch, Writer } from '../store/writer.ts';
import { idleTrunkWarnings } from './call-surroundings.ts';
import { nounCommand } from './noun-verbs.ts';
import { trunkExplain } from './trunk-explain.ts';
import { trunkTest } from './trunk-test.ts';

/** The trunk's main number is a number of the tenant, and arrives on the trunk. */
async function recordDid(writer: Writer, trunk: ObjectRef, values: Patch): Promise<void> {
  const did = values.did ?? null;
  if (did === null) return;
  const ref = { tenant: trunk.tenant, name: did as string };
  const known = await writer.find(nouns.number, ref);
  if (known === null) await writer.add(nouns.number, ref, { trunk: trunk.name });
  else if (known.trunk === null) await writer.set(nouns.number, ref, { trunk: trunk.name });
  else if (known.trunk !== trunk.name) {
    throw new SipctlError('conflict', {
      code: 'number_on_other_trunk',
      message: `number ${did} arrives on trunk '${known.trunk}'`,
      field: 'did',
      hint: `sipctl number set ${did} --trunk ${trunk.name} moves it`,
    });
  }
}

/** What is rendered where the trunk leaves a field open, and who says so. */
async function effective(
  object: Stored,
  app: App,
): Promise<Record<string, { value: Value; origin: string }>> {
  const store = await app.store();
  const catalog = await app.catalog();
  const trunk = object as unknown as nouns.Trunk;
  const template = catalog.providers.get(trunk.provider);
  if (template === undefined) return {};
  const tenant = (await store.records.get(nouns.tenant, {
    tenant: null,
    name: trunk.tenant,
  })) as unknown as nouns.Tenant;
  const resolved = resolveTrunk(trunk, tenant, template) as unknown as Record<string, Value>;
  const fields = [
    'host',
    'port',
    'transport',
    'authType',
    'authUsername',
    'realm',
    'fromUser',
    'fromDomain',
    'registration',
    'codecs',
    'dtmf',
    'srtp',
    'context',
    'networks',
    'numberFormat',
  ];
  return Object.fromEntries(
    fields.map((field) => [
      field,
      { value: resolved[field] ?? null, origin: originOf(field, object, trunk.provider) },
    ]),
  );
}

function originOf(field: string, object: Stored, provider: string): string {
  if ((object[field] ?? null) !== null) return 'trunk';
  return field === 'context'
    ? 'tenant'
    : field === 'authUsername' || field === 'fromDomain'
      ? 'trunk’s other fields'
      : `template ${provider}`;
}

async function warnings(app: App, { tenant, name }: ObjectRef): Promise<Problem[]> {
  const store = await app.store();
  const site = { store, catalog: await app.catalog() };
  return cautions(site, () => app.targets(), [{ tenant: tenant as string, name }]);
}

async function ask(app: App, ref: ObjectRef, values: Record<string, Value>): Promise<void> {
  const catalog = await app.catalog();
  const { askForTrunk } = await import('./wizard.ts');
  await askForTrunk(ref.name, values, catalog);
}

export const trunkCommand = nounCommand({
  noun: nouns.trunk,
  summary: 'carrier accounts and peers',
  listed: ['provider', 'host', 'username', 'inbound', 'outbound', 'priority'],
  needsCatalog: true,
  examples: [
    'printf %s "$TELNYX_PASSWORD" | sipctl trunk add telnyx_main --tenant acme --provider telnyx --username 1234567890 --password-stdin --did +15551234567',
    'sipctl trunk add office --provider custom_ip --host pbx.example.com --networks 192.0.2.10',
  ],
  // Without a provider there is nothing to check by, and that it is missing was said already.
  check: (values, catalog) =>
    values.provider === null ? [] : checkTrunk(values as unknown as TrunkValues, catalog),
  checkAround: async (draft, app) => ({ problems: [], warnings: await idleTrunkWarnings(app, draft) }),
  alongside: recordDid,
  warnings,
  effective,
  ask,
  more: [trunkTest, trunkExplain],
});

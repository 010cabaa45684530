import * as calls from '../../../src/model/call-nouns.ts';
import type { Field, Noun, Value } from '../../../src/model/field.ts';
import * as nouns from '../../../src/model/nouns.ts';
import { Secret } from '../../../src/model/secret.ts';
import type { TenantSite } from '../../../src/model/site.ts';

/** A tenant's objects with only the values that somebody set, by noun; secrets as text. */
export interface SiteValues {
  tenant: { name: string } & Values;
  trunks?: readonly Values[];
  users?: readonly Values[];
  numbers?: readonly Values[];
  groups?: readonly Values[];
  ivrs?: readonly Values[];
  conferences?: readonly Values[];
  schedules?: readonly Values[];
  routes?: readonly Values[];
  emergencies?: readonly Values[];
}

/** `enabled: false` is the only value that is no field of its noun. */
export type Values = Readonly<Record<string, string | number | boolean | readonly string[] | null>>;

/** The nouns of a site, in an order in which each may be written: what is named stands before what names it. */
export const siteNouns = {
  trunks: nouns.trunk,
  users: nouns.user,
  groups: calls.group,
  conferences: calls.conference,
  ivrs: calls.ivr,
  schedules: calls.schedule,
  numbers: nouns.number,
  routes: calls.route,
  emergencies: calls.emergency,
} as const satisfies Record<Exclude<keyof TenantSite, 'tenant'>, unknown>;

/** The same site as the store gives it. */
export function tenantSite(values: SiteValues): TenantSite {
  const owned = Object.entries(siteNouns).map(([table, noun]) => [
    table,
    (values[table as keyof typeof siteNouns] ?? []).map((one) => ({
      ...stored(noun as unknown as Noun, one),
      tenant: values.tenant.name,
    })),
  ]);
  return {
    tenant: { ...stored(nouns.tenant as unknown as Noun, values.tenant), revision: 'r1' },
    ...Object.fromEntries(owned),
  } as unknown as TenantSite;
}

function stored(noun: Noun, values: Values): Record<string, Value> {
  const fields = Object.entries(noun.fields) as [string, Field][];
  const known = new Set([noun.key, 'enabled', ...Object.keys(noun.fields)]);
  const strange = Object.keys(values).filter((name) => !known.has(name));
  if (strange.length > 0) throw new TypeError(`a ${noun.name} has no ${strange.join(', ')}`);
  const whole = Object.fromEntries(
    fields.map(([name, field]): [string, Value] => [name, storedValue(field, values[name])]),
  );
  return {
    id: 1,
    enabled: values.enabled ?? true,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    [noun.key]: values[noun.key] ?? '',
    ...whole,
  };
}

// By the field's own rule, so that no site is tried that could not be stored.
function storedValue(field: Field, value: Values[string] | undefined): Value {
  if (value === undefined || value === null) return field.initial ?? null;
  if (field.kind === 'secret') return new Secret(String(value));
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  const parsed = field.rule(typeof value === 'string' ? value : value.join(','));
  if (!parsed.ok) throw new TypeError(`${field.flag}: ${parsed.message}`);
  return parsed.value;
}

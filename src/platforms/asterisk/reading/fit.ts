import type { Problem } from '../../../errors.ts';
import { checkTrunk, checkUser, type TrunkValues, type UserValues } from '../../../model/check.ts';
import type { Noun, Value } from '../../../model/field.ts';
import { emptyFlow } from '../../../model/flow/resolve-flow.ts';
import * as nouns from '../../../model/nouns.ts';
import { inOrder } from '../../../model/raw-option.ts';
import { resolveTrunk, resolveUser } from '../../../model/resolve.ts';
import { Secret } from '../../../model/secret.ts';
import type { Catalog } from '../../../model/template.ts';
import { parseRendered } from '../conf/rendered.ts';
import type { Templates } from '../render/compiled.ts';
import { renderTenant } from '../render/render.ts';
import { type Difference, differences, optionsFor, type Sections } from './remainder.ts';

export type Values = Readonly<Record<string, Value>>;

/** An object whose fields, with its options, say what was written, and what they cannot say. */
export interface Fit {
  values: Values;
  left: readonly Difference[];
  /** What speaks against these values. */
  problems: readonly Problem[];
}

export interface Fitting {
  kind: 'trunk' | 'user';
  /** As sipctl is to call the object. */
  name: string;
  tenant: nouns.Tenant;
  catalog: Catalog;
  templates: Templates;
  templateDefaults: boolean;
}

/**
 * The values as few as they can be: what the template gives anyway is left to it. What they leave unsaid of the written
 * sections is said by options; both are proved by rendering, so that nothing has to be known twice.
 */
export function fitValues(given: Values, written: Sections, fitting: Fitting): Fit {
  const { kind, templates, templateDefaults } = fitting;
  const problems = problemsOf(given, fitting);
  if (problems.length > 0) return { values: given, left: [], problems };
  const rendering = rendererOf(fitting);
  const values = withoutNeedless(given, rendering, kind);
  const { version } = templates;
  const found = differences(written, rendering.sections(values), version);
  const options = optionsFor(kind, found, written, { version, templateDefaults });
  if (options.length === 0) return { values: { ...values, options: null }, left: found, problems };
  const full = { ...values, options: inOrder(options) };
  return { values: full, left: differences(written, rendering.sections(full), version), problems };
}

function problemsOf(values: Values, { kind, catalog }: Fitting): Problem[] {
  if (kind === 'user') {
    const missing = missingOf(values, ['extension', 'password']);
    return [...missing, ...checkUser(filled(nouns.user, values) as unknown as UserValues, catalog)];
  }
  return checkTrunk(filled(nouns.trunk, values) as unknown as TrunkValues, catalog);
}

const missingOf = (values: Values, fields: readonly string[]): Problem[] =>
  fields
    .filter((field) => (values[field] ?? null) === null)
    .map((field) => ({
      code: `missing_${field}`,
      message: `${field}: nothing says it`,
      field,
      hint:
        field === 'extension'
          ? 'say it with --set <user>.extension=<number>'
          : 'leave the object out with --except',
    }));

const filled = (noun: Noun, values: Values): Values => ({
  ...Object.fromEntries(Object.entries(noun.fields).map(([name, { initial }]) => [name, initial ?? null])),
  ...values,
});

interface Rendering {
  text(values: Values): string;
  sections(values: Values): Sections;
}

function rendererOf({ kind, name, tenant, catalog, templates }: Fitting): Rendering {
  const text = (values: Values): string => {
    const site = { tenant, trunks: [], users: [], flow: emptyFlow(tenant.name) };
    const owned = { tenant: tenant.name, enabled: true };
    const rendered =
      kind === 'trunk'
        ? { ...site, trunks: [trunkOf({ ...filled(nouns.trunk, values), ...owned, name })] }
        : { ...site, users: [userOf({ ...filled(nouns.user, values), ...owned, username: name })] };
    return renderTenant(rendered, { transports: {}, templates })
      .map((one) => one.text.toString('utf8'))
      .join('');
  };
  const trunkOf = (values: Values) => {
    const trunk = values as unknown as nouns.Trunk;
    const template = catalog.providers.get(trunk.provider);
    if (template === undefined) throw new TypeError(`there is no provider '${trunk.provider}'`);
    return resolveTrunk(trunk, tenant, template);
  };
  const userOf = (values: Values) => {
    const user = values as unknown as nouns.User;
    const template = catalog.users.get(user.template);
    if (template === undefined) throw new TypeError(`there is no user template '${user.template}'`);
    return resolveUser(user, tenant, template);
  };
  const sections = (values: Values): Sections =>
    new Map(
      (parseRendered(text(values))[0]?.objects ?? []).map(({ type, options }) => [
        type,
        options.map(([option, value]) => ({ option, value })),
      ]),
    );
  return { text, sections };
}

/** What has to be said although the template says the same today. */
const always = new Set([
  'provider',
  'template',
  'username',
  'password',
  'extension',
  'maxCalls',
  'region',
  'did',
]);

function withoutNeedless(given: Values, { text }: Rendering, kind: 'trunk' | 'user'): Values {
  const { fields } = kind === 'trunk' ? nouns.trunk : nouns.user;
  let values = given;
  let known = text(values);
  for (const name of Object.keys(given)) {
    const initial = (fields as Noun['fields'])[name]?.initial ?? null;
    if (always.has(name) || values[name] === initial || values[name] instanceof Secret) continue;
    const fewer = { ...values, [name]: initial };
    const shorter = text(fewer);
    if (shorter !== known) continue;
    values = fewer;
    known = shorter;
  }
  return values;
}

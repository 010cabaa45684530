import type { Place, Problem } from '../../../errors.ts';
import type { Declared } from '../../../model/declared.ts';
import type { Value } from '../../../model/field.ts';
import { defaultTenant, trunkId, userId } from '../../../model/identity.ts';
import * as nouns from '../../../model/nouns.ts';
import { providersFor, valuesAt } from '../../../model/providers-for.ts';
import type { Reading, ReadingSettings, Renaming, SourceFinder, SourceText } from '../../../model/reading.ts';
import * as rule from '../../../model/rules.ts';
import {
  type Fit,
  fitNearest,
  fitValues,
  type Line,
  madeApart,
  madeLater,
  notTaken,
  type Sections,
  told,
} from '../../fit-values.ts';
import { isSecret } from '../expected-values.ts';
import { loadTemplates, type Templates } from '../render/compiled.ts';
import { asteriskFitting } from './fit.ts';
import { groupObjects, last, type ObjectGroup, type PlacedObject, placeOf } from './groups.ts';
import { readSections } from './sections.ts';
import { trunkValues, variableOf } from './trunk-values.ts';
import { templatesFor, userValues } from './user-values.ts';

/** Trunks and users of a pjsip.conf, with whatever it includes, as they are declared to sipctl. */
export async function readPjsip(
  files: readonly SourceText[],
  finder: SourceFinder,
  settings: ReadingSettings,
): Promise<Reading> {
  const { sections, problems } = readSections(files, finder);
  const { groups, rest, problems: found } = groupObjects(sections);
  const templates = await loadTemplates(settings.catalog, settings.version);
  const protocols = new Map(
    rest.filter(({ type }) => type === 'transport').map((one) => [one.id, last(one, 'protocol') ?? 'udp']),
  );
  const reader = new ObjectReader(settings, templates, protocols);
  for (const group of groups) reader.read(group);
  const ours = new Set(['endpoint', 'auth', 'aor', 'registration', 'identify']);
  const lost = rest.filter(({ type }) => ours.has(type));
  const isStop = ({ code }: Problem): boolean => code !== 'not_taken_over';
  return {
    declared: reader.declared,
    problems: [...problems, ...found.filter(isStop), ...reader.problems],
    differences: [
      ...found.filter((one) => !isStop(one)),
      ...reader.differences,
      ...lost.map(({ type, id, place }) => notTaken(`${type} ${id} belongs to no endpoint`, place)),
    ],
    renamings: reader.renamings,
    left: rest.filter(({ type }) => !ours.has(type)).map(({ type, id }) => `${type} ${id}`),
  };
}

class ObjectReader {
  readonly declared: Declared[] = [];
  readonly problems: Problem[] = [];
  readonly differences: Problem[] = [];
  readonly renamings: Renaming[] = [];
  readonly #settings: ReadingSettings;
  readonly #templates: Templates;
  readonly #protocols: ReadonlyMap<string, string>;

  constructor(settings: ReadingSettings, templates: Templates, protocols: ReadonlyMap<string, string>) {
    this.#settings = settings;
    this.#templates = templates;
    this.#protocols = protocols;
  }

  read(group: ObjectGroup): void {
    const { endpoint, kind, marker } = group;
    const { except } = this.#settings;
    if (except.has(endpoint.id) || (marker !== null && except.has(marker.name))) return;
    const tenant = this.#tenantOf(endpoint);
    if (tenant === null) return;
    const name = kind === 'trunk' ? this.#trunkName(group, tenant) : userName(endpoint, tenant);
    const object = `${kind} ${name}`;
    const fit = kind === 'trunk' ? this.#fitTrunk(group, tenant, name) : this.#fitUser(group, tenant, name);
    if (fit.problems.length > 0) {
      for (const one of fit.problems)
        this.problems.push({ ...one, message: `${object}: ${one.message}`, place: endpoint.place });
      return;
    }
    const noun = kind === 'trunk' ? nouns.trunk : nouns.user;
    const id = kind === 'trunk' ? trunkId(tenant.name, name) : userId(tenant.domain, name);
    this.declared.push({
      ...{ noun, tenant: tenant.name, name, extent: 'given' as const, ...madeApart(fit.values) },
      ...{ place: endpoint.place, places: placesOf(group, fit.values) },
    });
    const did = fit.values.did ?? null;
    if (did !== null)
      this.declared.push({
        ...{ noun: nouns.number, tenant: tenant.name, name: did as string, values: { trunk: name } },
        ...{ extent: 'given' as const, generated: [], place: placeOf(endpoint, 'from_user'), places: {} },
      });
    this.differences.push(
      ...fit.left.map((one) =>
        told(one, object, { at: endpoint.place, isSecret, hint: sectionHint(one.section) }),
      ),
      ...surplus(group, object),
    );
    for (const one of membersOf(group))
      if (one.id !== id) this.renamings.push({ kind: one.type, from: one.id, to: id });
  }

  #tenantOf(endpoint: PlacedObject): nouns.Tenant | null {
    const { tenants, contexts, tenant } = this.#settings;
    const byDomain = tenants.find(
      ({ domain }) => domain !== null && endpoint.id.endsWith(`@${domain}`),
    )?.name;
    const said =
      variableOf(endpoint, 'SIPCTL_TENANT') ?? byDomain ?? contexts.get(last(endpoint, 'context') ?? '');
    const found = tenants.find(({ name }) => name === (said ?? tenant));
    if (found !== undefined) return found;
    this.problems.push({
      ...{ code: 'tenant_not_found', field: 'tenant', place: endpoint.place },
      message: `endpoint ${endpoint.id}: there is no tenant '${said ?? tenant}'`,
      hint: `sipctl tenant add ${said ?? tenant}`,
    });
    return null;
  }

  #trunkName({ endpoint, marker }: ObjectGroup, tenant: nouns.Tenant): string {
    const prefix = `${tenant.name}.`;
    const own = tenant.name !== defaultTenant && endpoint.id.startsWith(prefix);
    const id = own ? endpoint.id.slice(prefix.length) : endpoint.id;
    const marked = marker?.kind === 'trunk' && !this.#settings.keepNames ? marker.name : null;
    return named(marked ?? variableOf(endpoint, 'SIPCTL_TRUNK') ?? id, rule.trunkName, /[^A-Za-z0-9_-]+/g);
  }

  #fitTrunk(group: ObjectGroup, tenant: nouns.Tenant, name: string): Fit {
    const values = { ...trunkValues(group, this.#protocols), ...this.#given(group, name) };
    const { catalog, templateDefaults } = this.#settings;
    const templates = this.#templates;
    const fitting = asteriskFitting({ kind: 'trunk', name, tenant, catalog, templates, templateDefaults });
    const said = (values.provider ?? null) as string | null;
    const chosen = said === null ? null : catalog.providers.get(said);
    // The rules say that there is no such carrier.
    if (chosen === undefined) return fitValues(values, writtenOf(group), fitting);
    const candidates = chosen === null ? providersFor(values, catalog) : [chosen];
    const fits = candidates.map((template) =>
      fitValues(valuesAt(template, values), writtenOf(group), fitting),
    );
    const generic = values.authType === 'ip' ? 'custom_ip' : 'custom_credential';
    return (
      fits.find(({ problems }) => problems.length === 0) ??
      fits.find(({ values: tried }) => tried.provider === (said ?? generic)) ??
      (fits[0] as Fit)
    );
  }

  #fitUser(group: ObjectGroup, tenant: nouns.Tenant, name: string): Fit {
    const found = { ...userValues(group, name, tenant.name), ...this.#given(group, name) };
    const values = this.#settings.generatePasswords ? { password: madeLater, ...found } : found;
    const { catalog, templateDefaults } = this.#settings;
    const templates = this.#templates;
    const fitting = asteriskFitting({ kind: 'user', name, tenant, catalog, templates, templateDefaults });
    const guesses = templatesFor(group, catalog).map(({ id }) => ({ template: id, ...values }));
    return fitNearest(guesses, writtenOf(group), fitting);
  }

  #given({ endpoint, marker }: ObjectGroup, name: string): Readonly<Record<string, Value>> {
    const { given } = this.#settings;
    return { ...given.get(endpoint.id), ...given.get(marker?.name ?? name), ...given.get(name) };
  }
}

const userName = ({ id }: PlacedObject, { domain }: nouns.Tenant): string =>
  named(
    domain !== null && id.endsWith(`@${domain}`) ? id.slice(0, -domain.length - 1) : id,
    rule.sipUser,
    /[^A-Za-z0-9._+-]+/g,
  );

// The name as it stands where sipctl can use it, else with dashes in the place of what it cannot.
function named(text: string, of: typeof rule.trunkName, foreign: RegExp): string {
  if (of(text).ok) return text;
  return text.replace(foreign, '-').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '') || 'unnamed';
}

/** The objects that sipctl renders one of each, with what several of one type come to together. */
function writtenOf(group: ObjectGroup): Sections {
  const { kind, endpoint, auth, outboundAuth, aors, registrations, identifies } = group;
  const lines = (objects: readonly (PlacedObject | null | undefined)[]): Line[] | null => {
    const there = objects.flatMap((one) => one ?? []);
    return there.length === 0 ? null : there.flatMap(({ options }) => options);
  };
  const sections: [string, Line[] | null][] = [
    ['registration', kind === 'trunk' ? lines([registrations[0]]) : null],
    ['auth', lines([kind === 'trunk' ? outboundAuth : auth])],
    ['aor', lines([aors[0]])],
    ['endpoint', lines([endpoint])],
    ['identify', kind === 'trunk' ? lines(identifies) : null],
  ];
  return new Map(sections.filter((entry): entry is [string, Line[]] => entry[1] !== null));
}

const membersOf = ({
  endpoint,
  auth,
  outboundAuth,
  aors,
  registrations,
  identifies,
}: ObjectGroup): PlacedObject[] => [
  ...registrations.slice(0, 1),
  ...[outboundAuth ?? auth].flatMap((one) => one ?? []),
  ...aors.slice(0, 1),
  endpoint,
  ...identifies.slice(0, 1),
];

// What a trunk or user of sipctl has one of, or none.
function surplus(group: ObjectGroup, object: string): Problem[] {
  const { kind, auth, outboundAuth, aors, registrations, identifies } = group;
  const more = [
    ...aors.slice(1),
    ...(kind === 'trunk' ? registrations.slice(1) : [...registrations, ...identifies]),
    ...(kind === 'trunk' && auth !== null && auth !== outboundAuth ? [auth] : []),
    ...(kind === 'user' && outboundAuth !== null && outboundAuth !== auth ? [outboundAuth] : []),
  ];
  return more.map(({ type, id, place }) =>
    notTaken(`${object}: ${type} ${id} has no place in a ${kind}`, place),
  );
}

const sectionHint = (section: string): string | undefined =>
  section === 'identify'
    ? 'a trunk is matched by addresses, never by a name that may not resolve: give others with --set <trunk>.networks=<list>'
    : undefined;

/** Where single values stand, for complaints about them. */
function placesOf(
  { endpoint, auth, outboundAuth, aors }: ObjectGroup,
  values: Readonly<Record<string, Value>>,
): Record<string, Place> {
  const [aor = null] = aors;
  const sources: [string, PlacedObject | null, string][] = [
    ['password', outboundAuth ?? auth, 'password'],
    ['host', aor, 'contact'],
    ['codecs', endpoint, 'allow'],
    ['context', endpoint, 'context'],
    ['extension', endpoint, 'callerid'],
  ];
  return Object.fromEntries(
    sources.flatMap(([field, object, option]) =>
      object === null || (values[field] ?? null) === null ? [] : [[field, placeOf(object, option)]],
    ),
  );
}

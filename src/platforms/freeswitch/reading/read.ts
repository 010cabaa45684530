import type { Problem } from '../../../errors.ts';
import type { Declared } from '../../../model/declared.ts';
import type { Noun } from '../../../model/field.ts';
import { defaultTenant, trunkId } from '../../../model/identity.ts';
import * as nouns from '../../../model/nouns.ts';
import { providersFor, valuesAt } from '../../../model/providers-for.ts';
import type { Reading, ReadingSettings, Renaming, SourceFinder, SourceText } from '../../../model/reading.ts';
import * as rule from '../../../model/rules.ts';
import {
  type Fit,
  fitNearest,
  fitValues,
  madeApart,
  madeLater,
  notTaken,
  type Sections,
  told,
  type Values,
} from '../../fit-values.ts';
import { isSecret } from '../changes.ts';
import { freeSwitchFitting } from './fit.ts';
import { gatewayVariables, lastOf, settings } from './lines.ts';
import { allNamed, type PlacedElement, readElements } from './source.ts';
import { accountValues, gatewayValues } from './values.ts';

/** Gateways and accounts of a configuration of FreeSWITCH, as they are declared to sipctl. */
export async function readFreeSwitch(
  files: readonly SourceText[],
  finder: SourceFinder,
  settings: ReadingSettings,
): Promise<Reading> {
  const { elements, problems } = readElements(files, finder, Object.fromEntries(settings.variables));
  const reader = new ElementReader(settings);
  for (const gateway of allNamed(elements, 'gateway')) reader.readGateway(gateway);
  for (const domain of allNamed(elements, 'domain')) reader.readDomain(domain);
  const isStop = ({ code }: Problem): boolean => code !== 'not_taken_over';
  return {
    declared: reader.declared,
    problems: [...problems.filter(isStop), ...reader.problems],
    differences: [...problems.filter((one) => !isStop(one)), ...reader.differences],
    renamings: reader.renamings,
    left: [],
  };
}

class ElementReader {
  readonly declared: Declared[] = [];
  readonly problems: Problem[] = [];
  readonly differences: Problem[] = [];
  readonly renamings: Renaming[] = [];
  readonly #settings: ReadingSettings;

  constructor(settings: ReadingSettings) {
    this.#settings = settings;
  }

  readGateway(element: PlacedElement): void {
    const id = element.attributes.name ?? '';
    if (id === '' || this.#settings.except.has(id)) return;
    const inbound = gatewayVariables(element, 'inbound');
    const written: Sections = new Map([
      ['gateway', settings(element, 'param')],
      ['inbound', inbound],
      ['outbound', gatewayVariables(element, 'outbound')],
    ]);
    const context = lastOf(written.get('gateway') ?? [], 'context') ?? '';
    const tenant = this.#tenant(
      lastOf(inbound, 'SIPCTL_TENANT') ?? this.#settings.contexts.get(context),
      element,
    );
    if (tenant === null) return;
    const own = tenant.name !== defaultTenant && id.startsWith(`${tenant.name}.`);
    const name = named(own ? id.slice(tenant.name.length + 1) : id, rule.trunkName, /[^A-Za-z0-9_-]+/g);
    const values = {
      ...gatewayValues(id, written.get('gateway') ?? [], written.get('outbound') ?? []),
      ...this.#settings.given.get(id),
      ...this.#settings.given.get(name),
    };
    const { catalog, templateDefaults } = this.#settings;
    const fitting = freeSwitchFitting({ kind: 'trunk', name, tenant, catalog, templateDefaults });
    const said = (values as Values).provider as string | undefined;
    const candidates = said === undefined ? providersFor(values, catalog) : [catalog.providers.get(said)];
    const fits = candidates.map((template) =>
      fitValues(template === undefined ? values : valuesAt(template, values), written, fitting),
    );
    const generic = values.authType === 'ip' ? 'custom_ip' : 'custom_credential';
    const fit =
      fits.find(({ problems }) => problems.length === 0) ??
      fits.find(({ values: tried }) => tried.provider === (said ?? generic)) ??
      (fits[0] as Fit);
    this.#take({ noun: nouns.trunk, kind: 'trunk', name, tenant }, fit, element);
    const to = trunkId(tenant.name, name);
    if (to !== id) this.renamings.push({ kind: 'gateway', from: id, to });
    const did = (fit.values.did ?? null) as string | null;
    if (did !== null && fit.problems.length === 0)
      this.#declare(nouns.number, tenant, did, { trunk: name }, element);
  }

  readDomain(domain: PlacedElement): void {
    const users = allNamed(domain.children, 'user');
    if (users.length === 0) return;
    const name = (domain.attributes.name ?? '').toLowerCase();
    const byDomain = this.#settings.tenants.find((one) => one.domain?.toLowerCase() === name)?.name;
    const tenant = this.#tenant(byDomain, domain);
    if (tenant === null) return;
    if (tenant.domain === null) {
      this.problems.push({
        ...{ code: 'missing_domain', field: 'domain', place: domain.place },
        message: `tenant ${tenant.name} has no SIP domain, and the users are of the domain '${name}'`,
        hint: `sipctl tenant set ${tenant.name} --domain ${name === '' ? '<domain>' : name}`,
      });
      return;
    }
    if (byDomain === undefined)
      this.differences.push(
        notTaken(`the users of the domain '${name}' are of ${tenant.domain} now`, domain.place),
      );
    const own = settings(domain, 'param').find(({ option }) => option === 'dial-string');
    if (own !== undefined && !own.value.includes('url_encode'))
      this.differences.push(
        notTaken(`the dial-string of the domain '${name}' becomes sipctl's own`, own.place ?? domain.place),
      );
    const groups = new Map(
      allNamed(domain.children, 'group').flatMap((group) =>
        allNamed(group.children, 'user').map((user) => [user, group]),
      ),
    );
    for (const user of users) this.#readUser(user, [domain, groups.get(user)], tenant);
  }

  #readUser(
    element: PlacedElement,
    around: readonly (PlacedElement | undefined)[],
    tenant: nouns.Tenant,
  ): void {
    const { id = '', 'number-alias': alias = null, ...others } = element.attributes;
    // One that points elsewhere, as groups have them, is the account that stands there.
    if (id === '' || others.type === 'pointer' || this.#settings.except.has(id)) return;
    const all = [...around.flatMap((one) => one ?? []), element];
    const written: Sections = new Map([
      ['param', all.flatMap((one) => settings(one, 'param')).filter(({ option }) => !ofDomain.has(option))],
      ['variable', all.flatMap((one) => settings(one, 'variable'))],
    ]);
    const name = named(id, rule.sipUser, /[^A-Za-z0-9._+-]+/g);
    const found: Values = {
      ...accountValues(id, alias, written.get('param') ?? [], written.get('variable') ?? []),
      ...this.#settings.given.get(id),
      ...this.#settings.given.get(name),
    };
    const values = this.#settings.generatePasswords ? { password: madeLater, ...found } : found;
    const { catalog, templateDefaults } = this.#settings;
    const fitting = freeSwitchFitting({ kind: 'user', name, tenant, catalog, templateDefaults });
    const guesses = [...catalog.users.keys()].map((template) => ({ template, ...values }));
    const fit = fitNearest(guesses, written, fitting);
    this.#take({ noun: nouns.user, kind: 'user', name, tenant }, fit, element);
    if (name !== id) this.renamings.push({ kind: 'user', from: id, to: name });
    for (const attribute of Object.keys(others))
      if (attribute !== 'cacheable')
        this.differences.push(
          notTaken(`user ${name}: the attribute ${attribute} is left out`, element.place),
        );
  }

  #tenant(said: string | undefined, element: PlacedElement): nouns.Tenant | null {
    const name = said ?? this.#settings.tenant;
    const found = this.#settings.tenants.find((one) => one.name === name);
    if (found !== undefined) return found;
    this.problems.push({
      ...{ code: 'tenant_not_found', field: 'tenant', place: element.place },
      message: `${element.name} ${element.attributes.name}: there is no tenant '${name}'`,
      hint: `sipctl tenant add ${name}`,
    });
    return null;
  }

  #take(
    { noun, kind, name, tenant }: { noun: Noun; kind: 'trunk' | 'user'; name: string; tenant: nouns.Tenant },
    { problems, values, left }: Fit,
    { place }: PlacedElement,
  ): void {
    const object = `${kind} ${name}`;
    for (const one of problems) this.problems.push({ ...one, message: `${object}: ${one.message}`, place });
    if (problems.length > 0) return;
    this.#declare(noun, tenant, name, values, { place });
    this.differences.push(...left.map((one) => told(one, object, { at: place, isSecret })));
  }

  #declare(
    noun: Noun,
    tenant: nouns.Tenant,
    name: string,
    values: Values,
    { place }: Pick<PlacedElement, 'place'>,
  ): void {
    this.declared.push({
      ...{ noun, tenant: tenant.name, name, extent: 'given', place, places: {} },
      ...madeApart(values),
    });
  }
}

/** What sipctl says once for the whole domain. */
const ofDomain = new Set(['dial-string', 'allow-empty-password']);

function named(text: string, of: typeof rule.trunkName, foreign: RegExp): string {
  if (of(text).ok) return text;
  return text.replace(foreign, '-').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '') || 'unnamed';
}

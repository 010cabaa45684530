import type { Problem } from '../errors.ts';
import { checkObject } from '../model/check-object.ts';
import { type Finding, TenantCheck, type TenantObject } from '../model/check-tenant.ts';
import { commandOf, type Field, snake, titleOf } from '../model/field.ts';
import { trunkId, userId } from '../model/identity.ts';
import type { Catalog } from '../model/template.ts';
import { type SiteChange, sameValue } from '../plan/edits.ts';
import type { Store } from '../store/store.ts';
import type { DeclaredSite, SiteEntry } from './declared-site.ts';

interface Around {
  store: Store;
  catalog: Catalog;
  /** Every tenant of the database. */
  tenants: readonly { name: string; domain: string | null }[];
}

type Found = { entry: SiteEntry; problem: Problem };

/** Everything that speaks against a site as it would be, each complaint with its place. */
export async function siteFindings(
  site: DeclaredSite,
  around: Around,
): Promise<Pick<SiteChange, 'problems' | 'warnings'>> {
  const problems: Found[] = [...site.problems];
  const warnings: Found[] = [];
  const byTenant = new Map<string, SiteEntry[]>();
  for (const entry of site.entries) {
    if (isChanged(entry)) problems.push(...ownProblems(entry, around));
    if (entry.tenant === null) continue;
    const list = byTenant.get(entry.tenant);
    if (list === undefined) byTenant.set(entry.tenant, [entry]);
    else list.push(entry);
  }
  for (const [tenant, entries] of byTenant) {
    if (!entries.some((entry) => isChanged(entry) || entry.after === null)) continue;
    const isThere =
      site.get('tenant', null, tenant)?.after != null || around.tenants.some(({ name }) => name === tenant);
    if (!isThere) problems.push({ entry: entries[0] as SiteEntry, problem: noTenant(tenant) });
    const found = tenantFindings(site, tenant, entries, around.catalog);
    problems.push(...found.problems);
    warnings.push(...found.warnings);
  }
  problems.push(...(await uniqueProblems(site, around)));
  problems.push(...(await serviceProblems(site, around.store)));
  return { problems: placed(problems), warnings: placed(warnings) };
}

const isChanged = ({ declared, before, after }: SiteEntry): boolean =>
  declared !== null &&
  after !== null &&
  (before === null || Object.entries(after).some(([name, value]) => !sameValue(before[name] ?? null, value)));

function ownProblems(entry: SiteEntry, { catalog }: Around): Found[] {
  const { noun, name, after } = entry;
  const values = after ?? {};
  const missing = Object.entries(noun.fields).filter(
    ([field, { required }]) => required === true && (values[field] ?? null) === null,
  );
  const lacking = missing.map(([field, spec]) => ({ entry, problem: lacks(entry, field, spec) }));
  const known = new Set(missing.map(([field]) => field));
  const own = checkObject(noun, name, values, catalog).filter(({ field }) => !known.has(field ?? ''));
  return [...lacking, ...own.map((problem) => ({ entry, problem }))];
}

// A table or an imported configuration holds values, and no references to secrets.
const lacks = ({ noun, declared }: SiteEntry, name: string, { kind }: Field): Problem => ({
  code: `missing_${snake(name)}`,
  message: `${name}: every ${titleOf(noun)} needs it`,
  field: name,
  hint:
    kind !== 'secret'
      ? `give ${name}`
      : declared?.extent === 'given'
        ? `give ${name} in the source; --generate-passwords makes those of users`
        : `give ${name} as env:NAME, file:PATH or generate`,
});

function tenantFindings(
  site: DeclaredSite,
  tenant: string,
  entries: readonly SiteEntry[],
  catalog: Catalog,
): { problems: Found[]; warnings: Found[] } {
  const objects = new Map<TenantObject, SiteEntry>();
  for (const entry of entries) {
    const { noun, name, before, after } = entry;
    if (after !== null)
      objects.set({ noun, name, before, values: after, isChanged: isChanged(entry) }, entry);
  }
  const isGone = (noun: string, name: string): boolean => site.get(noun, tenant, name)?.after === null;
  const found = new TenantCheck(tenant, objects.keys(), catalog, isGone).findings();
  const located = ({ about, problem }: Finding): Found => ({
    entry: objects.get(about) as SiteEntry,
    problem,
  });
  return { problems: found.problems.map(located), warnings: found.warnings.map(located) };
}

/** Names that there are once in the whole database: numbers, SIP domains, and what users and trunks are called on a PBX. */
async function uniqueProblems(site: DeclaredSite, { store, tenants }: Around): Promise<Found[]> {
  const problems: Found[] = [];
  const domains = new Map(tenants.map(({ name, domain }) => [name, domain]));
  for (const { noun, name, after } of site.entries)
    if (noun.name === 'tenant') domains.set(name, (after?.domain ?? null) as string | null);
  problems.push(...domainProblems(site, domains));
  const holders = new Map<string, SiteEntry>();
  const asked = new Map<string, SiteEntry>();
  // Those that stay as they are come first: what is changed is what is complained of.
  const all = [...site.entries].toSorted((one, other) => Number(isChanged(one)) - Number(isChanged(other)));
  for (const entry of all) {
    const claimed = entry.after === null ? null : claimOf(entry, domains);
    if (claimed === null) continue;
    const holder = holders.get(claimed);
    if (holder === undefined) holders.set(claimed, entry);
    else problems.push({ entry, problem: claimProblem(entry, holder.noun.name, holder.tenant) });
    if (entry.before === null || movesEndpoint(entry, site)) asked.set(claimed, entry);
  }
  const numbers = [...asked.keys()].filter((name) => name.startsWith('+'));
  const endpoints = [...asked.keys()].filter((name) => !name.startsWith('+'));
  for (const claim of await store.records.claims({
    numbers,
    endpoints: endpoints.map((name) => name.slice(1)),
  })) {
    // Objects of the tenants at work were compared above, as they will be.
    if (site.get(claim.noun, claim.tenant, claim.name) !== undefined) continue;
    const entry = asked.get(claim.noun === 'number' ? claim.claimed : `@${claim.claimed}`);
    if (entry !== undefined) problems.push({ entry, problem: claimProblem(entry, claim.noun, claim.tenant) });
  }
  return problems;
}

/** A number as it is, a name on the PBX after `@`. */
function claimOf(
  { noun, tenant, name }: SiteEntry,
  domains: ReadonlyMap<string, string | null>,
): string | null {
  if (noun.name === 'number') return name;
  if (noun.name === 'trunk') return `@${trunkId(tenant as string, name).toLowerCase()}`;
  return noun.name === 'user'
    ? `@${userId(domains.get(tenant as string) ?? null, name).toLowerCase()}`
    : null;
}

function movesEndpoint({ noun, tenant }: SiteEntry, site: DeclaredSite): boolean {
  const owner = noun.name === 'user' ? site.get('tenant', null, tenant as string) : undefined;
  return owner !== undefined && owner.after?.domain !== owner.before?.domain;
}

function claimProblem({ noun, name }: SiteEntry, holder: string, tenant: string | null): Problem {
  if (noun.name === 'number')
    return {
      code: 'number_taken',
      message: `number ${name} belongs to tenant '${tenant}'`,
      field: 'number',
      hint: `remove it there first: sipctl number remove ${name} --tenant ${tenant}`,
    };
  return {
    code: 'endpoint_taken',
    message: `'${name}' is taken on the PBX by a ${holder} of tenant '${tenant}'`,
    field: noun.key,
    hint: 'choose another name, or give the tenant a SIP domain of its own',
  };
}

function domainProblems(site: DeclaredSite, domains: ReadonlyMap<string, string | null>): Found[] {
  const problems: Found[] = [];
  const owners = new Map<string, string>();
  const changed = (name: string): boolean => {
    const entry = site.get('tenant', null, name);
    return entry !== undefined && isChanged(entry);
  };
  const all = [...domains].toSorted(([one], [other]) => Number(changed(one)) - Number(changed(other)));
  for (const [name, domain] of all) {
    if (domain === null) continue;
    const owner = owners.get(domain);
    const entry = site.get('tenant', null, name);
    if (owner === undefined || entry === undefined) owners.set(domain, name);
    else
      problems.push({
        entry,
        problem: {
          code: 'domain_taken',
          message: `domain: tenant '${owner}' has ${domain}`,
          field: 'domain',
          hint: 'each tenant needs a SIP domain of its own, or none',
        },
      });
  }
  return problems;
}

/** What was made at Twilio or LiveKit is found again by what is kept here: that must not move or go. */
async function serviceProblems(site: DeclaredSite, store: Store): Promise<Found[]> {
  const problems: Found[] = [];
  const kinds: Readonly<Record<string, string>> = { twilioTrunk: 'twilio', livekit: 'livekit' };
  for (const entry of site.entries) {
    const { noun, tenant, name, before, after } = entry;
    if (before === null || tenant === null) continue;
    if (noun.name === 'twilioOrigination' && after !== null && after.twilioTrunk !== before.twilioTrunk)
      problems.push({ entry, problem: cannotMove(name, String(before.twilioTrunk)) });
    const kind = kinds[noun.name];
    if (kind === undefined) continue;
    const account = site.get('twilioAccount', tenant, String(before.account));
    const moves = noun.name === 'twilioTrunk' && account?.before?.accountSid !== account?.after?.accountSid;
    if (after !== null && !moves) continue;
    if ((await store.resourceMemory({ kind, tenant, name }).list()).length > 0)
      problems.push({
        entry: after === null ? entry : (account as SiteEntry),
        problem: madeElsewhere(entry),
      });
  }
  return problems;
}

const cannotMove = (name: string, trunk: string): Problem => ({
  code: 'twilio_origination_elsewhere',
  message: `twilioTrunk: Twilio origination '${name}' belongs to Twilio trunk '${trunk}'`,
  field: 'twilioTrunk',
  hint: 'give that of the other trunk a name of its own',
});

const madeElsewhere = ({ noun, tenant, name }: SiteEntry): Problem => ({
  code: 'made_elsewhere',
  message: `${titleOf(noun)} '${name}' has things at ${noun.name === 'livekit' ? 'LiveKit' : 'Twilio'} that sipctl made`,
  hint: `sipctl ${commandOf(noun)} destroy ${name} --tenant ${tenant} takes them away first`,
});

const noTenant = (name: string): Problem => ({
  code: 'tenant_not_found',
  message: `there is no tenant '${name}'`,
  field: 'tenant',
  hint: `sipctl tenant list, or: sipctl tenant add ${name}`,
});

/** With the place of the value, else of the object; in the order of the sources, without what a reader complained of. */
function placed(found: readonly Found[]): Problem[] {
  const problems = found
    .filter(({ entry, problem }) => entry.declared?.faulty?.includes(problem.field ?? '') !== true)
    .map(({ entry, problem }) => {
      const place = entry.declared?.places[problem.field ?? ''] ?? entry.declared?.place ?? null;
      const about = `${entry.noun.name === 'tenant' || entry.tenant === null ? '' : `${entry.tenant}: `}${titleOf(entry.noun)} ${entry.name}: `;
      return { ...problem, message: about + problem.message, ...(place === null ? {} : { place }) };
    });
  return problems.toSorted((one, other) => compare(one.place, other.place));
}

function compare(one: Problem['place'], other: Problem['place']): number {
  if (one === undefined || other === undefined)
    return Number(one === undefined) - Number(other === undefined);
  if (one.source !== other.source) return one.source < other.source ? -1 : 1;
  return one.line - other.line || one.column - other.column;
}

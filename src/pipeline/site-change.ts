import { SipctlError } from '../errors.ts';
import type { Declared } from '../model/declared.ts';
import { everyNoun } from '../model/every-noun.ts';
import type { Noun } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import type { Catalog } from '../model/template.ts';
import { fieldEdits, type ObjectEdit, type SiteBase, type SiteChange } from '../plan/edits.ts';
import type { ObjectRef, Records } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Writer } from '../store/writer.ts';
import { type ChangeOptions, DeclaredSite, type HeldObject } from './declared-site.ts';
import { siteFindings } from './site-findings.ts';

/**
 * What a source would change in the database: every difference, every complaint, and nothing written. Objects of tenants
 * that the source does not name are not looked at.
 */
export async function planSiteChange(
  store: Store,
  catalog: Catalog,
  declared: readonly Declared[],
  options: ChangeOptions = {},
): Promise<SiteChange> {
  const { records } = store;
  const tenants = await records.list(nouns.tenant);
  const names = new Set(declared.flatMap((one) => tenantOf(one.noun, one) ?? []));
  const base = await baseOf(records, [...names], tenants, declared);
  const site = new DeclaredSite(declared, await heldObjects(records, names, declared), options);
  const findings = await siteFindings(site, { store, catalog, tenants });
  const edits = editsOf(site);
  return {
    edits,
    unchanged: site.declaredCount - edits.filter(({ action }) => action !== 'delete').length,
    held: site.heldCount,
    ...findings,
    base,
  };
}

/** The tenant whose objects a declaration is about. */
const tenantOf = (noun: Noun, { tenant, name }: ObjectRef): string | null =>
  noun.name === 'tenant' ? name : tenant;

/** The state in which the database is read, taken first: what is changed while it is read is noticed when it is written. */
async function baseOf(
  records: Records,
  names: readonly string[],
  tenants: readonly { name: string; revision?: unknown }[],
  declared: readonly Declared[],
): Promise<SiteBase> {
  const revisions = new Map(tenants.map(({ name, revision }) => [name, revision as string]));
  const nodes = new Map<string, string>();
  const declaredNodes = declared.filter(({ noun }) => noun.name === 'node');
  if (declaredNodes.length > 0)
    for (const node of await records.list(nouns.node)) nodes.set(node.name, node.updatedAt);
  return {
    revisions: new Map(names.map((name) => [name, revisions.get(name) ?? null])),
    nodes: new Map(declaredNodes.map(({ name }) => [name, nodes.get(name) ?? null])),
  };
}

/** From this many tenants on, all objects are read and those of others passed over. */
const manyTenants = 1000;

async function heldObjects(
  records: Records,
  tenants: ReadonlySet<string>,
  declared: readonly Declared[],
): Promise<HeldObject[]> {
  const held: HeldObject[] = [];
  const hasNodes = declared.some(({ noun }) => noun.name === 'node');
  for (const noun of everyNoun) {
    if (noun.name === 'node' ? !hasNodes : tenants.size === 0) continue;
    const filter = noun.tenantScoped && tenants.size <= manyTenants ? { tenants: [...tenants] } : {};
    for (const object of await records.list(noun, filter)) {
      const values = object as unknown as HeldObject['values'];
      const ref = { tenant: (object.tenant as string | undefined) ?? null, name: values[noun.key] as string };
      const tenant = tenantOf(noun, ref);
      if (tenant === null || tenants.has(tenant)) held.push({ noun, ...ref, values });
    }
  }
  return held;
}

function editsOf(site: DeclaredSite): ObjectEdit[] {
  const edits: ObjectEdit[] = [];
  for (const { noun, tenant, name, before, after, generated, declared } of site.entries) {
    const about = { noun, tenant, name, place: declared?.place ?? null };
    if (after === null) edits.push({ ...about, action: 'delete', values: {}, fields: [] });
    else if (declared !== null) {
      const fields = fieldEdits(noun, before, after, generated);
      const values = Object.fromEntries(fields.map(({ field, to }) => [field, to]));
      if (before === null) edits.push({ ...about, action: 'create', values, fields });
      else if (fields.length > 0) edits.push({ ...about, action: 'update', values, fields });
    }
  }
  return edits.toSorted(inOrder);
}

const rank = new Map(everyNoun.map(({ name }, at) => [name, at]));

const inOrder = (left: ObjectEdit, right: ObjectEdit): number => {
  const [one, other] = [left, right].map((edit) => tenantOf(edit.noun, edit) ?? '\u{10ffff}') as [
    string,
    string,
  ];
  const ranks = (rank.get(left.noun.name) ?? 0) - (rank.get(right.noun.name) ?? 0);
  return one < other ? -1 : one > other ? 1 : ranks || (left.name < right.name ? -1 : 1);
};

/**
 * Writes a change in one transaction: all of it, or nothing.
 * @throws SipctlError `invalid` where there are complaints, `conflict` where the database changed since
 */
export async function writeSiteChange(store: Store, change: SiteChange): Promise<void> {
  if (change.problems.length > 0) throw new SipctlError('invalid', change.problems);
  if (change.edits.length === 0) return;
  const { writeEdits } = await import('./write-edits.ts');
  await store.write(
    async (writer) => {
      await expectBase(writer, change.base);
      await writeEdits(writer, change.edits);
    },
    { namesKnown: true },
  );
}

/** What a rehearsal ends with: its transaction must not be kept. */
const undone = new Error('a rehearsal is not kept');

/**
 * Looks at the site as a change would leave it, and undoes the change: nothing is written. Others cannot write meanwhile.
 * Answers null where the store reads past its own transaction, so that the change cannot be seen before it is kept.
 */
export async function rehearseSiteChange<T>(
  store: Store,
  { edits }: SiteChange,
  look: () => Promise<T>,
): Promise<T | null> {
  const { writeEdits } = await import('./write-edits.ts');
  let seen: T | null = null;
  const rehearse = async (writer: Writer): Promise<never> => {
    await writeEdits(writer, edits);
    if ((await fingerprint(writer)) === (await fingerprint(store.records))) seen = await look();
    throw undone;
  };
  try {
    await store.write(rehearse, { namesKnown: true });
  } catch (error) {
    if (error !== undone) throw error;
  }
  return seen;
}

async function fingerprint(records: Records): Promise<string> {
  const tenants = await records.list(nouns.tenant);
  const nodes = await records.list(nouns.node);
  return JSON.stringify([...tenants, ...nodes]);
}

async function expectBase(records: Records, { revisions, nodes }: SiteBase): Promise<void> {
  const tenants = revisions.size === 0 ? [] : await records.list(nouns.tenant);
  const now = new Map(tenants.map((tenant) => [tenant.name, (tenant as { revision?: unknown }).revision]));
  const moved = [...revisions].filter(([name, revision]) => (now.get(name) ?? null) !== revision);
  const held = nodes.size === 0 ? [] : await records.list(nouns.node);
  const updated = new Map(held.map((node) => [node.name, node.updatedAt]));
  const movedNodes = [...nodes].filter(([name, at]) => (updated.get(name) ?? null) !== at);
  const what = [
    ...moved.map(([name]) => `tenant '${name}'`),
    ...movedNodes.map(([name]) => `node '${name}'`),
  ];
  if (what.length === 0) return;
  throw new SipctlError('conflict', {
    code: 'site_changed',
    message: `${what.join(', ')} changed in the database since this change was found: nothing was written`,
    hint: 'run the command again, and look at the change anew',
  });
}

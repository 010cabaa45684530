import { SipctlError } from '../errors.ts';
import { nounNamed } from '../model/every-noun.ts';
import type { Field, Noun, Value } from '../model/field.ts';
import { commandOf, snake, titleOf } from '../model/field.ts';
import { trunkId, userId } from '../model/identity.ts';
import { Secret } from '../model/secret.ts';
import { type AuditAction, recordAudit } from './audit.ts';
import { constraintError, type NamedNoun } from './constraints.ts';
import type { Database, OpenDatabase, Row } from './database.ts';
import { holderOf } from './extensions.ts';
import type { Keyring } from './keyring.ts';
import { expectMentioned, type Mentioner } from './mentions.ts';
import { type NamedObject, type ObjectRef, Records, referenced, type Stored } from './records.ts';
import { columnOf, encode } from './rows.ts';
import { expectNothingMade } from './service-resources.ts';

/** Field → new value; fields that are not named stay as they are. */
export type Patch = Readonly<Record<string, Value>>;

/** Who writes, when, and the value that marks a tenant's new state. */
export interface WriteContext extends KnownNames {
  actor: string;
  now: () => Date;
  newRevision: () => string;
  opened: Pick<OpenDatabase, 'nextIds' | 'step'>;
}

export interface KnownNames {
  /** True where whoever writes knows that all that is named will be there at the end of the transaction. */
  namesKnown?: boolean;
}

/** Writes objects inside one transaction: the row, its sealed secrets, the tenant's revision, the audit row. */
export class Writer extends Records {
  readonly #context: WriteContext;

  constructor(database: Database, keyring: () => Keyring, context: WriteContext) {
    super(database, keyring);
    this.#context = context;
  }

  /** @throws SipctlError `conflict` when the object exists or a unique value is taken */
  async add(noun: Noun, ref: ObjectRef, values: Patch): Promise<void> {
    const at = this.#context.now().toISOString();
    const [id] = (await this.#context.opened.nextIds(this.database, noun.table, 1)) as [number];
    const row: Row = { id, [snake(noun.key)]: ref.name, enabled: 1, created_at: at, updated_at: at };
    if (noun.tenantScoped) row.tenant_id = await this.tenantId(ref.tenant as string);
    const complete: Record<string, Value> = {};
    for (const [name, field] of Object.entries(noun.fields))
      complete[name] = values[name] ?? field.initial ?? null;
    if (values.enabled !== undefined) row.enabled = values.enabled === true ? 1 : 0;
    if (this.#context.namesKnown !== true) await expectMentioned(this.database, noun, ref, complete);
    Object.assign(row, await this.#columns(noun, ref, id, complete));
    Object.assign(row, await this.#endpoint(noun, ref));
    if (noun.name === 'tenant') row.revision = this.#context.newRevision();
    if (complete.isDefault === true) await this.#clearDefault(row.tenant_id as number);
    await this.#guard(noun, ref, () => this.database.insertInto(noun.table).values(row).execute(), row);
    await this.#recorded('add', noun, ref, changesOf({}, { ...values }));
  }

  /** Changes what differs. @returns false when nothing did. @throws SipctlError `notFound`, `conflict` */
  async set(noun: Noun, ref: ObjectRef, patch: Patch): Promise<boolean> {
    const before = (await this.get(noun, ref)) as unknown as Stored;
    const differing = Object.entries(patch).filter(([name, value]) => !same(before[name] ?? null, value));
    if (differing.length === 0) return false;
    const changes = Object.fromEntries(differing);
    const { enabled, ...values } = changes;
    if (this.#context.namesKnown !== true) await expectMentioned(this.database, noun, ref, values);
    const row: Row = {
      updated_at: this.#context.now().toISOString(),
      ...(await this.#columns(noun, ref, before.id, values)),
    };
    if (enabled !== undefined) row.enabled = enabled === true ? 1 : 0;
    if (changes.isDefault === true) await this.#clearDefault(await this.tenantId(ref.tenant as string));
    await this.#guard(
      noun,
      ref,
      () => this.database.updateTable(noun.table).set(row).where('id', '=', before.id).execute(),
      row,
    );
    if (noun.name === 'tenant' && 'domain' in changes) await this.#renameEndpoints(ref.name);
    await this.#recorded('set', noun, ref, changesOf(before, changes));
    return true;
  }

  /** Removes one object. @throws SipctlError `notFound`; `conflict` while others refer to it or name it */
  remove(noun: Noun, ref: ObjectRef): Promise<void> {
    return this.removeAll([{ noun, ref }]);
  }

  /** Removes objects in this order. @throws SipctlError `notFound`; `conflict` while one that stays refers to them or names them */
  async removeAll(objects: readonly NamedObject[]): Promise<void> {
    const [mentioner] = this.#context.namesKnown === true ? [] : await this.mentioners(objects);
    if (mentioner !== undefined) throw stillNamed(mentioner);
    for (const { noun, ref } of objects) {
      const object = await this.get(noun, ref);
      await expectNothingMade(this.database, noun, ref);
      await this.#guard(noun, ref, () =>
        this.database.deleteFrom(noun.table).where('id', '=', object.id).execute(),
      );
      await this.#recorded('remove', noun, ref, {});
    }
  }

  /** Puts a value that nothing else has into a unique text column, until the real one is written in the same transaction. */
  async vacate(noun: Noun, ref: ObjectRef, field: string): Promise<void> {
    const { id } = await this.get(noun, ref);
    await this.database
      .updateTable(noun.table)
      .set({ [columnOf(field, noun.fields[field] as Field)]: `moving-${noun.table}-${id}` })
      .where('id', '=', id)
      .execute();
    if (noun.name === 'tenant') await this.#renameEndpoints(ref.name);
  }

  async #recorded(
    action: AuditAction,
    noun: Noun,
    ref: ObjectRef,
    detail: Record<string, unknown>,
  ): Promise<void> {
    const tenant = noun.tenantScoped ? ref.tenant : noun.name === 'tenant' ? ref.name : null;
    if (tenant !== null) {
      await this.database
        .updateTable('tenants')
        .set({ revision: this.#context.newRevision() })
        .where('name', '=', tenant)
        .execute();
    }
    const { actor, now } = this.#context;
    await recordAudit(this.database, {
      at: now(),
      actor,
      action,
      noun: noun.name,
      tenant,
      name: ref.name,
      detail,
    });
  }

  async #columns(noun: Noun, ref: ObjectRef, id: number, values: Patch): Promise<Row> {
    const row: Row = {};
    for (const [name, value] of Object.entries(values)) {
      const field = noun.fields[name] as Field;
      const column = columnOf(name, field);
      const plain =
        field.kind === 'reference' && value !== null
          ? await this.#referencedId(field, ref, name, value)
          : value;
      row[column] = encode(field, plain, noun, id, column, this.keyring);
    }
    return row;
  }

  async #referencedId(field: Field, ref: ObjectRef, name: string, value: Value): Promise<number> {
    const { table, key } = referenced[field.to as keyof typeof referenced];
    const row = await this.database
      .selectFrom(table)
      .innerJoin('tenants', 'tenants.id', `${table}.tenant_id`)
      .select(`${table}.id as id`)
      .where('tenants.name', '=', ref.tenant)
      .where(`${table}.${key}`, '=', value)
      .executeTakeFirst();
    if (row !== undefined) return row.id as number;
    const noun = nounNamed(field.to as string);
    throw new SipctlError('notFound', {
      code: `${snake(noun.name)}_not_found`,
      message: `there is no ${titleOf(noun)} '${value}' in tenant '${ref.tenant}'`,
      field: name,
      hint: `sipctl ${commandOf(noun)} list --tenant ${ref.tenant}`,
    });
  }

  // The name on the PBX is kept in a unique column: two tenants cannot claim one name on a shared node.
  async #endpoint(noun: Noun, ref: ObjectRef): Promise<Row> {
    if (noun.name === 'trunk') return { endpoint: trunkId(ref.tenant as string, ref.name) };
    if (noun.name !== 'user') return {};
    const row = await this.database
      .selectFrom('tenants')
      .select('domain')
      .where('name', '=', ref.tenant)
      .executeTakeFirst();
    return { endpoint: userId((row?.domain as string | null) ?? null, ref.name) };
  }

  async #renameEndpoints(tenant: string): Promise<void> {
    const users = await this.database
      .selectFrom('users')
      .innerJoin('tenants', 'tenants.id', 'users.tenant_id')
      .select(['users.id as id', 'users.username as username', 'tenants.domain as domain'])
      .where('tenants.name', '=', tenant)
      .execute();
    for (const user of users) {
      const endpoint = userId(user.domain as string | null, user.username as string);
      const ref = { tenant, name: user.username as string };
      await this.#guard({ name: 'user' }, ref, () =>
        this.database.updateTable('users').set({ endpoint }).where('id', '=', user.id).execute(),
      );
    }
  }

  async #clearDefault(tenantId: number): Promise<void> {
    await this.database
      .updateTable('trunks')
      .set({ is_default: 0 })
      .where('tenant_id', '=', tenantId)
      .where('is_default', '=', 1)
      .execute();
  }

  async #guard<T>(noun: NamedNoun, ref: ObjectRef, write: () => Promise<T>, row: Row = {}): Promise<T> {
    try {
      return await this.#context.opened.step(this.database, write);
    } catch (error) {
      const dialled = noun.name === 'emergency' ? row.number : row.extension;
      const holder = await holderOf(this.database, ref, dialled);
      throw constraintError(error, noun, ref, holder) ?? error;
    }
  }
}

const stillNamed = ({ noun, ref, field, mention }: Mentioner): SipctlError =>
  new SipctlError('conflict', {
    code: `${mention.noun}_in_use`,
    message: `${mention.noun} '${mention.name}' is named by ${noun} ${ref.name} (${field})`,
    hint: `sipctl ${noun} set ${ref.name} --tenant ${ref.tenant} takes it out`,
  });

function same(left: Value, right: Value): boolean {
  if (left instanceof Secret && right instanceof Secret) return left.reveal() === right.reveal();
  if (Array.isArray(left) && Array.isArray(right)) return left.join('\n') === right.join('\n');
  return left === right;
}

// A Secret writes itself as [secret]; what is kept is that it changed, never from what to what.
function changesOf(before: Record<string, Value>, after: Patch): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(after)
      .filter(([, value]) => value !== null || Object.keys(before).length > 0)
      .map(([name, value]) => [name, name in before ? { from: before[name], to: value } : { to: value }]),
  );
}

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { SipctlError } from '../errors.ts';
import { type CallRecord, recordOf } from '../model/call-record.ts';
import { everyNoun } from '../model/every-noun.ts';
import { defaultTenant } from '../model/identity.ts';
import type { StoredInbound } from '../model/inbound-trunk.ts';
import type { Call } from '../model/live/call.ts';
import type { Parties } from '../model/live/party.ts';
import * as nouns from '../model/nouns.ts';
import type { TenantSite } from '../model/site.ts';
import { type AuditEntry, type AuditRow, auditEntries, listAudit, recordAudit } from './audit.ts';
import { type ChainState, verifyChain } from './audit-verify.ts';
import { type BulkUser, insertUsers } from './bulk.ts';
import {
  type CallRecordFilter,
  type CallSummary,
  countCallRecords,
  findCallRecords,
  type Kept,
  keepCallRecords,
  readCallRecords,
  removeCallRecords,
  type StoredCallRecord,
  type SummaryGroup,
  summarizeCalls,
} from './call-records.ts';
import type { Holder } from './constraints.ts';
import { type Database, type OpenDatabase, openDatabase, tableNames } from './database.ts';
import {
  type Delivery,
  endDelivery,
  listDeliveries,
  recordDelivery,
  type StoredDelivery,
} from './deliveries.ts';
import { holderOf } from './extensions.ts';
import { databaseFailure, noFolder } from './failure.ts';
import { inboundTrunks } from './inbound-trunks.ts';
import { addKey, Keyring } from './keyring.ts';
import { type Lease, type LeaseClock, type LeaseOwner, type LeaseView, takeLease } from './leases.ts';
import { storedParties } from './parties.ts';
import { RecordingNotes } from './recordings.ts';
import { Records } from './records.ts';
import { sealAnew } from './rotate.ts';
import { type ServiceObject, ServiceResources } from './service-resources.ts';
import { countUsers, type ReadSites, siteReader, type TenantState, tenantStates } from './sites.ts';
import { Writer } from './writer.ts';

export interface StoreOptions {
  file: string;
  keyFile: string;
  actor: string;
  now: () => Date;
  create?: boolean;
  migrate?: boolean;
}

/** The database: reads at any time, writes inside one transaction each. The only writer of sipctl's state. */
export class Store {
  readonly opened: OpenDatabase;
  readonly records: Records;
  readonly recordings: RecordingNotes;
  readonly #options: StoreOptions;
  #keyring: Keyring | null = null;
  #readSites: ReadSites | null = null;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(opened: OpenDatabase, options: StoreOptions) {
    this.opened = opened;
    this.#options = options;
    this.records = new Records(opened.kysely, () => this.keyring());
    this.recordings = new RecordingNotes({
      ...{ raw: opened.raw, database: opened.kysely, actor: options.actor, now: options.now },
      transact: (work) => this.#transact(work),
    });
  }

  static async open(options: StoreOptions): Promise<Store> {
    const opened = await openDatabase(options.file, options);
    const store = new Store(opened, options);
    if (options.create === true) await store.#begin();
    return store;
  }

  close(): void {
    this.opened.close();
  }

  /** Runs `work` in one transaction: all of it is kept, or nothing. */
  async write<T>(work: (writer: Writer) => Promise<T>): Promise<T> {
    const { actor, now } = this.#options;
    const context = { actor, now, newRevision: () => randomBytes(8).toString('hex') };
    return this.#transact((database) => work(new Writer(database, () => this.keyring(), context)));
  }

  /** Adds many users in one transaction, all of them or none; one audit row for each tenant. */
  addUsers(users: Iterable<BulkUser>): Promise<number> {
    const { actor, now } = this.#options;
    return this.#transact(async (database) => {
      const counts = insertUsers(this.opened.raw, this.keyring(), nouns.user, users, now().toISOString());
      for (const [tenant, added] of counts) {
        const revision = randomBytes(8).toString('hex');
        await database.updateTable('tenants').set({ revision }).where('name', '=', tenant).execute();
        await recordAudit(database, {
          at: now(),
          actor,
          action: 'add',
          noun: 'user',
          tenant,
          name: '*',
          detail: { added },
        });
      }
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    });
  }

  tenantStates(): Promise<TenantState[]> {
    return tenantStates(this.#database);
  }

  /** Everything that each of these tenants owns, read one tenant at a time. @throws SipctlError `notFound` */
  tenantSites(names: readonly string[]): Generator<TenantSite> {
    this.#readSites ??= siteReader(this.opened.raw, () => this.keyring());
    return this.#readSites(names);
  }

  /** How many users these tenants have. */
  countUsers(names: readonly string[]): number {
    return countUsers(this.opened.raw, names);
  }

  /** Who stands behind the endpoints of a PBX; asked of the database each time, so that it is never out of date. */
  parties(): Parties {
    return storedParties(this.opened.raw);
  }

  /** Keeps the calls among these that ended: each once, also where it is told again. Gives how many were new. */
  async saveCdrs(calls: readonly Call[]): Promise<number> {
    const records = calls.map(recordOf).filter((record) => record !== null);
    return records.length === 0 ? 0 : (await this.keepCallRecords(records)).added;
  }

  /** Keeps many records of calls in one transaction. */
  keepCallRecords(records: Iterable<CallRecord>): Promise<Kept> {
    return this.#transact(async () => keepCallRecords(this.opened.raw, records));
  }

  /** See `readCallRecords`. */
  readCallRecords(
    filter: CallRecordFilter,
    order?: { oldestFirst?: boolean; limit?: number },
  ): Generator<StoredCallRecord> {
    return readCallRecords(this.opened.raw, filter, order);
  }

  summarizeCalls(filter: CallRecordFilter, by: SummaryGroup): CallSummary[] {
    return summarizeCalls(this.opened.raw, filter, by);
  }

  countCallRecords(filter: CallRecordFilter): number {
    return countCallRecords(this.opened.raw, filter);
  }

  /** Removes kept calls; the audit row says how many, in the same transaction. */
  removeCallRecords(filter: CallRecordFilter): Promise<number> {
    const { actor, now } = this.#options;
    const { tenant = null, ...detail } = filter;
    return this.#transact(async (database) => {
      const removed = removeCallRecords(this.opened.raw, filter);
      const about = { noun: 'cdr', tenant, name: '*', detail: { ...detail, removed } };
      if (removed > 0) await recordAudit(database, { at: now(), actor, action: 'remove', ...about });
      return removed;
    });
  }

  /** See `findCallRecords`. */
  findCallRecords(id: string, scope: { tenant: string | undefined; limit: number }): StoredCallRecord[] {
    return findCallRecords(this.opened.raw, id, scope);
  }

  /** What users of the tenant reach by dialling this extension or emergency number. */
  holderOf(tenant: string, dialled: string): Promise<Holder | null> {
    return holderOf(this.#database, { tenant, name: '' }, dialled);
  }

  /** Every trunk that takes calls in, of every tenant. */
  inboundTrunks(): Promise<StoredInbound[]> {
    return inboundTrunks(this.#database);
  }

  tenantSite(name: string): TenantSite {
    return this.tenantSites([name]).next().value;
  }

  /** What was made for an object at its service; each change is a transaction of its own. */
  resourceMemory(of: ServiceObject): ServiceResources {
    const { now } = this.#options;
    return new ServiceResources(of, {
      ...{ database: this.#database, now },
      transact: (work) => this.#transact(work),
    });
  }

  audit(row: Omit<AuditRow, 'at' | 'actor'>): Promise<void> {
    const { actor, now } = this.#options;
    return this.#transact((database) => recordAudit(database, { ...row, actor, at: now() }));
  }

  listAudit(filter: { tenant?: string; noun?: string; limit: number }): Promise<AuditEntry[]> {
    return listAudit(this.#database, filter);
  }

  auditEntries(after: number): AsyncGenerator<AuditEntry> {
    return auditEntries(this.#database, after);
  }

  verifyAudit(expected: string | null): Promise<ChainState> {
    return verifyChain(this.#database, expected);
  }

  recordDelivery(delivery: Omit<Delivery, 'at' | 'actor'>): Promise<number> {
    const { actor, now } = this.#options;
    return this.#transact((database) =>
      recordDelivery(database, { ...delivery, actor, at: now().toISOString() }),
    );
  }

  endDelivery(id: number, end: Pick<Delivery, 'outcome' | 'generation' | 'detail'>): Promise<void> {
    return this.#transact((database) => endDelivery(database, id, end));
  }

  listDeliveries(filter: { node?: string; limit: number }, view: LeaseView): Promise<StoredDelivery[]> {
    return listDeliveries(this.#database, filter, view);
  }

  /** @throws SipctlError `conflict` naming the holder */
  lease(name: string, owner: LeaseOwner, clock: LeaseClock): Promise<Lease> {
    return takeLease((work) => this.#transact(work), name, owner, clock);
  }

  /** Marks every tenant as changed: after a restore, or a rotation of the key. */
  async renewRevisions(): Promise<void> {
    await this.#transact(async (database) => {
      for (const { name } of await tenantStates(database)) {
        const revision = randomBytes(8).toString('hex');
        await database.updateTable('tenants').set({ revision }).where('name', '=', name).execute();
      }
      // Which password a service has by now, a backup does not know.
      await database.updateTable('service_resources').set({ digest: null }).execute();
    });
  }

  /**
   * The key that seals this database's secrets, made at first use.
   * @throws SipctlError `notFound` when it is gone although secrets were sealed with it, `invalid` when it is another one
   */
  keyring(): Keyring {
    if (this.#keyring !== null) return this.#keyring;
    const { keyFile } = this.#options;
    const sealedWith = this.#meta('key_id');
    if (!existsSync(keyFile) && sealedWith !== null) throw keyIsGone(keyFile, this.opened.file);
    const keyring = existsSync(keyFile) ? Keyring.read(keyFile) : Keyring.create(keyFile);
    // Sealing with the key of another database would leave secrets that no single key file opens.
    if (sealedWith !== null && !keyring.has(sealedWith)) throw otherKey(keyFile, this.opened.file);
    if (sealedWith === null) this.#setMeta('key_id', keyring.id);
    this.#keyring = keyring;
    return keyring;
  }

  /** Seals every secret with a new key. Killed at any instant, the key file opens whatever the database holds. */
  async rotateKey(): Promise<number> {
    this.keyring();
    const rotation = addKey(this.#options.keyFile);
    this.#keyring = Keyring.read(this.#options.keyFile);
    const keyring = this.#keyring;
    const sealed = await this.#transact(async (database) => {
      const count = await sealAnew(database, keyring);
      this.#setMeta('key_id', keyring.id);
      return count;
    });
    rotation.finish();
    await this.audit({
      action: 'rotate-key',
      noun: 'key',
      tenant: null,
      name: keyring.id,
      detail: { sealed },
    });
    return sealed;
  }

  /** Writes a consistent copy of the database, even while others write. */
  async backup(file: string): Promise<void> {
    if (!existsSync(dirname(file))) throw noFolder(dirname(file));
    try {
      await this.opened.raw.backup(file);
    } catch (error) {
      rmSync(file, { force: true });
      throw databaseFailure(error, file) ?? error;
    }
    chmodSync(file, 0o600);
  }

  /** Rows of each noun's table; a schema that is older has fewer of them. */
  async counts(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    const there = tableNames(this.opened.raw);
    for (const { table } of everyNoun.filter((noun) => there.has(noun.table))) {
      const row = await this.#database
        .selectFrom(table)
        .select(({ fn }) => fn.countAll().as('rows'))
        .executeTakeFirst();
      counts[table] = Number(row?.rows ?? 0);
    }
    return counts;
  }

  get file(): string {
    return this.opened.file;
  }

  get keyFile(): string {
    return this.#options.keyFile;
  }

  /** A value that is this database's own: it keys the checksum of plans. */
  get salt(): string {
    return this.#meta('salt') ?? '';
  }

  get #database(): Database {
    return this.opened.kysely;
  }

  async #begin(): Promise<void> {
    if (this.#meta('salt') === null) this.#setMeta('salt', randomBytes(16).toString('hex'));
    const ref = { tenant: null, name: defaultTenant };
    await this.write(async (writer) => {
      if ((await writer.find(nouns.tenant, ref)) === null) await writer.add(nouns.tenant, ref, {});
    });
  }

  // One connection has one transaction at a time: the renewal of a lease waits for a write to end.
  #transact<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#transaction(work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  // IMMEDIATE: a transaction that reads first and writes then would fail where another writer came between.
  async #transaction<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const { raw, kysely } = this.opened;
    raw.exec('BEGIN IMMEDIATE');
    try {
      const result = await work(kysely);
      raw.exec('COMMIT');
      return result;
    } catch (error) {
      if (raw.inTransaction) raw.exec('ROLLBACK');
      throw error;
    }
  }

  #meta(key: string): string | null {
    const row = this.opened.raw.prepare('SELECT value FROM meta WHERE key = ?').get(key) as
      | { value: string }
      | undefined;
    return row?.value ?? null;
  }

  #setMeta(key: string, value: string): void {
    this.opened.raw
      .prepare(
        'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      )
      .run(key, value);
  }
}

function keyIsGone(keyFile: string, database: string): SipctlError {
  return new SipctlError('notFound', {
    code: 'key_file_missing',
    message: `the key of ${database} is not at ${keyFile}`,
    field: 'keyFile',
    hint: 'put the key file back, or name it with SIPCTL_KEY_FILE; without it no stored secret can be read',
  });
}

function otherKey(keyFile: string, database: string): SipctlError {
  return new SipctlError('invalid', {
    code: 'key_file_other',
    message: `${keyFile} holds another key than that of ${database}`,
    field: 'keyFile',
    hint: 'name the right one with SIPCTL_KEY_FILE, or put it back from your copy',
  });
}

import { randomBytes } from 'node:crypto';
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
import type { Database, OpenDatabase, OpenOptions } from './database.ts';
import {
  type Delivery,
  endDelivery,
  listDeliveries,
  recordDelivery,
  type StoredDelivery,
} from './deliveries.ts';
import { holderOf } from './extensions.ts';
import { inboundTrunks } from './inbound-trunks.ts';
import type { Keyring } from './keyring.ts';
import { type Lease, type LeaseClock, type LeaseOwner, type LeaseView, takeLease } from './leases.ts';
import { noteOnce, readMeta } from './meta.ts';
import { openDatabase } from './open-database.ts';
import { RecordingNotes } from './recordings.ts';
import { Records } from './records.ts';
import { type ServiceObject, ServiceResources } from './service-resources.ts';
import { countUsers, type ReadSites, siteReader, type TenantState, tenantStates } from './sites.ts';
import { StoreKey } from './store-key.ts';
import { type KnownNames, Writer } from './writer.ts';

export interface StoreOptions extends OpenOptions {
  keyFile: string;
  actor: string;
}

/** The database: reads at any time, writes inside one transaction each. The only writer of sipctl's state. */
export class Store {
  readonly opened: OpenDatabase;
  readonly records: Records;
  readonly recordings: RecordingNotes;
  readonly #options: StoreOptions;
  readonly #key: StoreKey;
  #salt: string;
  #readSites: ReadSites | null = null;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(opened: OpenDatabase, options: StoreOptions, meta: ReadonlyMap<string, string>) {
    this.opened = opened;
    this.#options = options;
    this.#key = new StoreKey(options.keyFile, opened.file, meta);
    this.#salt = meta.get('salt') ?? '';
    this.records = new Records(opened.kysely, () => this.keyring());
    this.recordings = new RecordingNotes({
      ...{ database: opened.kysely, actor: options.actor, now: options.now },
      transact: (work) => this.#transact(work),
    });
  }

  static async open(options: StoreOptions): Promise<Store> {
    const opened = await openDatabase(options);
    try {
      const store = new Store(opened, options, await readMeta(opened.kysely));
      if (options.create === true) await store.#begin();
      return store;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.opened.close();
  }

  /** Runs `work` in one transaction: all of it is kept, or nothing. */
  async write<T>(work: (writer: Writer) => Promise<T>, known: KnownNames = {}): Promise<T> {
    const { actor, now } = this.#options;
    const newRevision = (): string => randomBytes(8).toString('hex');
    const context = { actor, now, newRevision, opened: this.opened, ...known };
    return this.#transact((database) => work(new Writer(database, () => this.keyring(), context)));
  }

  /** Adds many users in one transaction, all of them or none; one audit row for each tenant. */
  addUsers(users: Iterable<BulkUser>): Promise<number> {
    const { actor, now } = this.#options;
    return this.#transact(async (database) => {
      const at = now().toISOString();
      const counts = await insertUsers(this.opened, database, this.keyring(), nouns.user, users, at);
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
  tenantSites(names: readonly string[]): AsyncGenerator<TenantSite> {
    this.#readSites ??= siteReader(this.opened, () => this.keyring());
    return this.#readSites(names);
  }

  /** How many users these tenants have. */
  countUsers(names: readonly string[]): Promise<number> {
    return countUsers(this.#database, names);
  }

  /** Who stands behind the endpoints of a PBX, now and while the store is open. */
  parties(): Promise<Parties> {
    return this.opened.parties();
  }

  /** Keeps the calls among these that ended: each once, also where it is told again. Gives how many were new. */
  async saveCdrs(calls: readonly Call[]): Promise<number> {
    const records = calls.map(recordOf).filter((record) => record !== null);
    return records.length === 0 ? 0 : (await this.keepCallRecords(records)).added;
  }

  /** Keeps many records of calls in one transaction. */
  keepCallRecords(records: Iterable<CallRecord>): Promise<Kept> {
    return this.#transact((database) => keepCallRecords(database, records));
  }

  /** See `readCallRecords`. */
  readCallRecords(
    filter: CallRecordFilter,
    order?: { oldestFirst?: boolean; limit?: number },
  ): AsyncGenerator<StoredCallRecord> {
    return readCallRecords(this.#database, filter, order);
  }

  summarizeCalls(filter: CallRecordFilter, by: SummaryGroup): Promise<CallSummary[]> {
    return summarizeCalls(this.#database, filter, by);
  }

  countCallRecords(filter: CallRecordFilter): Promise<number> {
    return countCallRecords(this.#database, filter);
  }

  /** Removes kept calls; the audit row says how many, in the same transaction. */
  removeCallRecords(filter: CallRecordFilter): Promise<number> {
    const { actor, now } = this.#options;
    const { tenant = null, ...detail } = filter;
    return this.#transact(async (database) => {
      const removed = await removeCallRecords(database, filter);
      const about = { noun: 'cdr', tenant, name: '*', detail: { ...detail, removed } };
      if (removed > 0) await recordAudit(database, { at: now(), actor, action: 'remove', ...about });
      return removed;
    });
  }

  /** See `findCallRecords`. */
  findCallRecords(
    id: string,
    scope: { tenant: string | undefined; limit: number },
  ): Promise<StoredCallRecord[]> {
    return findCallRecords(this.#database, id, scope);
  }

  /** What users of the tenant reach by dialling this extension or emergency number. */
  holderOf(tenant: string, dialled: string): Promise<Holder | null> {
    return holderOf(this.#database, { tenant, name: '' }, dialled);
  }

  /** Every trunk that takes calls in, of every tenant. */
  inboundTrunks(): Promise<StoredInbound[]> {
    return inboundTrunks(this.#database);
  }

  async tenantSite(name: string): Promise<TenantSite> {
    return (await this.tenantSites([name]).next()).value;
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

  async listDeliveries(filter: { node?: string; limit: number }, view: LeaseView): Promise<StoredDelivery[]> {
    const now = await this.opened.time(this.#database, view.now);
    return listDeliveries(this.#database, filter, { ...view, now: () => now });
  }

  /** @throws SipctlError `conflict` naming the holder */
  lease(name: string, owner: LeaseOwner, clock: LeaseClock): Promise<Lease> {
    const time = (database: Database): Promise<Date> => this.opened.time(database, clock.now);
    return takeLease((work) => this.#transact(work), name, owner, clock, time);
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

  /** See `StoreKey`. */
  keyring(): Keyring {
    return this.#key.keyring();
  }

  /** Makes the key where there is none, and notes that it is this database's. */
  async prepareKey(): Promise<void> {
    await this.#transact(async () => this.keyring());
  }

  /** See `StoreKey`. Returns how many secrets were sealed. */
  async rotateKey(): Promise<number> {
    const sealed = await this.#key.rotate((work) => this.#transact(work));
    const about = { noun: 'key', tenant: null, name: this.keyring().id, detail: { sealed } };
    await this.audit({ action: 'rotate-key', ...about });
    return sealed;
  }

  /** Writes a consistent copy of the database, even while others write. */
  backup(file: string): Promise<void> {
    return this.opened.backup(file);
  }

  /** Rows of each noun's table; a schema that is older has fewer of them. */
  async counts(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    const { tables } = await this.opened.schemaState();
    for (const { table } of everyNoun.filter((noun) => tables.has(noun.table))) {
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

  /** Of the database, in the clear: for a thread of this process. */
  get password(): string | null {
    return this.#options.password?.reveal() ?? null;
  }

  get keyFile(): string {
    return this.#options.keyFile;
  }

  /** A value that is this database's own: it keys the checksum of plans. */
  get salt(): string {
    return this.#salt;
  }

  get #database(): Database {
    return this.opened.kysely;
  }

  async #begin(): Promise<void> {
    const fresh = randomBytes(16).toString('hex');
    if (this.#salt === '') this.#salt = await this.#transact((database) => noteOnce(database, 'salt', fresh));
    const ref = { tenant: null, name: defaultTenant };
    await this.write(async (writer) => {
      if ((await writer.find(nouns.tenant, ref)) === null) await writer.add(nouns.tenant, ref, {});
    });
  }

  // One connection has one transaction at a time: the renewal of a lease waits for a write to end.
  #transact<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const noting = async (database: Database): Promise<T> => {
      await this.#key.look(database);
      const result = await work(database);
      await this.#key.note(database);
      return result;
    };
    const turn = this.#last.then(() => this.opened.transact(noting));
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

import { type AuditRow, recordAudit } from './audit.ts';
import type { Database } from './database.ts';

/** What is known of a recording besides its file: kept by node and path, whatever becomes of either. */
export interface RecordingFacts {
  node: string;
  tenant: string;
  /** Below the folder of sipctl: `acme/2026-11-21/1763755659.12.wav`. */
  path: string;
  /** Bytes, when it was sealed; null: it never was. */
  size: number | null;
  /** Hex, when it was sealed. */
  sha256: string | null;
  sealedAt: string | null;
  /** Why it is held; null: it is not. */
  hold: string | null;
  heldAt: string | null;
  /** Where it was copied to. */
  pushedTo: string | null;
  pushedAt: string | null;
}

export type RecordingPlace = Pick<RecordingFacts, 'node' | 'tenant' | 'path'>;

/** What is said of a recording's call. */
export interface RecordedCall {
  node: string;
  /** The engine's own id. */
  call: string;
  direction: string;
  from: string | null;
  to: string | null;
  /** ISO 8601, UTC. */
  startedAt: string;
}

type Audit = Omit<AuditRow, 'at' | 'actor'>;

interface Surroundings {
  database: Database;
  actor: string;
  now: () => Date;
  transact: <T>(work: (database: Database) => Promise<T>) => Promise<T>;
}

/** What sipctl knows of recordings: seals, holds, copies. The files themselves are on the PBXs. */
export class RecordingNotes {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Of one node or tenant, or of all. */
  async list(filter: { node?: string; tenant?: string } = {}): Promise<RecordingFacts[]> {
    let query = this.#around.database.selectFrom('recordings').selectAll().orderBy('path');
    if (filter.node !== undefined) query = query.where('node', '=', filter.node);
    if (filter.tenant !== undefined) query = query.where('tenant', '=', filter.tenant);
    return (await query.execute()).map((row) => ({
      ...{ node: row.node, tenant: row.tenant, path: row.path, size: row.size, sha256: row.sha256 },
      ...{ sealedAt: row.sealed_at, hold: row.hold, heldAt: row.held_at },
      ...{ pushedTo: row.pushed_to, pushedAt: row.pushed_at },
    })) as RecordingFacts[];
  }

  /** Adds to what is known, with the audit rows that say why: all of it, or nothing. */
  note(
    notes: readonly { of: RecordingPlace; facts: Partial<RecordingFacts> }[],
    audit: readonly Audit[] = [],
  ): Promise<void> {
    const { actor, now, transact } = this.#around;
    return transact(async (database) => {
      for (const { of, facts } of notes) await write(database, of, facts);
      for (const row of audit) await recordAudit(database, { ...row, actor, at: now() });
    });
  }

  /** Forgets recordings that are about to be removed, each with an audit row; answers those that nobody holds. */
  forget(recordings: readonly { of: RecordingPlace; audit: Audit }[]): Promise<RecordingPlace[]> {
    const { actor, now, transact } = this.#around;
    return transact(async (database) => {
      const forgotten: RecordingPlace[] = [];
      for (const { of, audit } of recordings) {
        if (await isHeld(database, of)) continue;
        const rows = database.deleteFrom('recordings').where('node', '=', of.node);
        await rows.where('path', '=', of.path).execute();
        await recordAudit(database, { ...audit, actor, at: now() });
        forgotten.push(of);
      }
      return forgotten;
    });
  }

  /** The calls that were kept, of those that were recorded; none where no calls are kept. */
  calls(): Promise<RecordedCall[]> {
    const columns = ['node', 'call', 'direction', 'from', 'to', 'started_at as startedAt'] as const;
    return this.#around.database.selectFrom('cdrs').select(columns).execute() as Promise<
      unknown[]
    > as Promise<RecordedCall[]>;
  }
}

async function isHeld(database: Database, { node, path }: RecordingPlace): Promise<boolean> {
  const row = await database
    .selectFrom('recordings')
    .select('hold')
    .where('node', '=', node)
    .where('path', '=', path)
    .where('hold', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
}

const columns: Readonly<Partial<Record<keyof RecordingFacts, string>>> = {
  size: 'size',
  sha256: 'sha256',
  sealedAt: 'sealed_at',
  hold: 'hold',
  heldAt: 'held_at',
  pushedTo: 'pushed_to',
  pushedAt: 'pushed_at',
};

async function write(
  database: Database,
  { node, tenant, path }: RecordingPlace,
  facts: Partial<RecordingFacts>,
): Promise<void> {
  const values = Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => {
      const column = columns[name as keyof RecordingFacts];
      return column === undefined ? [] : [[column, value]];
    }),
  );
  await database
    .insertInto('recordings')
    .values({ node, tenant, path, ...values })
    .onConflict((clash) => clash.columns(['node', 'path']).doUpdateSet(values))
    .execute();
}

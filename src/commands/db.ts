import { chmodSync, copyFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { isPostgresUrl } from '../model/database-url.ts';
import { listing } from '../report/table.ts';
import { newestSchema } from '../store/database.ts';
import { notAFile } from '../store/opening.ts';
import { integrityOf } from '../store/sqlite/integrity.ts';
import type { CommandSpec, Run } from './command.ts';
import { confirm } from './confirm.ts';
import { dbCopy } from './db-copy.ts';

const status: Run = async (app) => {
  const store = await app.store({ migrate: false });
  const { version, pending, bytes } = await store.opened.schemaState();
  const rows = await store.counts();
  const data = {
    db: store.file,
    bytes,
    schema: version,
    pending,
    rows,
    keyFile: store.keyFile,
    keyPresent: existsSync(store.keyFile),
  };
  return {
    data,
    text: (style) =>
      listing(
        [
          ['database', `${data.db}, ${data.bytes} bytes`],
          ['schema', schemaState(data.schema, pending)],
          ['key', `${data.keyFile}${data.keyPresent ? '' : ' (missing)'}`],
          ...Object.entries(rows).map(([table, count]) => [table, String(count)] as const),
        ],
        style,
      ),
  };
};

function schemaState(schema: number, pending: readonly number[]): string {
  if (schema > newestSchema) return `${schema}, of a newer sipctl`;
  return pending.length === 0 ? `${schema}, up to date` : `${schema}, pending: ${pending.join(', ')}`;
}

const migrate: Run = async (app, { options }) => {
  const check = options.check === true;
  const store = await app.store({ migrate: !check });
  const { migrated } = store.opened;
  const { version, pending } = await store.opened.schemaState();
  if (check && pending.length > 0) {
    return { data: { pending }, text: () => `pending: ${pending.join(', ')}\n`, outcome: 'pending' };
  }
  const backup = migrated.backup === null ? '' : `, backup at ${migrated.backup}`;
  return {
    data: { applied: migrated.applied, backup: migrated.backup, schema: version },
    changed: migrated.applied.length > 0,
    text: () =>
      migrated.applied.length === 0 ? 'nothing to migrate\n' : `migrated to ${version}${backup}\n`,
  };
};

const backup: Run = async (app, { args }) => {
  const store = await app.store();
  const stamp = app.now().toISOString().replace(/[:.]/g, '-');
  const file = resolve(args[0] ?? `${app.config.db}.${stamp}.bak`);
  if (existsSync(file)) {
    throw new SipctlError('conflict', {
      code: 'backup_exists',
      message: `${file} exists already`,
      field: 'file',
      hint: 'name another file',
    });
  }
  await store.backup(file);
  return {
    data: { file, bytes: statSync(file).size },
    changed: true,
    text: () => `${file}\nthe key is not in it: keep a copy of ${store.keyFile}\n`,
  };
};

const restore: Run = async (app, { args }) => {
  if (isPostgresUrl(app.config.db)) throw notAFile(app.config.db);
  const file = resolve(args[0] as string);
  refuseUnusable(file);
  await confirm(app, `Replace ${app.config.db} by ${file}?`);
  const copy = copyBeside(app.config.db, file);
  const saved = keepPresent(app);
  // A log that a removed database left behind is not this one's.
  for (const tail of ['-wal', '-shm']) rmSync(`${app.config.db}${tail}`, { force: true });
  renameSync(copy, app.config.db);
  const store = await app.store();
  // What nodes hold may carry revisions from after the backup: every tenant counts as changed.
  await store.renewRevisions();
  await store.audit({ action: 'restore', noun: 'db', tenant: null, name: file, detail: {} });
  return {
    data: { file, saved },
    changed: true,
    text: () =>
      `restored ${file}${saved === null ? '' : `; what was there is at ${saved}`}\nnext: sipctl plan\n`,
  };
};

function refuseUnusable(file: string): void {
  if (!existsSync(file)) {
    throw new SipctlError('notFound', {
      code: 'no_backup',
      message: `there is no file ${file}`,
      field: 'file',
      hint: 'check the path',
    });
  }
  const wrong = integrityOf(file);
  if (wrong !== null) {
    throw new SipctlError('invalid', {
      code: 'backup_damaged',
      message: `${file} is not a usable database: ${wrong}`,
      field: 'file',
      hint: 'restore another backup',
    });
  }
}

// Before the present one is touched: a disk that fills up leaves it where it is.
function copyBeside(db: string, file: string): string {
  const copy = `${db}.restoring`;
  try {
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
  return copy;
}

function keepPresent(app: App): string | null {
  if (!existsSync(app.config.db)) return null;
  const saved = `${app.config.db}.${app.now().toISOString().replace(/[:.]/g, '-')}.replaced`;
  renameSync(app.config.db, saved);
  for (const tail of ['-wal', '-shm']) {
    if (existsSync(`${app.config.db}${tail}`)) renameSync(`${app.config.db}${tail}`, `${saved}${tail}`);
  }
  return saved;
}

export const db: CommandSpec = {
  name: 'db',
  summary: 'the database: status, migrate, backup, restore, copy',
  verbs: [
    { name: 'status', summary: 'where it is, its schema, what it holds', run: status },
    {
      name: 'migrate',
      summary: 'bring the schema up to date, after a backup',
      options: [['--check', 'only look: exit 2 when something is pending']],
      run: migrate,
    },
    { name: 'backup', summary: 'write a consistent copy', args: '[file]', run: backup },
    { name: 'restore', summary: 'put a copy in place of the database', args: '<file>', run: restore },
    dbCopy,
  ],
};

import type BetterSqlite3 from 'better-sqlite3';
import { anchorKey, type ChainedRow, chainBegin, chainHash, headKey, headText } from './audit-chain.ts';

/**
 * The schema's history: numbered, forward-only, run by themselves when a database is opened. A migration that
 * has been released is never edited; a change is a new entry at the end.
 */
export interface Migration {
  number: number;
  name: string;
  statements: readonly string[];
  /** What statements cannot do, in the same transaction and after them. */
  fill?: (raw: BetterSqlite3.Database) => void;
}

const timestamps = 'created_at TEXT NOT NULL, updated_at TEXT NOT NULL';

/** What every object of a tenant has; the composite key lets references name its tenant too. */
const owned = 'id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants (id)';
const state = `enabled INTEGER NOT NULL, ${timestamps}, UNIQUE (tenant_id, id)`;

/** Tables whose objects users dial by an extension, and the column of what is dialled. */
export const dialledColumns = {
  users: 'extension',
  groups: 'extension',
  ivrs: 'extension',
  conferences: 'extension',
  emergencies: 'number',
};

export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: 'tenants, trunks, users, numbers, nodes',
    statements: [
      'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)',
      `CREATE TABLE tenants (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, display_name TEXT, domain TEXT UNIQUE, context TEXT,
        country TEXT NOT NULL, max_calls INTEGER NOT NULL, default_caller_id TEXT,
        stun_server TEXT, turn_server TEXT, turn_username TEXT, turn_password BLOB,
        notes TEXT, enabled INTEGER NOT NULL, revision TEXT NOT NULL, ${timestamps})`,
      // The composite keys let a reference name its tenant too: one across tenants cannot be stored.
      `CREATE TABLE users (
        id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants (id),
        username TEXT NOT NULL, endpoint TEXT NOT NULL COLLATE NOCASE UNIQUE,
        extension TEXT NOT NULL, password BLOB NOT NULL, display_name TEXT, template TEXT NOT NULL,
        codecs TEXT, video TEXT, max_contacts INTEGER, qualify_frequency INTEGER, transport TEXT, context TEXT,
        caller_id TEXT, mailbox TEXT, max_calls INTEGER NOT NULL, labels TEXT, notes TEXT,
        enabled INTEGER NOT NULL, ${timestamps},
        UNIQUE (tenant_id, id), UNIQUE (tenant_id, username), UNIQUE (tenant_id, extension))`,
      `CREATE TABLE trunks (
        id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants (id),
        name TEXT NOT NULL, endpoint TEXT NOT NULL COLLATE NOCASE UNIQUE,
        provider TEXT NOT NULL, region TEXT, host TEXT, port INTEGER, transport TEXT, auth_type TEXT,
        username TEXT, auth_username TEXT, password BLOB, realm TEXT, did TEXT, from_user TEXT, from_domain TEXT,
        registration INTEGER, codecs TEXT, srtp INTEGER, context TEXT, networks TEXT, tech_prefix TEXT,
        outbound_proxy TEXT, max_calls INTEGER NOT NULL, inbound INTEGER NOT NULL, outbound INTEGER NOT NULL,
        priority INTEGER NOT NULL, is_default INTEGER NOT NULL, owner_id INTEGER, labels TEXT, notes TEXT,
        enabled INTEGER NOT NULL, ${timestamps},
        UNIQUE (tenant_id, id), UNIQUE (tenant_id, name),
        FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id))`,
      'CREATE UNIQUE INDEX trunks_one_default ON trunks (tenant_id) WHERE is_default = 1',
      `CREATE TABLE numbers (
        id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL REFERENCES tenants (id),
        number TEXT NOT NULL UNIQUE, trunk_id INTEGER, inbound INTEGER NOT NULL, outbound INTEGER NOT NULL,
        label TEXT, enabled INTEGER NOT NULL, ${timestamps},
        UNIQUE (tenant_id, id),
        FOREIGN KEY (tenant_id, trunk_id) REFERENCES trunks (tenant_id, id))`,
      'CREATE INDEX numbers_by_trunk ON numbers (trunk_id)',
      // Users and trunks are endpoints of one PBX: a name belongs to one of them only.
      ...['INSERT', 'UPDATE OF endpoint'].flatMap((event, at) => [
        `CREATE TRIGGER users_endpoint_${at} BEFORE ${event} ON users
         WHEN EXISTS (SELECT 1 FROM trunks WHERE trunks.endpoint = NEW.endpoint)
         BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: trunks.endpoint'); END`,
        `CREATE TRIGGER trunks_endpoint_${at} BEFORE ${event} ON trunks
         WHEN EXISTS (SELECT 1 FROM users WHERE users.endpoint = NEW.endpoint)
         BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: users.endpoint'); END`,
      ]),
      `CREATE TABLE nodes (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, dir TEXT NOT NULL,
        engine_version TEXT, tenants TEXT, ami TEXT, ami_user TEXT, ami_secret BLOB, ami_tls INTEGER NOT NULL,
        ami_ca TEXT, transports TEXT, owner TEXT, "group" TEXT, keep INTEGER NOT NULL, notes TEXT,
        enabled INTEGER NOT NULL, ${timestamps})`,
      `CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY, node TEXT NOT NULL, generation INTEGER NOT NULL, base INTEGER NOT NULL,
        at TEXT NOT NULL, actor TEXT NOT NULL, outcome TEXT NOT NULL, changes TEXT NOT NULL, detail TEXT)`,
      'CREATE INDEX deliveries_by_node ON deliveries (node, id)',
      `CREATE TABLE leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
        token TEXT NOT NULL, started_at TEXT NOT NULL, expires_at TEXT NOT NULL)`,
      `CREATE TABLE audit (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
        noun TEXT NOT NULL, tenant TEXT, name TEXT NOT NULL, detail TEXT NOT NULL)`,
    ],
  },
  {
    number: 2,
    name: 'where calls go: groups, ivrs, conferences, schedules, routes, emergencies',
    statements: [
      `CREATE TABLE "groups" (
        ${owned}, name TEXT NOT NULL, extension TEXT, members TEXT NOT NULL, strategy TEXT NOT NULL,
        ring_time INTEGER NOT NULL, unanswered TEXT, notes TEXT,
        ${state}, UNIQUE (tenant_id, name), UNIQUE (tenant_id, extension))`,
      `CREATE TABLE ivrs (
        ${owned}, name TEXT NOT NULL, extension TEXT, greeting TEXT NOT NULL, keys TEXT NOT NULL,
        direct_dial INTEGER NOT NULL, timeout INTEGER NOT NULL, attempts INTEGER NOT NULL,
        invalid_sound TEXT NOT NULL, unanswered TEXT, invalid TEXT, notes TEXT,
        ${state}, UNIQUE (tenant_id, name), UNIQUE (tenant_id, extension))`,
      `CREATE TABLE conferences (
        ${owned}, name TEXT NOT NULL, extension TEXT NOT NULL, pin BLOB, moderator_pin BLOB,
        profile TEXT NOT NULL, wait_for_moderator INTEGER NOT NULL, max_members INTEGER NOT NULL,
        announce INTEGER NOT NULL, record INTEGER NOT NULL, notes TEXT,
        ${state}, UNIQUE (tenant_id, name), UNIQUE (tenant_id, extension))`,
      `CREATE TABLE schedules (
        ${owned}, name TEXT NOT NULL, time_zone TEXT NOT NULL, open TEXT NOT NULL, holidays TEXT,
        closed TEXT NOT NULL, notes TEXT,
        ${state}, UNIQUE (tenant_id, name))`,
      `CREATE TABLE routes (
        ${owned}, name TEXT NOT NULL, "match" TEXT NOT NULL, trunks TEXT, failover TEXT, strip INTEGER NOT NULL,
        prepend TEXT, caller_id TEXT, ring_time INTEGER NOT NULL, notes TEXT,
        ${state}, UNIQUE (tenant_id, name))`,
      `CREATE TABLE emergencies (
        ${owned}, number TEXT NOT NULL, caller_id TEXT NOT NULL, trunks TEXT, notes TEXT,
        ${state}, UNIQUE (tenant_id, number))`,
      'ALTER TABLE trunks ADD COLUMN number_format TEXT',
      'ALTER TABLE users ADD COLUMN ring_time INTEGER NOT NULL DEFAULT 30',
      'ALTER TABLE users ADD COLUMN unanswered TEXT',
      'ALTER TABLE users ADD COLUMN voicemail INTEGER',
      'ALTER TABLE users ADD COLUMN voicemail_pin BLOB',
      'ALTER TABLE users ADD COLUMN email TEXT',
      "ALTER TABLE users ADD COLUMN toll_class TEXT NOT NULL DEFAULT 'all'",
      // A composite key cannot be added to a table that is there: the numbers move to a new one.
      `CREATE TABLE numbers_with_destination (
        ${owned}, number TEXT NOT NULL UNIQUE, trunk_id INTEGER, inbound INTEGER NOT NULL,
        outbound INTEGER NOT NULL, destination TEXT, schedule_id INTEGER, record INTEGER NOT NULL DEFAULT 0,
        variables TEXT, label TEXT, ${state},
        FOREIGN KEY (tenant_id, trunk_id) REFERENCES trunks (tenant_id, id),
        FOREIGN KEY (tenant_id, schedule_id) REFERENCES schedules (tenant_id, id))`,
      `INSERT INTO numbers_with_destination
        (id, tenant_id, number, trunk_id, inbound, outbound, label, enabled, created_at, updated_at)
        SELECT id, tenant_id, number, trunk_id, inbound, outbound, label, enabled, created_at, updated_at
        FROM numbers`,
      'DROP TABLE numbers',
      'ALTER TABLE numbers_with_destination RENAME TO numbers',
      'CREATE INDEX numbers_by_trunk ON numbers (trunk_id)',
      'CREATE INDEX numbers_by_schedule ON numbers (schedule_id)',
      ...oneHolderEach(),
    ],
  },
  {
    number: 3,
    name: 'nodes that are a FreeSWITCH',
    statements: ['ALTER TABLE nodes ADD COLUMN esl TEXT', 'ALTER TABLE nodes ADD COLUMN esl_password BLOB'],
  },
  {
    number: 4,
    name: 'recordings: who is recorded, where files are, what is known of them',
    statements: [
      ...['tenants', 'trunks', 'users'].map(
        (table) => `ALTER TABLE ${table} ADD COLUMN record INTEGER NOT NULL DEFAULT 0`,
      ),
      'ALTER TABLE tenants ADD COLUMN record_tone TEXT',
      'ALTER TABLE tenants ADD COLUMN recording_days INTEGER',
      'ALTER TABLE nodes ADD COLUMN recordings TEXT',
      'ALTER TABLE nodes ADD COLUMN recordings_ssh TEXT',
      // Names of node and tenant, and no references: what is known of a file outlives both.
      `CREATE TABLE recordings (
        id INTEGER PRIMARY KEY, node TEXT NOT NULL, tenant TEXT NOT NULL, path TEXT NOT NULL,
        size INTEGER, sha256 TEXT, sealed_at TEXT, hold TEXT, held_at TEXT, pushed_to TEXT, pushed_at TEXT,
        UNIQUE (node, path))`,
      'CREATE INDEX recordings_by_tenant ON recordings (tenant, path)',
    ],
  },
  {
    number: 5,
    name: 'calls that ended',
    statements: [
      // A tenant, trunk or user that is removed leaves its calls: they were made all the same.
      `CREATE TABLE cdrs (
        id INTEGER PRIMARY KEY, node TEXT NOT NULL, call TEXT NOT NULL, tenant TEXT, direction TEXT NOT NULL,
        "from" TEXT, from_name TEXT, "to" TEXT, trunk TEXT, user TEXT, channel TEXT, codec TEXT,
        started_at TEXT NOT NULL, answered_at TEXT, ended_at TEXT NOT NULL, talk_seconds INTEGER NOT NULL,
        q850 INTEGER, sip INTEGER, cause TEXT NOT NULL, mos REAL, loss_percent REAL, jitter_ms REAL, rtt_ms REAL,
        recorded INTEGER NOT NULL, source TEXT NOT NULL,
        UNIQUE (node, call))`,
      'CREATE INDEX cdrs_by_start ON cdrs (started_at, id)',
      'CREATE INDEX cdrs_by_tenant ON cdrs (tenant, started_at, id)',
      'CREATE INDEX cdrs_by_channel ON cdrs (node, channel)',
    ],
  },
  {
    number: 6,
    name: 'how trunks and users tell keys',
    statements: ['ALTER TABLE trunks ADD COLUMN dtmf TEXT', 'ALTER TABLE users ADD COLUMN dtmf TEXT'],
  },
  {
    number: 7,
    name: 'Twilio trunks, LiveKit, and what was made there',
    statements: [
      `CREATE TABLE twilio_accounts (
        ${owned}, name TEXT NOT NULL, account_sid TEXT NOT NULL, auth_token BLOB, api_key TEXT, api_secret BLOB,
        label TEXT, ${state}, UNIQUE (tenant_id, name))`,
      `CREATE TABLE twilio_trunks (
        ${owned}, name TEXT NOT NULL, account_id INTEGER NOT NULL, domain_prefix TEXT NOT NULL,
        friendly_name TEXT NOT NULL, sip_username TEXT NOT NULL, sip_password BLOB NOT NULL,
        secure INTEGER NOT NULL, recording TEXT NOT NULL, trim TEXT NOT NULL, trunk_id INTEGER,
        ${state}, UNIQUE (tenant_id, name),
        FOREIGN KEY (tenant_id, account_id) REFERENCES twilio_accounts (tenant_id, id),
        FOREIGN KEY (tenant_id, trunk_id) REFERENCES trunks (tenant_id, id))`,
      `CREATE TABLE twilio_originations (
        ${owned}, name TEXT NOT NULL, twilio_trunk_id INTEGER NOT NULL, sip_url TEXT NOT NULL,
        priority INTEGER NOT NULL, weight INTEGER NOT NULL, ${state}, UNIQUE (tenant_id, name),
        FOREIGN KEY (tenant_id, twilio_trunk_id) REFERENCES twilio_trunks (tenant_id, id))`,
      `CREATE TABLE livekits (
        ${owned}, name TEXT NOT NULL, url TEXT NOT NULL, api_key TEXT NOT NULL, api_secret BLOB NOT NULL,
        twilio_trunk_id INTEGER NOT NULL, sip_uri TEXT, agent TEXT, room_prefix TEXT NOT NULL,
        ${state}, UNIQUE (tenant_id, name),
        FOREIGN KEY (tenant_id, twilio_trunk_id) REFERENCES twilio_trunks (tenant_id, id))`,
      // The tenant stays while something of it is at a service: the row is how sipctl knows it for its own.
      `CREATE TABLE service_resources (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, tenant_id INTEGER NOT NULL REFERENCES tenants (id),
        object TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, remote_id TEXT, digest TEXT, at TEXT NOT NULL,
        UNIQUE (kind, tenant_id, object, key))`,
    ],
  },
  {
    number: 8,
    name: 'options of trunks and users',
    statements: ['ALTER TABLE trunks ADD COLUMN options TEXT', 'ALTER TABLE users ADD COLUMN options TEXT'],
  },
  {
    number: 9,
    name: 'nodes on other machines, and their labels',
    statements: [
      'ALTER TABLE nodes ADD COLUMN ssh TEXT',
      'ALTER TABLE nodes ADD COLUMN ssh_config TEXT',
      'ALTER TABLE nodes ADD COLUMN tunnel INTEGER NOT NULL DEFAULT 0',
      'ALTER TABLE nodes ADD COLUMN labels TEXT',
    ],
  },
  {
    number: 10,
    name: 'a chain of hashes over the audit trail',
    statements: [
      'ALTER TABLE audit ADD COLUMN hash TEXT',
      `CREATE TRIGGER audit_head AFTER INSERT ON audit
       BEGIN UPDATE meta SET value = NEW.id || ' ' || NEW.hash WHERE key = '${headKey}'; END`,
    ],
    fill: chainOlderRows,
  },
];

// Rows from before are taken into the chain as they are now: from here on a change of them shows, too.
function chainOlderRows(raw: BetterSqlite3.Database): void {
  const rows = raw.prepare('SELECT * FROM audit ORDER BY id').all() as ChainedRow[];
  const update = raw.prepare('UPDATE audit SET hash = ? WHERE id = ?');
  let head = chainBegin;
  for (const row of rows) {
    head = { id: row.id, hash: chainHash(head.hash, row) };
    update.run(head.hash, head.id);
  }
  const keep = raw.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
  keep.run(headKey, headText(head));
  keep.run(anchorKey, String(head.id));
}

// What a user of a tenant dials reaches one object: within a table by its keys, across tables by these triggers.
function oneHolderEach(): string[] {
  const tables = Object.entries(dialledColumns);
  return tables.flatMap(([table, column]) =>
    tables
      .filter(([other]) => other !== table)
      .flatMap(([other, held]) =>
        ['INSERT', `UPDATE OF ${column}`].map(
          (event, at) => `CREATE TRIGGER ${table}_${other}_dialled_${at} BEFORE ${event} ON "${table}"
           WHEN EXISTS (SELECT 1 FROM "${other}" WHERE tenant_id = NEW.tenant_id AND ${held} = NEW.${column})
           BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: ${other}.${held}'); END`,
        ),
      ),
  );
}

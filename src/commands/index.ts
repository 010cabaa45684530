import type { CommandEntry } from './command.ts';

const describe = 'Describe what should exist:';
const connect = 'Say where calls go:';
const deliver = 'Make it so, and prove it:';
const live = 'Watch and steer calls:';
const look = 'See how things stand:';
const keep = 'Look after sipctl itself:';

export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'make the database and its key',
    heading: describe,
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'tenant',
    summary: 'customers: everything belongs to one',
    heading: describe,
    load: async () => (await import('./tenant.ts')).tenantCommand,
  },
  {
    name: 'trunk',
    summary: 'carrier accounts and peers',
    heading: describe,
    load: async () => (await import('./trunk.ts')).trunkCommand,
  },
  {
    name: 'user',
    summary: 'SIP accounts that phones register with',
    heading: describe,
    load: async () => (await import('./user.ts')).userCommand,
  },
  {
    name: 'number',
    summary: 'phone numbers (DIDs)',
    heading: describe,
    load: async () => (await import('./number.ts')).numberCommand,
  },
  {
    name: 'node',
    summary: 'PBXs to provision',
    heading: describe,
    load: async () => (await import('./node.ts')).nodeCommand,
  },
  {
    name: 'provider',
    summary: 'carrier templates',
    heading: describe,
    load: async () => (await import('./provider.ts')).providerCommand,
  },
  {
    name: 'user-template',
    summary: 'templates for kinds of phones',
    heading: describe,
    load: async () => (await import('./user-template.ts')).userTemplateCommand,
  },
  {
    name: 'import',
    summary: 'take over what another PBX or a table describes',
    heading: describe,
    load: async () => (await import('./import.ts')).importCommand,
  },
  {
    name: 'export',
    summary: 'write what the database holds, without secrets',
    heading: describe,
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'group',
    summary: 'users that ring together, or one after another',
    heading: connect,
    load: async () => (await import('./group.ts')).groupCommand,
  },
  {
    name: 'ivr',
    summary: 'menus: what each key does',
    heading: connect,
    load: async () => (await import('./ivr.ts')).ivrCommand,
  },
  {
    name: 'conference',
    summary: 'rooms, with PINs',
    heading: connect,
    load: async () => (await import('./conference.ts')).conferenceCommand,
  },
  {
    name: 'schedule',
    summary: 'open hours and holidays of numbers',
    heading: connect,
    load: async () => (await import('./schedule.ts')).scheduleCommand,
  },
  {
    name: 'route',
    summary: 'which trunks outbound calls take',
    heading: connect,
    load: async () => (await import('./route.ts')).routeCommand,
  },
  {
    name: 'emergency',
    summary: 'emergency numbers, never refused',
    heading: connect,
    load: async () => (await import('./emergency.ts')).emergencyCommand,
  },
  {
    name: 'twilio',
    summary: 'trunks at Twilio: provision, verify, numbers, recordings',
    heading: connect,
    load: async () => (await import('./twilio.ts')).twilioCommand,
  },
  {
    name: 'livekit',
    summary: 'LiveKit projects: agents that answer a Twilio trunk’s calls',
    heading: connect,
    load: async () => (await import('./livekit.ts')).livekitCommand,
  },
  {
    name: 'render',
    summary: 'print what would be delivered',
    heading: deliver,
    load: async () => (await import('./render.ts')).render,
  },
  {
    name: 'plan',
    summary: 'show what would change on every node and at every service',
    heading: deliver,
    load: async () => (await import('./plan-verb.ts')).plan,
  },
  {
    name: 'apply',
    summary: 'deliver, reload, verify; take back what was refused',
    heading: deliver,
    load: async () => (await import('./apply-verb.ts')).apply,
  },
  {
    name: 'diff',
    summary: 'compare site files with the database',
    heading: deliver,
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'rollback',
    summary: 'put an earlier generation in force',
    heading: deliver,
    load: async () => (await import('./rollback.ts')).rollback,
  },
  {
    name: 'call',
    summary: 'calls that run now: see them, make them, act on them',
    heading: live,
    load: async () => (await import('./call.ts')).callCommand,
  },
  {
    name: 'cdr',
    summary: 'calls that ended: list, export, report, import',
    heading: live,
    load: async () => (await import('./cdr.ts')).cdrCommand,
  },
  {
    name: 'status',
    summary: 'database against delivered against running',
    heading: look,
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'monitor',
    summary: 'watch calls, trunks and users as they change',
    heading: live,
    load: async () => (await import('./monitor.ts')).monitor,
  },
  {
    name: 'metrics',
    summary: 'calls, registrations and nodes, as Prometheus reads them',
    heading: live,
    load: async () => (await import('./metrics.ts')).metrics,
  },
  {
    name: 'drift',
    summary: 'where database, files and running systems are apart; adopt it, or revert it',
    heading: look,
    load: async () => (await import('./drift.ts')).driftCommand,
  },
  {
    name: 'doctor',
    summary: 'check nodes, rights, include lines, Twilio; say the remedy',
    heading: look,
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'recording',
    summary: 'recordings of calls: list, fetch, keep, remove',
    heading: live,
    load: async () => (await import('./recording.ts')).recordingCommand,
  },
  {
    name: 'history',
    summary: 'what was applied where, and how it ended',
    heading: look,
    load: async () => (await import('./history.ts')).history,
  },
  {
    name: 'audit',
    summary: 'who changed what',
    heading: look,
    load: async () => (await import('./audit.ts')).audit,
  },
  {
    name: 'db',
    summary: 'the database: status, migrate, backup, restore, copy',
    heading: keep,
    load: async () => (await import('./db.ts')).db,
  },
  {
    name: 'access',
    summary: 'who may look, write and grant, in a PostgreSQL database',
    heading: keep,
    load: async () => (await import('./access.ts')).access,
  },
  {
    name: 'key',
    summary: 'the key that seals secrets',
    heading: keep,
    load: async () => (await import('./key.ts')).key,
  },
  {
    name: 'schema',
    summary: 'the JSON Schema of site files, for editors',
    heading: keep,
    load: async () => (await import('./schema.ts')).schema,
  },
  {
    name: 'completion',
    summary: 'completion for bash, zsh and fish',
    heading: keep,
    load: async () => (await import('./completion.ts')).completion(commands, globalOptions),
  },
];

export const globalOptions: readonly (readonly [flags: string, help: string])[] = [
  ['--db <file>', 'the database (SIPCTL_DB)'],
  ['--config <file>', 'the configuration file (SIPCTL_CONFIG)'],
  ['--tenant <name>', 'the tenant that is meant (SIPCTL_TENANT, then "default")'],
  ['--json', 'print one JSON document'],
  ['-y, --yes', 'go on without asking'],
  ['-q, --quiet', 'no talk on standard error'],
  ['--debug', 'show where an error came from, and each request to Twilio and LiveKit (SIPCTL_DEBUG)'],
];

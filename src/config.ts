import { existsSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { Complaints } from './errors.ts';
import { isPostgresUrl, withoutPassword } from './model/database-url.ts';
import { defaultTenant } from './model/identity.ts';
import { boolean, slug } from './model/rules.ts';
import { Secret } from './model/secret.ts';
import { originationUrl } from './model/twilio/rules.ts';

/** Where everything is, and how to speak: the flags, over the environment, over the file, over the defaults. */
export interface Config {
  /** The path of an SQLite file, or the address of a PostgreSQL database, without its password. */
  db: string;
  /** Of a PostgreSQL database; null where its clients' own places are to be looked at. */
  dbPassword: Secret | null;
  keyFile: string;
  /** The tenant that is meant where a command names none. */
  tenant: string;
  /** True where a tenant was named, by flag, environment or file. */
  tenantNamed: boolean;
  /** The folder whose `providers/` and `users/` overlay the shipped templates. */
  templates: string;
  /** Milliseconds until a PBX that does not answer is given up. */
  connectTimeout: number;
  /** Milliseconds until one request to a hosted service, such as Twilio, is given up. */
  serviceTimeout: number;
  json: boolean;
  quiet: boolean;
  debug: boolean;
  /** Whether a destructive command may go on without asking. */
  yes: boolean;
  /** Whether every write plans and applies at once, as `--apply` does for one. */
  applyWrites: boolean;
  /** SIP address of the LiveKit project, where an object names none of its own. */
  livekitSipUri: string | null;
  /** Where the API of Twilio is asked in the place of Twilio's own hosts; null: there. */
  twilioApi: string | null;
}

/** Flags that every command takes, as the command line gave them. */
export interface GlobalFlags {
  db?: string;
  config?: string;
  tenant?: string;
  json?: boolean;
  quiet?: boolean;
  debug?: boolean;
  yes?: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the configuration file may hold; each key may come from the environment instead. */
const settings = {
  db: 'SIPCTL_DB',
  key_file: 'SIPCTL_KEY_FILE',
  tenant: 'SIPCTL_TENANT',
  templates: 'SIPCTL_TEMPLATES',
  connect_timeout: 'SIPCTL_CONNECT_TIMEOUT',
  service_timeout: 'SIPCTL_SERVICE_TIMEOUT',
  apply_writes: 'SIPCTL_APPLY',
  'livekit.sip_uri': 'LIVEKIT_SIP_URI',
} as const;
type Setting = keyof typeof settings;

/** @throws SipctlError `invalid` with every complaint about file, environment and flags */
export function readConfig(flags: GlobalFlags, env: Environment, home: string): Config {
  const complaints = new Complaints();
  const folder = join(baseFolder(env.XDG_CONFIG_HOME) ?? join(home, '.config'), 'sipctl');
  const file = readFile(flags.config ?? (env.SIPCTL_CONFIG || null), join(folder, 'config.json'), complaints);
  const value = (name: Setting): string | undefined => env[settings[name]] || file[name];
  const config: Config = {
    ...databasePlace(
      flags.db,
      value('db') ??
        join(baseFolder(env.XDG_DATA_HOME) ?? join(home, '.local', 'share'), 'sipctl', 'sipctl.db'),
      env.PGPASSWORD || null,
      complaints,
    ),
    keyFile: resolve(value('key_file') ?? join(folder, 'key')),
    tenant: flags.tenant ?? value('tenant') ?? defaultTenant,
    tenantNamed: (flags.tenant ?? value('tenant')) !== undefined,
    templates: resolve(value('templates') ?? join(folder, 'templates')),
    connectTimeout: timeout('connect_timeout', value('connect_timeout'), complaints) ?? 10_000,
    serviceTimeout: timeout('service_timeout', value('service_timeout'), complaints) ?? 15_000,
    json: flags.json === true,
    quiet: flags.quiet === true,
    debug: flags.debug === true || (env.SIPCTL_DEBUG ?? '') !== '',
    yes: flags.yes === true,
    applyWrites: yesOrNo(value('apply_writes'), complaints),
    livekitSipUri: sipUri(value('livekit.sip_uri'), complaints),
    twilioApi: apiAddress(env.SIPCTL_TWILIO_API || undefined, complaints),
  };
  const tenant = slug(config.tenant);
  if (!tenant.ok)
    complaints.add({
      code: 'invalid_tenant',
      message: `tenant: ${tenant.message}`,
      field: 'tenant',
      hint: 'check --tenant and SIPCTL_TENANT',
    });
  complaints.throwIfAny();
  return config;
}

function databasePlace(
  flag: string | undefined,
  otherwise: string,
  usualPassword: string | null,
  complaints: Complaints,
): Pick<Config, 'db' | 'dbPassword'> {
  const place = flag ?? otherwise;
  if (!isPostgresUrl(place)) return { db: resolve(place), dbPassword: null };
  const { url, password } = withoutPassword(place);
  if (flag !== undefined && password !== null) {
    complaints.add({
      code: 'password_in_argv',
      message: 'db: everyone on this machine can read the password of a command line',
      field: 'db',
      hint: 'leave it out of --db, and put it into PGPASSWORD, ~/.pgpass (PGPASSFILE), or the address in SIPCTL_DB',
    });
  }
  const usual = usualPassword === null ? null : new Secret(usualPassword);
  return { db: url, dbPassword: password ?? usual };
}

// XDG Base Directory Specification: a relative path counts as not set.
const baseFolder = (path: string | undefined): string | null =>
  path !== undefined && isAbsolute(path) ? path : null;

function readFile(
  named: string | null,
  usual: string,
  complaints: Complaints,
): Partial<Record<Setting, string>> {
  const file = named ?? usual;
  const complain = (message: string, hint: string): Record<string, never> => {
    complaints.add({ code: 'invalid_config', message: `${file}: ${message}`, field: 'config', hint });
    return {};
  };
  if (!existsSync(file))
    return named === null ? {} : complain('there is no such file', 'check --config and SIPCTL_CONFIG');
  if (!statSync(file).isFile()) return complain('is not a file', 'check --config and SIPCTL_CONFIG');
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return complain((error as Error).message, 'write one JSON object');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return complain('is not one JSON object', 'write one JSON object');
  }
  const found: Partial<Record<Setting, string>> = {};
  for (const [key, value] of Object.entries(content)) {
    if (!Object.hasOwn(settings, key))
      complain(`unknown key '${key}'`, `known: ${Object.keys(settings).join(', ')}`);
    else if (typeof value !== 'string') complain(`'${key}' is not a text`, `write "${key}": "…"`);
    else found[key as Setting] = value;
  }
  return found;
}

function yesOrNo(text: string | undefined, complaints: Complaints): boolean {
  const parsed = boolean(text ?? 'no');
  if (parsed.ok) return parsed.value;
  complaints.add({
    code: 'invalid_apply_writes',
    message: `apply_writes: ${parsed.message}`,
    field: 'apply_writes',
    hint: 'check SIPCTL_APPLY',
  });
  return false;
}

function sipUri(text: string | undefined, complaints: Complaints): string | null {
  if (text === undefined) return null;
  const parsed = originationUrl(text);
  if (parsed.ok) return parsed.value;
  complaints.add({
    code: 'invalid_livekit_sip_uri',
    message: `livekit.sip_uri: ${parsed.message}`,
    field: 'livekit.sip_uri',
    hint: `${parsed.hint}; check LIVEKIT_SIP_URI`,
  });
  return null;
}

// Whoever is asked in Twilio's place is given the credentials: in the clear on this machine only.
function apiAddress(text: string | undefined, complaints: Complaints): string | null {
  if (text === undefined) return null;
  if (/^(?:https:\/\/[^/@]+|http:\/\/127\.[0-9.]+(?::[0-9]+)?)\/?$/.test(text) && URL.canParse(text))
    return text.replace(/\/$/, '');
  complaints.add({
    code: 'invalid_twilio_api',
    message: 'SIPCTL_TWILIO_API: not an address of https, nor of http on this machine',
    field: 'SIPCTL_TWILIO_API',
    hint: 'write it as https://host or http://127.0.0.1:port',
  });
  return null;
}

/** In milliseconds; null where none is set. */
function timeout(
  name: 'connect_timeout' | 'service_timeout',
  text: string | undefined,
  complaints: Complaints,
): number | null {
  if (text === undefined) return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 600) return seconds * 1000;
  complaints.add({
    code: `invalid_${name}`,
    message: `${name}: '${text}' is not a number of seconds above 0, and 600 at most`,
    field: name,
    hint: `check ${settings[name]}`,
  });
  return null;
}

import { optionOf } from './options.ts';
import defaults from './pjsip-defaults.json' with { type: 'json' };
import type { PjsipObject } from './pjsip-object.ts';
import * as form from './shown-forms.ts';

/** What one option of a delivered object has to look like when the running Asterisk shows it. */
export interface Expectation {
  option: string;
  /** The header that shows it in PJSIPShowEndpoint, PJSIPShowAuths, PJSIPShowAors or PJSIPShowRegistrationsOutbound. */
  field: string;
  /** As it was delivered. */
  value: string;
  agrees(found: string): boolean;
}

/** The object types that AMI shows; of all others only their presence in the files can be proved. */
export const shownTypes = ['endpoint', 'auth', 'aor', 'registration', 'identify'] as const;
export type ShownType = (typeof shownTypes)[number];

export const isShown = (type: string): type is ShownType => (shownTypes as readonly string[]).includes(type);

/** Options whose values are never put into words. */
const secret = new Set(['password', 'md5_cred', 'password_digest', 'oauth_secret', 'refresh_token']);

export const isSecret = (option: string): boolean => secret.has(option);

interface Incomparable {
  option: string;
  reason: string;
  /** Only releases before this major one. */
  before?: number;
}

/** What cannot be read back: everything that `verify` leaves uncompared stands here, and only here. */
export const incomparable: Readonly<Record<ShownType, readonly Incomparable[]>> = {
  endpoint: [
    { option: 'disallow', reason: 'no field of its own; it is part of what allow shows' },
    { option: 'deny', reason: 'not shown' },
    { option: 'permit', reason: 'not shown' },
    { option: 'contact_deny', reason: 'not shown' },
    { option: 'contact_permit', reason: 'not shown' },
    { option: 'security_mechanisms', reason: 'not shown' },
    { option: 'direct_media_method', reason: 'DirectMediaMethod shows the value of connected_line_method' },
    { option: 'stir_shaken', reason: 'always shown as no' },
    { option: 'redirect_method', reason: 'not shown', before: 22 },
  ],
  auth: [],
  aor: [],
  registration: [{ option: 'security_mechanisms', reason: 'not shown' }],
  identify: [],
};

/** `from_user` → `FromUser`: AMI names its fields after the options. */
export const fieldOf = (type: ShownType, option: string): string =>
  type === 'aor' && option === 'contact'
    ? 'Contacts'
    : option.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Everything that the running system must show of a delivered object, options that `webrtc` sets included. */
export function expectations(object: PjsipObject, version: string): Expectation[] {
  const { type } = object;
  if (!isShown(type)) return [];
  const values = new Map<string, string[]>();
  for (const [option, value] of object.options) {
    const known = values.get(option);
    if (known === undefined) values.set(option, [value]);
    else known.push(value);
  }
  const implied = type === 'endpoint' ? impliedByWebrtc(values) : new Map<string, string>();
  const found: Expectation[] = [];
  for (const option of new Set([...values.keys(), ...implied.keys()])) {
    if (!isComparable(type, option, version)) continue;
    const one = implied.has(option)
      ? plain(type, option, implied.get(option) as string, version)
      : expectation(object, type, option, values, version);
    if (one !== null) found.push(one);
  }
  return found;
}

/** An option that is no longer delivered must be back at its default; null where that cannot be told. */
export function expectedDefault(type: string, option: string, version: string): Expectation | null {
  if (!isShown(type) || !isComparable(type, option, version)) return null;
  const shown = (defaults as Record<string, Record<string, string>>)[type]?.[option];
  return shown === undefined ? null : plain(type, option, shown, version);
}

/** The one spelling of a value in which equal values are equal texts. */
export const spelled = (type: string, option: string, value: string, version: string): string =>
  isShown(type) ? formOf(type, option, version)(value) : value;

function isComparable(type: ShownType, option: string, version: string): boolean {
  const major = Number.parseInt(version, 10);
  return !incomparable[type].some((one) => one.option === option && major < (one.before ?? Infinity));
}

function expectation(
  object: PjsipObject,
  type: ShownType,
  option: string,
  values: ReadonlyMap<string, string[]>,
  version: string,
): Expectation | null {
  const given = values.get(option) as string[];
  const field = fieldOf(type, option);
  const key = `${type}.${option}`;
  if (key === 'endpoint.allow') return allow(object, field, given);
  if (key === 'endpoint.set_var') return plain(type, option, variables(given), version);
  if (key === 'aor.contact') return contacts(object, field, given, values.get('max_contacts')?.at(-1));
  if (key === 'identify.match') {
    return form.areAddresses(given.join(',')) ? plain(type, option, given.join(','), version) : null;
  }
  // Of a repeated option that is no list the last one counts.
  return plain(type, option, given.at(-1) as string, version);
}

function plain(type: ShownType, option: string, value: string, version: string): Expectation {
  const spell = formOf(type, option, version);
  return {
    option,
    field: fieldOf(type, option),
    value,
    agrees: (found) => spell(found) === spell(value),
  };
}

const forms: Readonly<Record<string, form.Form>> = {
  'endpoint.allow': (value) => (value === '(nothing)' ? '' : value),
  'endpoint.callerid': form.callerId,
  'endpoint.call_group': form.groups,
  'endpoint.pickup_group': form.groups,
  'endpoint.named_call_group': form.set,
  'endpoint.named_pickup_group': form.set,
  'endpoint.follow_redirect_methods': form.set,
  'endpoint.connected_line_method': form.refreshMethod,
  'endpoint.timers': form.timers,
  'endpoint.tos_audio': form.tos,
  'endpoint.tos_video': form.tos,
  'endpoint.media_address': form.address,
  'endpoint.codec_prefs_incoming_offer': form.preferences,
  'endpoint.codec_prefs_outgoing_offer': form.preferences,
  'endpoint.codec_prefs_incoming_answer': form.preferences,
  'endpoint.codec_prefs_outgoing_answer': form.preferences,
  'auth.supported_algorithms_uac': form.upperSet,
  'auth.supported_algorithms_uas': form.upperSet,
  'aor.qualify_timeout': form.number,
  'identify.match': form.networks,
};

function formOf(type: ShownType, option: string, version: string): form.Form {
  if (type === 'endpoint' && option === 'dtls_verify') {
    return Number.parseInt(version, 10) < 22 ? form.verifyFlag : form.word;
  }
  const own = forms[`${type}.${option}`];
  if (own !== undefined) return own;
  const known = optionOf(type, option);
  if (known?.kind === 'boolean') return form.flag;
  return known?.values === undefined ? form.text : form.word;
}

// `allow` and `disallow` are one list, worked through in the order of the file.
function allow(object: PjsipObject, field: string, given: readonly string[]): Expectation | null {
  let codecs: string[] = [];
  for (const [option, value] of object.options) {
    if (option !== 'allow' && option !== 'disallow') continue;
    for (const part of form.parts(value)) {
      const denied = part.startsWith('!') !== (option === 'disallow');
      const codec = part.replace(/^!/, '').replace(/:.*$/, '').toLowerCase();
      // What `all` allows is decided by the codec modules that are loaded.
      if (codec === 'all' && !denied) return null;
      if (codec === 'all') codecs = [];
      else if (denied) codecs = codecs.filter((one) => one !== codec);
      else if (!codecs.includes(codec)) codecs.push(codec);
    }
  }
  const shown = codecs.length === 0 ? '(nothing)' : `(${codecs.join('|')})`;
  return { option: 'allow', field, value: given.join(','), agrees: (found) => found === shown };
}

// A variable that is set twice keeps its place and takes the later value.
function variables(lines: readonly string[]): string {
  const byName = new Map<string, string>();
  for (const line of lines) {
    const equals = line.indexOf('=');
    byName.set(line.slice(0, equals < 0 ? line.length : equals), equals < 0 ? '' : line.slice(equals + 1));
  }
  return [...byName].map(([name, value]) => `${name}=${value}`).join(',');
}

// Contacts shows phones that have registered too, but only where the AOR lets phones register.
function contacts(
  object: PjsipObject,
  field: string,
  given: readonly string[],
  maxContacts: string | undefined,
): Expectation {
  const wanted = given.flatMap(form.parts).map((uri) => `${object.id}/${uri}`);
  const onlyOurs = (maxContacts ?? '0') === '0';
  return {
    option: 'contact',
    field,
    value: given.join(','),
    agrees: (found) => {
      const shown = form.parts(found);
      return (
        wanted.every((one) => shown.includes(one)) && (!onlyOurs || shown.length === new Set(wanted).size)
      );
    },
  };
}

// webrtc=yes sets these whatever the section says (tried; documented in "Configuring Asterisk for WebRTC Clients").
function impliedByWebrtc(values: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  if (form.flag(values.get('webrtc')?.at(-1) ?? 'no') === 'no') return new Map();
  const implied = new Map([
    ['use_avpf', 'yes'],
    ['ice_support', 'yes'],
    ['rtcp_mux', 'yes'],
    ['bundle', 'yes'],
    ['media_use_received_transport', 'yes'],
    ['media_encryption', 'dtls'],
    ['dtls_verify', 'fingerprint'],
    ['dtls_setup', 'actpass'],
  ]);
  if (!values.has('dtls_cert_file')) implied.set('dtls_auto_generate_cert', 'yes');
  return implied;
}

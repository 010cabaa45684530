import type { Problem } from '../errors.ts';
import pjsip from '../platforms/asterisk/pjsip-options.json' with { type: 'json' };
import freeswitch from '../platforms/freeswitch/object-options.json' with { type: 'json' };
import type { Fields } from './field.ts';
import { nearest } from './nearest.ts';
import { trunk, user } from './nouns.ts';
import { holdsSecret, partsOfOption, type RawOption } from './raw-option.ts';

interface OptionFacts {
  kind?: string;
  values?: readonly string[];
}

const tables = pjsip as Record<string, Record<string, OptionFacts>>;

/** The sections that an object has on each engine. */
const sections = {
  trunk: {
    asterisk: ['registration', 'auth', 'aor', 'endpoint', 'identify'],
    freeswitch: ['gateway', 'inbound', 'outbound'],
  },
  user: { asterisk: ['auth', 'aor', 'endpoint'], freeswitch: ['param', 'variable'] },
} as const;

type Kind = keyof typeof sections;

const fieldsOf: Readonly<Record<Kind, Fields>> = { trunk: trunk.fields, user: user.fields };

/** What is said by a field, wherever the field can hold the value. That there is to be none at all, no field can say. */
const said: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  trunk: {
    'endpoint.context': 'context',
    'endpoint.allow': 'codecs',
    'endpoint.dtmf_mode': 'dtmf',
    'endpoint.from_domain': 'fromDomain',
    'endpoint.outbound_proxy': 'outboundProxy',
    'registration.outbound_proxy': 'outboundProxy',
    'aor.outbound_proxy': 'outboundProxy',
    'auth.username': 'authUsername',
    'auth.realm': 'realm',
    'identify.match': 'networks',
    'gateway.username': 'username',
    'gateway.auth-username': 'authUsername',
    'gateway.realm': 'realm',
    'gateway.from-domain': 'fromDomain',
    'gateway.register': 'registration',
    'gateway.register-transport': 'transport',
    'gateway.outbound-proxy': 'outboundProxy',
    'gateway.register-proxy': 'outboundProxy',
  },
  user: {
    'endpoint.context': 'context',
    'endpoint.allow': 'codecs',
    'endpoint.dtmf_mode': 'dtmf',
    'endpoint.transport': 'transport',
    'endpoint.mailboxes': 'mailbox',
    'aor.mailboxes': 'mailbox',
    'aor.max_contacts': 'maxContacts',
    'aor.qualify_frequency': 'qualifyFrequency',
    'variable.outbound_caller_id_number': 'callerId',
  },
};

/** What ties the objects of one trunk or user together, and what sipctl's own dialplan lives on. */
const structure = new Set([
  ...['endpoint.auth', 'endpoint.aors', 'endpoint.outbound_auth', 'endpoint.disallow', 'registration.outbound_auth'],
  ...['registration.endpoint', 'identify.endpoint', 'variable.accountcode', 'variable.toll_allow'],
]); // biome-ignore format: a list

/** Of these, an empty value says something: the line is left out. */
const canBeLeftOut = new Set(['registration.endpoint', 'endpoint.outbound_auth', 'endpoint.disallow']);

const secret = /^(password|md5_cred|password_digest|oauth_secret|refresh_token|a1-hash|vm-password)$/;
const ownVariable = /^_{0,2}(SIPCTL_|CALL_LIMIT(=|$))|^sipctl_/i;

/** What is wrong with the options of an object, by the tables of the engines. All complaints at once. */
export function optionProblems(kind: Kind, options: readonly string[] | null | undefined): Problem[] {
  return (options ?? []).flatMap((text) => {
    const parts = partsOfOption(text);
    const found = complaint(kind, parts);
    if (found === null) return [];
    const [message, hint] = found;
    return [
      {
        code: 'invalid_options',
        message: `options: ${parts.section}.${parts.option} ${message}`,
        field: 'options',
        hint,
      },
    ];
  });
}

type Complaint = readonly [message: string, hint: string];

function complaint(kind: Kind, parts: RawOption): Complaint | null {
  const { section, option, value } = parts;
  const key = `${section}.${option}`;
  const { asterisk, freeswitch: ofFreeSwitch } = sections[kind];
  const known: readonly string[] = [...asterisk, ...ofFreeSwitch];
  if (!known.includes(section)) {
    const near = nearest(section, known);
    return [
      `is of no section that a ${kind} has`,
      near === null ? `sections: ${known.join(', ')}` : `did you mean '${near}'?`,
    ];
  }
  if (secret.test(option))
    return [
      'is a secret, and options are shown',
      'give --password-stdin, --password-file or --password env:NAME',
    ];
  if (holdsSecret(parts))
    return ['holds a secret, and options are shown', 'keep it in a file of your own on the PBX'];
  if (option === 'type' || (structure.has(key) && !(value === '' && canBeLeftOut.has(key))))
    return ['is written by sipctl itself', 'leave it out'];
  const isVariable = option === 'set_var' || ['inbound', 'outbound', 'variable'].includes(section);
  if (isVariable && ownVariable.test(option === 'set_var' ? value : option))
    return ['sets a variable that sipctl sets itself', 'leave it out'];
  return fieldComplaint(kind, key, value) ?? tableComplaint(parts);
}

function fieldComplaint(kind: Kind, key: string, value: string): Complaint | null {
  const name = said[kind][key];
  const field = name === undefined ? undefined : fieldsOf[kind][name];
  if (field === undefined || value === '') return null;
  // A name is resolved once, when Asterisk loads, and one that does not resolve drops the whole section.
  if (key !== 'identify.match' && !field.rule(value).ok) return null;
  return [`is what the field ${name} says`, `give --${field.flag}`];
}

function tableComplaint({ section, option, value }: RawOption): Complaint | null {
  if (['inbound', 'outbound', 'variable'].includes(section)) return null;
  const table = tables[section];
  if (table === undefined) return engineComplaint(section as keyof typeof freeswitch, option);
  const facts = Object.hasOwn(table, option) ? table[option] : undefined;
  if (facts === undefined) {
    const near = nearest(option, Object.keys(table));
    return ['is no option of Asterisk', near === null ? 'see pjsip.conf.sample' : `did you mean '${near}'?`];
  }
  if (value === '') return null;
  if (facts.kind === 'boolean' && !/^(yes|no|true|false|on|off|y|n|t|f|1|0)$/i.test(value))
    return [`is neither yes nor no, and Asterisk would take it for no`, 'write yes or no'];
  const words = facts.values;
  if (words === undefined || value.split(',').every((word) => words.includes(word.trim()))) return null;
  return ['has a value that Asterisk refuses', `known are ${words.join(', ')}`];
}

function engineComplaint(section: keyof typeof freeswitch, option: string): Complaint | null {
  const names: readonly string[] = freeswitch[section] ?? [];
  if (names.includes(option) || (section === 'param' && /^(dial-var-|vm-|jsonrpc-)/.test(option)))
    return null;
  const near = nearest(option, names);
  return [
    'is no option of FreeSWITCH',
    near === null ? `known are ${names.join(', ')}` : `did you mean '${near}'?`,
  ];
}

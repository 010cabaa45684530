import { z } from 'zod';
import { nearest } from '../model/check.ts';
import type { Rule } from '../model/field.ts';
import { trunk } from '../model/nouns.ts';
import * as rule from '../model/rules.ts';
import type { ProviderTemplate, Sections, UserTemplate } from '../model/template.ts';
import { expressionFault, trunkVariables, userVariables } from './expressions.ts';
import { inherit, type SectionChanges } from './sections.ts';

/**
 * The template files as zod schemas: strict, in the snake_case of the files. This module loads zod, so only
 * what reads template files imports it, and that only when there is a file to read.
 */

type Refinement = z.core.$RefinementCtx;

/** A string as one of the model's rules reads it; the rule's message and hint become the complaint. */
const ruled = <T>(of: Rule<T>) =>
  z.string().transform((value, context) => {
    const parsed = of(value);
    if (parsed.ok) return parsed.value;
    complain(context, [], parsed.message, parsed.hint);
    return z.NEVER;
  });

function complain(context: Refinement, path: (string | number)[], message: string, hint?: string): void {
  context.addIssue({ code: 'custom', path, message, params: { hint } });
}

const line = ruled(rule.text(500));
const codec: Rule<string> = (value) => {
  const parsed = rule.codecs(value);
  if (!parsed.ok) return parsed;
  const [only, second] = parsed.value;
  return only !== undefined && second === undefined
    ? { ok: true, value: only }
    : { ok: false, message: `'${value}' is more than one codec`, hint: 'write a YAML list' };
};
const codecs = z.array(ruled(codec)).min(1).superRefine(noDoubles);

function noDoubles(values: readonly string[], context: Refinement): void {
  values.forEach((value, at) => {
    if (values.indexOf(value) !== at) complain(context, [at], `'${value}' stands twice`);
  });
}

/** A calendar day as ISO 8601 writes it. */
const day = z.string().superRefine((value, context) => {
  const good = /^\d{4}-\d{2}-\d{2}$/.test(value) && isDay(value);
  if (!good) complain(context, [], `'${value}' is not a date`, 'write it as 2026-01-31');
});

function isDay(value: string): boolean {
  const time = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
}

const regularExpression = z.string().superRefine((value, context) => {
  try {
    new RegExp(`^(?:${value})$`);
  } catch (error) {
    complain(context, [], `is not a regular expression: ${(error as Error).message}`);
  }
});

const trunkField = z.enum(Object.keys(trunk.fields) as [string, ...string[]]);

// Options may be written as YAML likes them: a number, or true and false for Asterisk's yes and no.
const optionValue = z
  .union([z.string().min(1), z.number(), z.boolean()])
  .transform((value) => (typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)));

const optionKey = /^[a-z0-9][a-z0-9_]*(?:\.[a-z0-9_]+)?$/;

const section = (variables: readonly string[]) =>
  z.record(z.string(), optionValue.nullable()).superRefine((options, context) => {
    for (const [key, expression] of Object.entries(options)) {
      if (key === '$when') checkCondition(expression, variables, context);
      else if (!optionKey.test(key)) complain(context, [key], `'${key}' is not an option of pjsip.conf`);
      else if (expression !== null) checkExpression(key, expression, variables, context);
    }
  });

// Asking whether there is a password is fine; {{#if password}} prints none.
const printsPassword = /\{\{\s*password\s*\}\}/;

function checkExpression(
  key: string,
  expression: string,
  variables: readonly string[],
  context: Refinement,
): void {
  const text = rule.text(1000)(expression);
  if (!text.ok) complain(context, [key], text.message, text.hint);
  if (printsPassword.test(expression) && key !== 'password') {
    complain(
      context,
      [key],
      'shows the password outside of the option password, where outputs do not hide it',
    );
  }
  const fault = text.ok ? expressionFault(expression, variables) : null;
  if (fault === null) return;
  const hint =
    fault.variable === undefined
      ? 'allowed are {{name}}, {{#if name}}…{{else}}…{{/if}} and {{#unless name}}…{{/unless}}'
      : nearestOf(fault.variable, variables);
  complain(context, [key], fault.message, hint);
}

function checkCondition(name: string | null, variables: readonly string[], context: Refinement): void {
  if (name === null || variables.includes(name)) return;
  complain(context, ['$when'], `there is no variable '${name}'`, nearestOf(name, variables));
}

const nearestOf = (word: string, known: readonly string[]): string => {
  const near = nearest(word, known);
  return near === null ? `known are ${known.join(', ')}` : `did you mean '${near}'?`;
};

const sections = (variables: readonly string[]) =>
  z
    .strictObject({
      registration: section(variables).nullable(),
      auth: section(variables).nullable(),
      aor: section(variables).nullable(),
      endpoint: section(variables).nullable(),
      identify: section(variables).nullable(),
    })
    .partial();

const hosts = z
  .array(z.strictObject({ host: ruled(rule.host), region: ruled(rule.label) }))
  .superRefine((all, context) =>
    noDoubles(
      all.map((one) => one.region.toLowerCase()),
      context,
    ),
  );
const port = z.int().min(1).max(65535);
const requiredFields = z.array(trunkField);

const providerShape = z.strictObject({
  id: ruled(rule.templateId),
  display_name: line,
  docs: line,
  verified: day,
  auth_types: z
    .array(z.enum(['credential', 'ip']))
    .min(1)
    .superRefine(noDoubles),
  hosts,
  host_pattern: line.nullable(),
  ports: z.strictObject({ udp: port, tcp: port, tls: port }).partial(),
  transports: z
    .array(z.enum(['udp', 'tcp', 'tls']))
    .min(1)
    .superRefine(noDoubles),
  required_fields: z.strictObject({ credential: requiredFields, ip: requiredFields }).partial(),
  optional_fields: z.array(trunkField),
  username_rule: z
    .strictObject({ pattern: regularExpression.nullable().default(null), help: line })
    .nullable(),
  realm: line.nullable(),
  networks: z
    .strictObject({
      source: line,
      read: day,
      cidrs: z.array(ruled(rule.network)).min(1).superRefine(noDoubles),
    })
    .nullable(),
  registration: z.strictObject({
    mode: z.enum(['required', 'optional', 'none']),
    expiry: z.int().min(10).max(86_400).nullable().default(null),
  }),
  from_user: z.enum(['account', 'did', 'did-plus', 'caller']),
  caller_id: z.strictObject({ pai: z.boolean().default(false), rpid: z.boolean().default(false) }),
  did_source: z.enum(['ruri', 'to']).nullable(),
  did_format: line.nullable(),
  dialed_format: line.nullable(),
  number_format: z.enum(['plus', 'digits', 'national']).nullable(),
  codecs,
  dtmf: z.enum(['rfc4733', 'inband', 'info', 'auto', 'auto_info']),
  srtp: z.enum(['required', 'optional', 'unsupported']).nullable(),
  qualify_frequency: z.int().min(0).max(86_400),
  t38: z.boolean().nullable(),
  failures: z.array(
    z.strictObject({
      cause: z.string().regex(/^[a-z0-9_]+$/),
      stage: z.enum(['options', 'register', 'call']).nullable().default(null),
      field: trunkField.nullable().default(null),
      means: line,
    }),
  ),
  notes: z.array(line),
  asterisk: sections(trunkVariables),
});

const userShape = z.strictObject({
  id: ruled(rule.templateId),
  display_name: line,
  title: line,
  description: line,
  codecs,
  max_contacts: z.int().min(1).max(100),
  qualify_frequency: z.int().min(0).max(86_400),
  context: ruled(rule.context).nullable(),
  voicemail: z.boolean(),
  corrections: z.array(line),
  asterisk: sections(userVariables),
});

export type ProviderFile = z.infer<typeof providerShape>;
export type UserFile = z.infer<typeof userShape>;

/** A whole provider file, with what the base gave it; what its keys mean together is in relations.ts. */
export const providerSchema = providerShape;

/** The keys whose meaning depends on each other. */
export const relatedSchema = providerShape
  .pick({
    auth_types: true,
    hosts: true,
    ports: true,
    transports: true,
    required_fields: true,
    registration: true,
  })
  .strip();

/** A whole user template file. */
export const userSchema = userShape;

/** What a base may hold: defaults for any key but the ones that make a template itself. */
export const providerBaseSchema = providerShape
  .omit({ id: true, display_name: true, docs: true, verified: true })
  .partial()
  .required({ asterisk: true });
export const userBaseSchema = userShape
  .omit({ id: true, display_name: true, title: true, description: true })
  .partial()
  .required({ asterisk: true });

/** A checked provider file over its base's sections. A carrier that takes no REGISTER has no such section. */
export function toProviderTemplate(
  file: ProviderFile,
  base: Sections,
  origin: ProviderTemplate['origin'],
): ProviderTemplate {
  const asterisk = inherit(inherit(base, statedOptions(file)), file.asterisk as SectionChanges);
  return {
    id: file.id,
    displayName: file.display_name,
    origin,
    docs: file.docs,
    verified: file.verified,
    authTypes: file.auth_types,
    hosts: file.hosts,
    hostPattern: file.host_pattern,
    ports: file.ports as ProviderTemplate['ports'],
    transports: file.transports,
    requiredFields: file.required_fields as ProviderTemplate['requiredFields'],
    optionalFields: file.optional_fields.filter((field) => !isAlwaysRequired(file, field)),
    usernameRule: file.username_rule,
    realm: file.realm,
    networks: file.networks,
    registration: file.registration,
    fromUser: file.from_user,
    callerIdHeaders: file.caller_id,
    didSource: file.did_source,
    didFormat: file.did_format,
    dialedFormat: file.dialed_format,
    numberFormat: file.number_format,
    codecs: file.codecs,
    dtmf: file.dtmf,
    srtp: file.srtp,
    qualifyFrequency: file.qualify_frequency,
    t38: file.t38,
    failures: file.failures,
    notes: file.notes,
    asterisk: file.registration.mode === 'none' ? inherit(asterisk, { registration: null }) : asterisk,
  };
}

const isAlwaysRequired = (file: ProviderFile, field: string): boolean =>
  file.auth_types.every((type) => file.required_fields[type]?.includes(field));

const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');

// What the file states as a fact decides these options, so that a carrier says it once and for every engine.
// A carrier that is told identities is in the trust domain of RFC 3325 §2.3: it also gets the withheld ones.
function statedOptions(file: ProviderFile): SectionChanges {
  const { pai, rpid } = file.caller_id;
  return {
    endpoint: {
      send_pai: yesOrNo(pai),
      send_rpid: yesOrNo(rpid),
      trust_id_outbound: yesOrNo(pai || rpid),
      t38_udptl: file.t38 === true ? 'yes' : null,
      t38_udptl_ec: file.t38 === true ? 'redundancy' : null,
    },
  };
}

/** A checked user template file over its base's sections. */
export function toUserTemplate(file: UserFile, base: Sections, origin: UserTemplate['origin']): UserTemplate {
  return {
    id: file.id,
    displayName: file.display_name,
    title: file.title,
    origin,
    description: file.description,
    codecs: file.codecs,
    maxContacts: file.max_contacts,
    qualifyFrequency: file.qualify_frequency,
    context: file.context,
    voicemail: file.voicemail,
    corrections: file.corrections,
    asterisk: inherit(base, file.asterisk as SectionChanges),
  };
}

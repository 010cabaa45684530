import { ok, type Parsed, wrong } from './field.ts';
import * as rule from './rules.ts';

/** Where a call is sent. Names are those of the same tenant: there is no way to write another tenant's. */
export type Destination =
  | { kind: NamedKind; name: string }
  /** A dialplan context of the operator's own, entered with the called number. */
  | { kind: 'app'; context: string }
  /** E.164 */
  | { kind: 'external'; number: string }
  | { kind: 'hangup'; cause: HangupCause };

type NamedKind = 'user' | 'group' | 'ivr' | 'conference' | 'voicemail';

/** What a caller is told when a call ends here: ITU-T Q.850 cause, and the SIP status both engines make of it. */
export const hangupCauses = {
  unallocated: { q850: 1, sip: 404 },
  busy: { q850: 17, sip: 486 },
  unavailable: { q850: 20, sip: 480 },
  rejected: { q850: 21, sip: 403 },
  congestion: { q850: 34, sip: 503 },
} as const;

export type HangupCause = keyof typeof hangupCauses;

const nameRules = {
  user: rule.sipUser,
  group: rule.slug,
  ivr: rule.slug,
  conference: rule.slug,
  voicemail: rule.sipUser,
} as const satisfies Record<NamedKind, unknown>;

/** Kinds of destinations that are objects of the tenant. */
export const destinationKinds = Object.keys(nameRules) as NamedKind[];

const shapes =
  'user:ann, group:sales, ivr:main, conference:board, voicemail:ann, app:<context>, external:+4930…';

/** Reads `kind:name`; `hangup` alone means `hangup:unallocated`. */
export function parseDestination(text: string): Parsed<Destination> {
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? '' : text.slice(colon + 1);
  if (Object.hasOwn(nameRules, kind)) {
    const name = nameRules[kind as NamedKind](rest);
    return name.ok ? ok({ kind: kind as NamedKind, name: name.value }) : name;
  }
  if (kind === 'app') {
    const context = rule.ownContext(rest);
    return context.ok ? ok({ kind, context: context.value }) : context;
  }
  if (kind === 'external') {
    const number = rule.e164(rest);
    return number.ok ? ok({ kind, number: number.value }) : number;
  }
  if (kind !== 'hangup') return wrong(`'${text}' is not a destination`, `write ${shapes} or hangup:busy`);
  const cause = rest === '' ? 'unallocated' : rest;
  return Object.hasOwn(hangupCauses, cause)
    ? ok({ kind, cause: cause as HangupCause })
    : wrong(`'${rest}' is not a cause`, `write one of ${Object.keys(hangupCauses).join(', ')}`);
}

export function formatDestination(destination: Destination): string {
  switch (destination.kind) {
    case 'app':
      return `app:${destination.context}`;
    case 'external':
      return `external:${destination.number}`;
    case 'hangup':
      return `hangup:${destination.cause}`;
    default:
      return `${destination.kind}:${destination.name}`;
  }
}

/** A destination that was parsed when it was stored. */
export function storedDestination(text: string): Destination {
  const parsed = parseDestination(text);
  if (!parsed.ok) throw new TypeError(`stored destination: ${parsed.message}`);
  return parsed.value;
}

import { hangupCauses } from '../../../model/destination.ts';
import { type Element, element } from '../xml/element.ts';

/**
 * The dialplan as mod_dialplan_xml reads it: a call that comes into a context is held against its extensions in turn. All
 * that the first one with true conditions says, and those before it that let the call go on, is then done in one go: what
 * depends on an outcome is in another context, which the call is transferred to.
 */

/** What an extension does where all conditions before it are true. */
export interface Action {
  application: string;
  data: string;
}

export interface Condition {
  /** A field of the caller's profile, or a variable: `destination_number`, `${toll_allow}`. */
  field: string;
  /** Of PCRE, in the part that JavaScript shares. */
  expression: string;
  actions: readonly Action[];
  /** Where it is false; the extension then goes on. */
  otherwise: readonly Action[] | null;
}

export interface Extension {
  /** As sipctl names whom it belongs to, or what it is for. */
  name: string;
  conditions: readonly (Condition | Element)[];
  /** The extensions after it are looked at, too. */
  goesOn: boolean;
}

export interface Context {
  name: string;
  extensions: readonly Extension[];
}

export const action = (application: string, data: string | number = ''): Action => ({
  application,
  data: String(data),
});

export const set = (name: string, value: string | number): Action => action('set', `${name}=${value}`);

/** Sets a variable on the channels, too, that this one brings forth. */
export const share = (name: string, value: string | number): Action => action('export', `${name}=${value}`);

export const transfer = (context: string, to = 's'): Action => action('transfer', `${to} XML ${context}`);

/** FreeSWITCH's names of the causes of ITU-T Q.850 with which a call is refused. */
const causes: Readonly<Record<number, string>> = {
  1: 'UNALLOCATED_NUMBER',
  3: 'NO_ROUTE_DESTINATION',
  16: 'NORMAL_CLEARING',
  17: 'USER_BUSY',
  19: 'NO_ANSWER',
  20: 'SUBSCRIBER_ABSENT',
  21: 'CALL_REJECTED',
  28: 'INVALID_NUMBER_FORMAT',
  34: 'NORMAL_CIRCUIT_CONGESTION',
};

/** Ends the call with a cause of ITU-T Q.850. */
export function hangup(q850: number): Action[] {
  const cause = causes[q850];
  if (cause === undefined) throw new TypeError(`cause ${q850} has no name here`);
  // By itself FreeSWITCH would repeat what a phone or carrier said that was tried before.
  const end = [set('sip_ignore_remote_cause', 'true'), action('hangup', cause)];
  // FreeSWITCH would make 603 of it, which says that nobody anywhere wants the call (RFC 3261 §21.6.2).
  return q850 === hangupCauses.rejected.q850 ? [action('respond', hangupCauses.rejected.sip), ...end] : end;
}

export const condition = (
  field: string,
  expression: string,
  actions: readonly Action[] = [],
  otherwise: readonly Action[] | null = null,
): Condition => ({ field, expression: compiled(expression), actions, otherwise });

/** A condition that is always true. */
export const always = (actions: readonly Action[]): Condition => ({
  field: '',
  expression: '',
  actions,
  otherwise: null,
});

/** One whose number is dialled, or was called, as the expression says. */
export const dialled = (expression: string, actions: readonly Action[] = []): Condition =>
  condition('destination_number', expression, actions);

export const extension = (
  name: string,
  conditions: readonly (Condition | Element)[],
  goesOn = false,
): Extension => ({ name, conditions, goesOn });

/** A bad expression is no error to FreeSWITCH before there is a call, and then it matches nothing. */
function compiled(expression: string): string {
  // Throws SyntaxError, as a bug: values of the model are quoted.
  new RegExp(expression);
  return expression;
}

/** A text of which an expression takes every character for itself. */
export const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** An expression for one of several texts, whole. */
export const oneOf = (texts: readonly string[]): string => `^(${texts.map(quoted).join('|')})$`;

export const contextElement = ({ name, extensions }: Context): Element =>
  element('context', { name }, extensions.map(extensionElement));

export function extensionElement({ name, conditions, goesOn }: Extension): Element {
  const attributes = { name, ...(goesOn ? { continue: 'true' } : {}) };
  return element(
    'extension',
    attributes,
    conditions.map((one) => ('children' in one ? one : conditionElement(one))),
  );
}

function conditionElement({ field, expression, actions, otherwise }: Condition): Element {
  const attributes: Record<string, string> = field === '' ? {} : { field, expression };
  if (otherwise !== null) attributes.break = 'never';
  return element('condition', attributes, [
    ...actions.map((one) => actionElement('action', one)),
    ...(otherwise ?? []).map((one) => actionElement('anti-action', one)),
  ]);
}

const actionElement = (name: string, { application, data }: Action): Element =>
  element(name, data === '' ? { application } : { application, data });

import { SipctlError } from '../../../errors.ts';

/** One priority of an extension: an application of Asterisk and what it is called with. */
export interface Step {
  label: string;
  application: string;
  /** As Asterisk takes it: arguments separated by commas, nothing escaped for the file. */
  data: string;
}

export interface Extension {
  /** `1001`, `s`, or a pattern with its underscore. */
  pattern: string;
  /** As sipctl names whom it belongs to: `user ann`; empty where the context says so already. */
  owner: string;
  steps: readonly Step[];
}

export interface Context {
  name: string;
  /** What it is for, in a few words for the person who reads the file. */
  about: string;
  owner: string;
  includes: readonly string[];
  extensions: readonly Extension[];
}

/** A context by the name that the documents of Asterisk use, which the operator may share: it only includes. */
export const isDocumented = ({ name, extensions }: Context): boolean =>
  extensions.length === 0 && !/\..|^(t|from-trunk)-/.test(name);

/** `step('Dial', '…')`, with a label where another step jumps to it. */
export const step = (application: string, data = '', label = ''): Step => ({ label, application, data });

export const goto = (context: string, extension = 's'): Step => step('Goto', `${context},${extension},1`);

export const gosub = (context: string, ...data: readonly (string | number)[]): Step =>
  step('Gosub', `${context},s,1${data.length === 0 ? '' : `(${data.join(',')})`}`);

/** Ends the call with a cause of ITU-T Q.850. */
export const hangup = (cause: number | string): Step => step('Hangup', String(cause));

export const set = (name: string, value: string | number, label = ''): Step =>
  step('Set', `${name}=${value}`, label);

/** Does one step where an expression holds. */
export const when = (expression: string, then: Step): Step =>
  step('ExecIf', `$[${expression}]?${then.application}(${then.data})`);

/** Jumps where an expression holds: to a label, or to `context,extension,priority`. */
export const gotoIf = (expression: string, target: string): Step =>
  step('GotoIf', `$[${expression}]?${target}`);

export const labelled = (label: string, one: Step): Step => ({ ...one, label });

export const extension = (pattern: string, steps: readonly Step[], owner = ''): Extension => ({
  pattern,
  owner,
  steps,
});

/** A context that is called with Gosub, or jumped to, at `s`. */
export const routine = (name: string, about: string, steps: readonly Step[], owner = ''): Context => ({
  name,
  about,
  owner,
  includes: [],
  extensions: [extension('s', steps)],
});

// Neither Asterisk's argument separators, quotes and brackets, nor what starts a variable, an expression or a comment.
const plain = /^[A-Za-z0-9 ._@:/+*#=~-]*$/;

/**
 * A value of the model as it stands in the data of a step. Nothing is escaped: Asterisk takes escapes away a
 * different number of times for each application, so what could need them is refused. The model's rules let nothing
 * of the kind through.
 * @throws SipctlError `invalid`
 */
export function word(value: string): string {
  if (plain.test(value)) return value;
  throw new SipctlError('invalid', {
    code: 'unwritable_value',
    message: `${JSON.stringify(value)} cannot stand in the dialplan of Asterisk`,
    hint: 'use letters, digits and . _ - + @ / : = only',
  });
}

import { SipctlError } from '../../errors.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';

/** One thing that sipctl does over AMI, and the classes of `write=` in manager.conf of which any one allows it. */
export interface Need {
  purpose: string;
  classes: readonly string[];
  actions: readonly string[];
}

/**
 * All that provisioning takes, the same on Asterisk 16 to 22. `system` is the widest of them, and there is no
 * narrower one that lets objects be read back.
 */
export const needs: readonly Need[] = [
  { purpose: 'deploy', classes: ['config'], actions: ['ListCategories'] },
  { purpose: 'reload', classes: ['config', 'system'], actions: ['Reload', 'GetConfig'] },
  { purpose: 'verify calls', classes: ['config', 'reporting'], actions: ['ShowDialPlan'] },
  {
    purpose: 'verify',
    classes: ['system'],
    actions: ['PJSIPShowEndpoint', 'PJSIPShowEndpoints', 'PJSIPShowAuths', 'PJSIPShowAors'],
  },
  {
    purpose: 'registrations',
    classes: ['reporting', 'system'],
    actions: ['PJSIPShowRegistrationsOutbound', 'PJSIPRegister', 'PJSIPUnregister', 'CoreSettings'],
  },
];

/** The smallest `write=` that satisfies every need. */
export const leastWrite = 'config,system';

/** What a manager user may do: action → the classes that allow it, from the answer of ListCommands. */
export type Rights = ReadonlyMap<string, readonly string[]>;

/** Asks which actions this session may use. ListCommands needs no right, and names only what is allowed. */
export async function rightsOf(ami: AmiConnection): Promise<Rights> {
  const answer = await ami.action('ListCommands');
  const rights = new Map<string, readonly string[]>();
  for (const [action, synopsis] of answer.entries) {
    const classes = /\(Priv: ([^)]*)\)\s*$/.exec(synopsis)?.[1];
    if (classes !== undefined) rights.set(action, classes.split(',').filter(isClass));
  }
  return rights;
}

/** The needs that are not met, each with the actions that are missing. */
export function unmetNeeds(rights: Rights): Need[] {
  return needs
    .map((need) => ({ ...need, actions: need.actions.filter((action) => !rights.has(action)) }))
    .filter((need) => need.actions.length > 0);
}

/** Classes by which running calls are made and changed: `sipctl call` and its kin need them. */
const liveClasses: ReadonlySet<string> = new Set(['call', 'originate']);

/** Classes that the session has beyond what sipctl needs; those of live calls apart. */
export function widerClasses(rights: Rights): { live: string[]; others: string[] } {
  const enough = new Set(['config', 'system', 'reporting']);
  const wider = new Set<string>();
  for (const classes of rights.values()) {
    if (classes.length === 0 || classes.some((one) => enough.has(one))) continue;
    for (const one of classes) wider.add(one);
  }
  const all = [...wider].sort();
  return {
    live: all.filter((one) => liveClasses.has(one)),
    others: all.filter((one) => !liveClasses.has(one)),
  };
}

// Not allowed and not there are told apart by trying; only reading actions, which do nothing where they are allowed.
async function isUnknown(ami: AmiConnection, action: string): Promise<boolean> {
  if (!action.startsWith('PJSIPShow')) return false;
  try {
    await ami.action(action);
    return false;
  } catch (error) {
    return error instanceof AmiError && /unknown command/i.test(error.reply);
  }
}

/** @throws SipctlError `refused` naming what is missing and the line of manager.conf that mends it */
export async function requireRights(ami: AmiConnection, user: string): Promise<void> {
  const unmet = unmetNeeds(await rightsOf(ami));
  if (unmet.length === 0) return;
  const problems = [];
  for (const need of unmet) problems.push(await rightsProblem(ami, user, need));
  throw new SipctlError('refused', problems);
}

/** The complaint about one unmet need. */
export async function rightsProblem(
  ami: AmiConnection,
  user: string,
  need: Need,
): Promise<{ code: string; message: string; hint: string }> {
  const action = need.actions[0] as string;
  if (await isUnknown(ami, action)) {
    return {
      code: 'ami_action_unknown',
      message: `Asterisk does not know the action ${action}: its PJSIP modules are not loaded`,
      hint: `see 'noload' in modules.conf, and: asterisk -rx 'module show like res_pjsip'`,
    };
  }
  return {
    code: 'ami_rights',
    message: `the manager user '${user}' may not ${need.purpose}: ${need.actions.join(', ')} needs write=${need.classes.join(' or ')}`,
    hint: `in manager.conf, section [${user}]: write = ${leastWrite}; then: asterisk -rx 'manager reload'`,
  };
}

const isClass = (name: string): boolean => name !== 'all' && name !== '<none>' && name !== '';

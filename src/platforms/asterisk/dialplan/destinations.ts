import { type Destination, hangupCauses } from '../../../model/destination.ts';
import type { CallFlow, FlowUser } from '../../../model/flow/call-flow.ts';
import { gosub, goto, hangup, type Step, word } from './dialplan.ts';
import { type Names, namesOf } from './names.ts';

/** A tenant's flow with what rendering looks up in it. */
export interface Plan {
  flow: CallFlow;
  names: Names;
  users: ReadonlyMap<string, FlowUser>;
}

export const planOf = (flow: CallFlow): Plan => ({
  flow,
  names: namesOf(flow.tenant),
  users: new Map(flow.users.map((user) => [user.name, user])),
});

/** The one step that sends a call to its destination, and never comes back. */
export function sendTo(plan: Plan, destination: Destination): Step {
  const { names } = plan;
  switch (destination.kind) {
    case 'user':
      return goto(names.routine('users'), word(userOf(plan, destination.name).extension));
    case 'group':
    case 'ivr':
    case 'conference':
      return goto(names.of(destination.kind, destination.name));
    case 'voicemail':
      return gosub(names.routine('voicemail'), boxOf(userOf(plan, destination.name)));
    case 'app':
      return gosub(names.routine('app'), word(destination.context));
    case 'external':
      return goto(names.routine('external'), word(destination.number));
    case 'hangup':
      return hangup(hangupCauses[destination.cause].q850);
  }
}

/** `1001@t-acme` */
export function boxOf({ name, mailbox }: FlowUser): string {
  if (mailbox === null) throw new TypeError(`user ${name} has no voicemail box`);
  return word(`${mailbox.box}@${mailbox.context}`);
}

export function userOf({ users }: Pick<Plan, 'users'>, name: string): FlowUser {
  const user = users.get(name);
  if (user === undefined) throw new TypeError(`there is no user ${name} in the flow`);
  return user;
}

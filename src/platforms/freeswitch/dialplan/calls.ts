import type { CallFlow } from '../../../model/flow/call-flow.ts';
import { calling } from './callers.ts';
import type { Context } from './dialplan.ts';
import { extensionsContext, menuContext } from './menus.ts';
import { receiving } from './numbers.ts';
import type { Plan } from './plan.ts';
import { recording } from './recording.ts';
import { roomContext } from './rooms.ts';
import { waysOut } from './routes.ts';
import { transferredContext } from './transferred.ts';
import { ringing } from './users.ts';

/**
 * The dialplan of one tenant: all its contexts, in the order of a call.
 *
 *   t-acme ─────────── who calls, limits ──────┬─ users, groups, menus, rooms
 *   from-trunk-acme ── which number ── hours ──┘
 */
export function contextsOf(plan: Plan): Context[] {
  const { flow } = plan;
  if (isEmpty(flow)) return [];
  return [
    ...calling(plan),
    ...receiving(plan),
    ...ringing(plan),
    transferredContext(plan),
    ...recording(plan),
    extensionsContext(plan),
    ...flow.ivrs.map((ivr) => menuContext(plan, ivr)),
    ...flow.conferences.map((room) => roomContext(plan, room)),
    ...waysOut(plan),
  ];
}

const isEmpty = ({ users, groups, ivrs, conferences, inbound, trunks }: CallFlow): boolean =>
  [users, groups, ivrs, conferences, inbound, trunks].every(({ length }) => length === 0);

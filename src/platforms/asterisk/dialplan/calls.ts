import type { Destination } from '../../../model/destination.ts';
import type { CallFlow } from '../../../model/flow/call-flow.ts';
import { defaultTenant, trunkContext, userContext } from '../../../model/identity.ts';
import { beginning } from './callers.ts';
import { planOf } from './destinations.ts';
import { dialling } from './dialled.ts';
import type { Context } from './dialplan.ts';
import { holding } from './held.ts';
import { receiving } from './inbound.ts';
import { appRoutine, menu, pinRoutine, room } from './menus.ts';
import { waysOut } from './routes.ts';
import { ringing } from './users.ts';

/**
 * The dialplan of one tenant: all its contexts, in the order of a call.
 *
 *   t-acme ─────────── who calls, limits ─ dialled ─┬─ users, groups, menus, rooms
 *   from-trunk-acme ── which number ─ hours ────────┘
 */
export function dialplanOf(flow: CallFlow): Context[] {
  if (isEmpty(flow)) return [];
  const plan = planOf(flow);
  const pins = flow.conferences.some(({ pin, moderatorPin }) => pin !== null || moderatorPin !== null);
  const contexts = [
    ...beginning(plan),
    ...receiving(plan),
    ...dialling(plan),
    ...ringing(plan),
    ...flow.ivrs.map((ivr) => menu(plan, ivr)),
    ...flow.conferences.map((conference) => room(plan, conference)),
    ...(pins ? [pinRoutine(plan)] : []),
    ...(leadsToApp(flow) ? [appRoutine(plan)] : []),
    ...waysOut(plan),
    ...holding(plan),
  ];
  return [...documented(flow.tenant, new Set(contexts.map(({ name }) => name))), ...contexts];
}

const isEmpty = ({ users, groups, ivrs, conferences, inbound, dialled }: CallFlow): boolean =>
  [users, groups, ivrs, conferences, inbound, dialled].every(({ length }) => length === 0);

// The contexts by the names that the documents of Asterisk use. The operator may have extensions of his own there.
function documented(tenant: string, rendered: ReadonlySet<string>): Context[] {
  if (tenant !== defaultTenant) return [];
  const all: Context[] = [
    { ...context, name: userContext(tenant), about: 'Users call.', includes: [`t-${tenant}`] },
    { ...context, name: trunkContext(tenant), about: 'Carriers call.', includes: [`from-trunk-${tenant}`] },
  ];
  return all.filter(({ includes }) => includes.every((name) => rendered.has(name)));
}

const context = { owner: '', extensions: [] } as const;

function leadsToApp(flow: CallFlow): boolean {
  const destinations: readonly (Destination | null)[] = [
    ...flow.users.map(({ unanswered }) => unanswered),
    ...flow.groups.map(({ unanswered }) => unanswered),
    ...flow.ivrs.flatMap(({ keys, unanswered, invalid }) => [
      ...keys.map(([, to]) => to),
      unanswered,
      invalid,
    ]),
    ...flow.schedules.map(({ closed }) => closed),
    ...flow.inbound.map(({ destination }) => destination),
    ...flow.dialled.map(({ action }) => (action.kind === 'reach' ? action.to : null)),
  ];
  return destinations.some((destination) => destination?.kind === 'app');
}

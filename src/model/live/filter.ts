import type { Call } from './call.ts';
import { type LiveEvent, type TrunkStanding, tenantOf, type UserStanding } from './events.ts';

/** What `monitor` can be narrowed to by its first word. */
export type Watched = 'calls' | 'trunks' | 'users' | 'registrations';

/** What is to be told; null lets everything through. */
export interface EventFilter {
  watched: Watched | null;
  tenant: string | null;
  trunk: string | null;
  /** Of calls: `ringing`, `answered`, `held`, `ended`; of trunks and users: `registered`, `rejected`, `unregistered`, … */
  states: ReadonlySet<string> | null;
  /** `call.ended`; `call` for all events of calls. */
  events: ReadonlySet<string> | null;
}

const kinds: Readonly<Record<Watched, readonly string[]>> = {
  calls: ['call'],
  trunks: ['trunk'],
  users: ['user'],
  registrations: ['trunk', 'user'],
};

/**
 * True where the event is to be told. Events of nodes are, whatever is watched, unless `events` leaves them out: whoever
 * reads a stream must know when it knows nothing.
 */
export function passes(filter: EventFilter, event: LiveEvent): boolean {
  const { watched, tenant, events } = filter;
  const [kind = ''] = event.event.split('.', 1);
  if (events !== null && !events.has(event.event) && !events.has(kind)) return false;
  if (kind === 'node') return true;
  if (watched !== null && !kinds[watched].includes(kind)) return false;
  if (tenant !== null && tenantOf(event) !== tenant) return false;
  if ('call' in event) return fits(filter, event.call);
  if ('trunk' in event) return fits(filter, event.trunk);
  return 'user' in event && fits(filter, event.user);
}

/** True where a call, a trunk or a user is one of those that are asked for, whatever happened to it. */
export function fits(filter: EventFilter, one: Call | TrunkStanding | UserStanding): boolean {
  const { tenant, trunk, states } = filter;
  if (tenant !== null && one.tenant !== tenant) return false;
  if (trunk !== null && (!('trunk' in one) || one.trunk !== trunk)) return false;
  return states === null || states.has(stateOf(one));
}

function stateOf(one: Call | TrunkStanding | UserStanding): string {
  if ('state' in one) return one.state;
  if ('registration' in one) return one.registration;
  return one.contacts > 0 ? 'registered' : 'unregistered';
}

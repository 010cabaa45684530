import type { Call, CallState } from './call.ts';
import type { TrunkWord } from './changes.ts';
import type { Party } from './party.ts';

/** How a trunk stands on one node. */
export interface TrunkStanding {
  node: string;
  tenant: string;
  trunk: string;
  registration: TrunkWord;
  reachable: boolean | null;
  rttMs: number | null;
  detail: string;
}

/** How a user stands on one node. */
export interface UserStanding {
  node: string;
  tenant: string;
  user: string;
  contacts: number;
}

/** What `monitor` tells. `present` is what was there when the watching began; `at` is milliseconds since 1970. */
export type LiveEvent =
  | {
      event:
        | 'call.present'
        | 'call.ringing'
        | 'call.answered'
        | 'call.held'
        | 'call.resumed'
        | 'call.changed'
        | 'call.ended';
      at: number;
      node: string;
      /** null for a call that was not known before. */
      previous: CallState | null;
      call: Call;
    }
  | {
      /** `gone`: the PBX has it no more; `trunk` is how it stood last. */
      event: 'trunk.present' | `trunk.${TrunkWord}` | 'trunk.reachable' | 'trunk.unreachable' | 'trunk.gone';
      at: number;
      node: string;
      previous: TrunkWord | null;
      trunk: TrunkStanding;
    }
  | {
      event: 'user.present' | 'user.registered' | 'user.unregistered';
      at: number;
      node: string;
      user: UserStanding;
    }
  | {
      /**
       * `connected`: all that is there has been told. `lost`: nothing is known of the node until the next `connected`.
       * `restarted`: the engine is another one than before; its calls are gone.
       */
      event: 'node.connected' | 'node.lost' | 'node.restarted';
      at: number;
      node: string;
      /** Why it was lost. */
      detail: string | null;
    };

export type CallEvent = Extract<LiveEvent, { call: Call }>;

/** The tenant an event speaks of; null for events of nodes, and for calls of nobody. */
export function tenantOf(event: LiveEvent): Party['tenant'] | null {
  if ('call' in event) return event.call.tenant;
  if ('trunk' in event) return event.trunk.tenant;
  return 'user' in event ? event.user.tenant : null;
}

import type { CallFlow } from './call-flow.ts';

/** The flow of a tenant that has nothing, or is disabled. */
export function emptyFlow(tenant: string): CallFlow {
  return {
    tenant,
    maxCalls: 0,
    callingCode: '',
    callerId: null,
    users: [],
    groups: [],
    ivrs: [],
    conferences: [],
    schedules: [],
    dialled: [],
    inbound: [],
    accounts: [],
    routes: [],
  };
}

import { expect } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import type { CallFlow } from '../../../src/model/flow/call-flow.ts';
import { simulate } from '../../../src/model/flow/simulate.ts';
import type { PhoneState, SimulatedCall, Simulation, World } from '../../../src/model/flow/simulated-call.ts';
import { resolveSite } from '../../../src/model/resolve.ts';
import type { TenantSite } from '../../../src/model/site.ts';
import { Store } from '../../../src/store/store.ts';
import type { Sandbox } from '../../support/run-sipctl.ts';
import { shippedCatalog } from '../live-node.ts';
import type { CallSite } from './call-site.ts';
import type { Arrival } from './outside.ts';
import type { Behaviour } from './outside-config.ts';
import type { Engine } from './pbx.ts';
import type { PlannedCall, SeenCall } from './place-call.ts';

/** The call flows of these tenants, from the same database that was applied; PINs are read as long as it is open. */
export async function openFlows(
  box: Sandbox,
  tenants: readonly string[],
): Promise<{ flows: ReadonlyMap<string, CallFlow>; close: () => void }> {
  const { db, keyFile } = readConfig({}, box.env, box.dir);
  const store = await Store.open({ file: db, keyFile, actor: 'test', now: () => new Date() });
  const catalog = await shippedCatalog();
  const sites: TenantSite[] = [];
  for await (const site of store.tenantSites(tenants)) sites.push(site);
  return {
    flows: new Map(sites.map((site) => [site.tenant.name, resolveSite(site, catalog).flow])),
    close: () => store.close(),
  };
}

/** What the simulator says of a call that is made now. */
export function simulated(site: CallSite, call: PlannedCall, world = worldOf(site, call)): Simulation {
  const { tenant, of, name } = site.place(call.from);
  const flow = site.flows.get(tenant);
  if (flow === undefined) throw new Error(`no flow of ${tenant}`);
  const at = new Date();
  const planned: SimulatedCall =
    of === 'user'
      ? { kind: 'user', user: name, dialled: call.to, at }
      : { kind: 'inbound', requestUri: call.to, to: call.inTo ?? null, trunk: name, from: null, at };
  return simulate(flow, planned, world);
}

/** Demands of the simulator what was seen on the wire: status, who was called in which order, numbers at carriers. */
export function demandAgreement(
  site: CallSite,
  call: PlannedCall,
  seen: Pick<SeenCall, 'status' | 'arrivals'>,
  world?: World,
): Simulation {
  const { tenant } = site.place(call.from);
  const simulation = simulated(site, call, world);
  const parties = seen.arrivals.map(({ party }) => party);
  const thought = partiesOf(site, tenant, simulation);
  const because = JSON.stringify(simulation.decisions, null, 1);
  expect({ status: statusOf(simulation, site.pbx.engine), parties: thought.toSorted() }, because).toEqual({
    status: seen.status,
    parties: parties.toSorted(),
  });
  // Phones that ring together are reached in any order; what comes one after another is.
  const inTurn = simulation.decisions.every((one) => one.step !== 'ring' || one.users.length === 1);
  if (inTurn) expect(thought, because).toEqual(parties);
  demandNumbers(site, tenant, simulation, seen.arrivals);
  return simulation;
}

function demandNumbers(
  site: CallSite,
  tenant: string,
  { hops }: Simulation,
  arrivals: readonly Arrival[],
): void {
  for (const { trunk, number, callerId, result } of hops) {
    if (result === 'unreachable' || result === 'limit') continue;
    const carrier = site.carrierOf(tenant, trunk);
    const arrival = arrivals.find(({ party }) => party === carrier);
    expect(arrival?.requestUri).toMatch(new RegExp(`^sip:${quoted(number)}@`));
    const shown = [arrival?.from, arrival?.pai, arrival?.rpid].filter((one) => one).join('\n');
    if (callerId !== null) expect(shown).toMatch(new RegExp(`<sip:${quoted(callerId)}@`));
  }
}

const quoted = (number: string): string => number.replace(/[*+]/g, '\\$&');

function statusOf({ answered, outcome }: Simulation, engine: Engine): number {
  if (answered || outcome.kind === 'app') return 200;
  return outcome.kind === 'refused' ? outcome.sip : goneRound[engine];
}

/** What a caller is told whose call went round in circles: temporarily unavailable, or too many hops. */
const goneRound: Readonly<Record<Engine, number>> = { asterisk: 480, freeswitch: 483 };

function partiesOf(site: CallSite, tenant: string, { decisions }: Simulation): string[] {
  return decisions.flatMap((one): string[] => {
    if (one.step === 'ring') return one.users.map((user) => `${tenant}-${user}`);
    const isTried = one.step === 'hop' && one.result !== 'unreachable' && one.result !== 'limit';
    return isTried ? [site.carrierOf(tenant, one.trunk)] : [];
  });
}

/** What the call meets, as the parties were told to behave. */
function worldOf(site: CallSite, { from, does = {}, presses = '', calls = {} }: PlannedCall): World {
  const { tenant } = site.place(from);
  const phones: Record<string, PhoneState> = {};
  const trunks: Record<string, 'down' | number> = {};
  for (const [party, behaviour] of Object.entries({ ...site.gone, ...does })) {
    const place = site.place(party);
    if (place.tenant !== tenant) continue;
    if (place.of === 'user') phones[place.name] = stateOf(behaviour);
    else if (behaviour === 'gone') trunks[place.name] = 'down';
    else if (typeof behaviour === 'number') trunks[place.name] = behaviour;
    else if (behaviour === 'ring') trunks[place.name] = noAnswer;
  }
  return { phones, trunks, pressed: presses.split('w').filter((keys) => keys !== ''), calls };
}

/** ITU-T Q.850 */
const noAnswer = 19;
const busy = 17;

function stateOf(behaviour: Behaviour | 'gone'): PhoneState {
  if (behaviour === 'gone') return 'offline';
  if (behaviour === 'ring') return 'no-answer';
  if (typeof behaviour === 'number') return behaviour === busy ? 'busy' : 'rejects';
  return 'answers';
}

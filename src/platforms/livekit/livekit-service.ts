import { setTimeout as sleep } from 'node:timers/promises';
import { type LivekitSite, livekitName, livekitSetup } from '../../model/livekit.ts';
import type { HeldResource, Remembered, ResourceChange } from '../../plan/service-plan.ts';
import type { Service } from '../hosted-service.ts';
import { LivekitProject, type Patience } from './client.ts';
import { findInboundTrunk, findOutboundTrunk, findRule, type Held, type Sought } from './held.ts';
import { putInboundTrunk, putOutboundTrunk, putRule, removeRule, removeTrunk } from './perform.ts';
import { desiredResources, heldResources, keys } from './resources.ts';

/** A `livekit` object with what it is connected with; without a trunk nothing is desired of the project. */
export type LivekitSettings = Omit<LivekitSite, 'trunk'> & { trunk: LivekitSite['trunk'] | null };

const usual: Patience = {
  timeoutMs: 15_000,
  attempts: 4,
  baseMs: 500,
  capMs: 8_000,
  // An interrupted pause needs no words of its own: the next attempt says that it was interrupted.
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  },
  random: Math.random,
};

/** The trunks and the rule of one tenant in a LiveKit project. @see Service; nothing is asked before it is used */
export function livekitService(settings: LivekitSettings, patience: Partial<Patience> = {}): Service {
  const { livekit, trunk } = settings;
  const name = livekitName(livekit.tenant, livekit.name);
  const secrets = trunk === null ? [] : [trunk.sipPassword.reveal()];
  const project = new LivekitProject(livekit, { ...usual, ...patience }, secrets);
  return {
    kind: 'livekit',
    tenant: livekit.tenant,
    name: livekit.name,
    get desired() {
      return trunk === null ? [] : desiredResources(livekitSetup({ ...settings, trunk }));
    },
    held: (remembered, signal) => {
      const sought = soughtOf(remembered, name, trunk !== null);
      return project.repeat(() => lookUp(project, sought, name, signal), signal);
    },
    perform: (change, ids, signal) => project.repeat(() => performOne(project, change, ids, signal), signal),
  };
}

type SoughtOnes = Readonly<Record<keyof typeof keys, Sought | null>>;

function soughtOf(remembered: readonly Remembered[], name: string, isDesired: boolean): SoughtOnes {
  const one = (key: string): Sought | null =>
    remembered.find((entry) => entry.key === key) ?? (isDesired ? { id: null, name } : null);
  return { inbound: one(keys.inbound), outbound: one(keys.outbound), rule: one(keys.rule) };
}

async function lookUp(
  project: LivekitProject,
  { inbound, outbound, rule }: SoughtOnes,
  name: string,
  signal?: AbortSignal,
): Promise<HeldResource[]> {
  const held: Held = {};
  if (inbound !== null) held.inbound = await findInboundTrunk(project, inbound, signal);
  if (outbound !== null) held.outbound = await findOutboundTrunk(project, outbound, signal);
  if (rule !== null) held.rule = await findRule(project, rule, signal);
  return heldResources(held, inbound?.name ?? name);
}

function performOne(
  project: LivekitProject,
  change: ResourceChange,
  ids: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<string> {
  const { key, desired } = change;
  if (desired === null)
    return key === keys.rule
      ? removeRule(project, change, signal)
      : removeTrunk(project, change, key === keys.inbound, signal);
  if (key === keys.inbound) return putInboundTrunk(project, change, desired, signal);
  if (key === keys.outbound) return putOutboundTrunk(project, change, desired, signal);
  return putRule(project, change, desired, ids.get(keys.inbound), signal);
}

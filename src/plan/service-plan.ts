import type { Secret } from '../model/secret.ts';
import type { Action, OptionChange, Refusal } from './plan.ts';

/** What a service's field can hold; a list stands in the order that the service gives it. */
export type Plain = string | number | boolean | null | readonly string[];

/** One thing that a service, such as a Twilio account, is to hold for a tenant. */
export interface Resource {
  /** Its kind, and a name where there may be several: `trunk`, `origination livekit`, `number +4930111001`. */
  key: string;
  /** What it is found by at the service where its id is not known: a friendly name, a user name, a number. */
  name: string;
  /** Field → value, as the service names and writes them; only what sipctl decides. */
  values: Readonly<Record<string, Plain>>;
  /** What is written and never told again, so that a digest of it is remembered. */
  secrets?: Readonly<Record<string, Secret>>;
}

/** One such thing as the service has it. */
export interface HeldResource {
  key: string;
  /** The service's own: a SID at Twilio. */
  id: string;
  values: Readonly<Record<string, Plain>>;
}

/** What sipctl remembers of a thing that it made or is about to make. */
export interface Remembered {
  key: string;
  name: string;
  /** null: it was to be made, and whether it was is not known. */
  id: string | null;
  /** Of its secrets, keyed with the database's own salt; null where it has none, or they were not written. */
  digest: string | null;
}

/** What is done to one thing. */
export interface ResourceChange {
  action: Action;
  key: string;
  name: string;
  /** null where there is none yet. */
  id: string | null;
  /** null for what goes. */
  desired: Resource | null;
  /** The fields that differ, secrets masked; of what is made, all. */
  options: OptionChange[];
}

/** What would be done at one service for one tenant. */
export interface ServicePlan {
  /** As people read it: `twilio acme/main`. */
  service: string;
  tenant: string;
  /** In the order in which it is done. */
  changes: ResourceChange[];
  refusals: Refusal[];
}

export const isServicePending = ({ changes }: ServicePlan): boolean => changes.length > 0;

/** Changes by what they do. */
export function countResources(changes: readonly ResourceChange[]): Record<Action, number> {
  const count = { create: 0, update: 0, delete: 0 };
  for (const { action } of changes) count[action] += 1;
  return count;
}

/** What is changed, as people read it: `origination livekit`, `trunk main-trunk-acme-1763755659`. */
export const resourceTitle = ({ key, name }: Pick<ResourceChange, 'key' | 'name'>): string =>
  key === name || key.endsWith(` ${name}`) ? key : `${key} ${name}`;

import type { Refusal } from '../plan/plan.ts';
import type { HeldResource, Remembered, Resource, ResourceChange } from '../plan/service-plan.ts';

/**
 * What a hosted platform offers for one tenant: a trunk at Twilio with all that belongs to it, or the trunks and rules of a
 * LiveKit project. Unlike a node it keeps no generations: each thing is changed by a request of its own.
 */
export interface Service {
  readonly kind: 'twilio' | 'livekit';
  readonly tenant: string;
  /** Of the object of the tenant that describes it. */
  readonly name: string;
  /** All that it is to hold, in the order in which that is made. */
  readonly desired: readonly Resource[];
  /**
   * What is there of what is desired or remembered: by its id where that is known, else by its name. What else the account
   * holds is somebody else's, and is not told.
   * @throws SipctlError `unreachable`, `interrupted`, `refused` where the service denies the credentials, `failed`
   */
  held(remembered: readonly Remembered[], signal?: AbortSignal): Promise<HeldResource[]>;
  /**
   * What of the changes the service would refuse, or would do to somebody else's harm, as far as that can be seen before.
   * @throws like `held`
   */
  objections?(changes: readonly ResourceChange[], signal?: AbortSignal): Promise<Refusal[]>;
  /**
   * Does one change. What was made before an answer got lost is found by its name, and not made a second time; what is gone
   * already need not be taken away.
   * @param ids of the things that are there, by key
   * @returns the id
   * @throws like `held`; `unreachable` only after the service was asked several times
   */
  perform(change: ResourceChange, ids: ReadonlyMap<string, string>, signal?: AbortSignal): Promise<string>;
}

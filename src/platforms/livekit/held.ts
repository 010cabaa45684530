import type { SIPDispatchRuleInfo, SIPInboundTrunkInfo, SIPOutboundTrunkInfo } from 'livekit-server-sdk';
import { SipctlError } from '../../errors.ts';
import type { LivekitProject } from './client.ts';

/** What a project holds of a tenant's, as LiveKit tells it. */
export interface Held {
  inbound?: SIPInboundTrunkInfo | undefined;
  outbound?: SIPOutboundTrunkInfo | undefined;
  rule?: SIPDispatchRuleInfo | undefined;
}

/** By what a thing is looked for. */
export interface Sought {
  /** null where it is not known. */
  id: string | null;
  name: string;
}

type Find<T> = (project: LivekitProject, sought: Sought, signal?: AbortSignal) => Promise<T | undefined>;

/** All of them find one by its id, else by its name. @throws SipctlError `conflict` where several bear the name */
export const findInboundTrunk: Find<SIPInboundTrunkInfo> = async (project, sought, signal) =>
  findOne(await project.inboundTrunks(signal), trunkId, sought, 'inbound trunks');

export const findOutboundTrunk: Find<SIPOutboundTrunkInfo> = async (project, sought, signal) =>
  findOne(await project.outboundTrunks(signal), trunkId, sought, 'outbound trunks');

export const findRule: Find<SIPDispatchRuleInfo> = async (project, sought, signal) =>
  findOne(await project.dispatchRules(signal), ruleId, sought, 'dispatch rules');

export const trunkId = ({ sipTrunkId }: { sipTrunkId: string }): string => sipTrunkId;
export const ruleId = ({ sipDispatchRuleId }: { sipDispatchRuleId: string }): string => sipDispatchRuleId;

/** @param what for the message: `inbound trunks` */
function findOne<T extends { name: string }>(
  items: readonly T[],
  idOf: (item: T) => string,
  { id, name }: Sought,
  what: string,
): T | undefined {
  const known = items.find((item) => idOf(item) === id);
  if (known !== undefined) return known;
  const namesakes = items.filter((item) => item.name === name);
  if (namesakes.length > 1)
    throw new SipctlError('conflict', {
      code: 'livekit_ambiguous',
      message: `the LiveKit project has ${namesakes.length} ${what} named '${name}': ${namesakes.map(idOf).join(', ')}`,
      hint: 'remove all but one of them in LiveKit’s dashboard, or with lk sip',
    });
  return namesakes[0];
}

import type {
  SIPDispatchRuleInfo,
  SipClient,
  SipInboundTrunkUpdateOptions,
  SipOutboundTrunkUpdateOptions,
} from 'livekit-server-sdk';
import { SipctlError } from '../../errors.ts';
import type { Resource } from '../../plan/service-plan.ts';
import type { LivekitProject } from './client.ts';
import { isGone } from './failures.ts';
import { findInboundTrunk, findOutboundTrunk, findRule, ruleId, type Sought, trunkId } from './held.ts';
import { encryptions, transports } from './resources.ts';

/**
 * Every one of these looks first what is there: a request whose answer got lost may have been done, and to send it again
 * would make a second trunk of the same name.
 */

type ListUpdate = NonNullable<SipInboundTrunkUpdateOptions['numbers']>;
type Media = NonNullable<SipInboundTrunkUpdateOptions['media']>;

/** Makes the inbound trunk, or changes the one that is there. @returns its id */
export async function putInboundTrunk(
  project: LivekitProject,
  sought: Sought,
  desired: Resource,
  signal?: AbortSignal,
): Promise<string> {
  const { name, numbers, allowedAddresses, encryption } = inboundFields(desired);
  const there = await findInboundTrunk(project, sought, signal);
  const media = { ...there?.media, encryption } as Media;
  if (there === undefined) {
    const options = { allowedAddresses, media, mediaEncryption: encryption };
    const create = (client: SipClient) => client.createSipInboundTrunk(name, numbers, options);
    return trunkId(await project.ask('creating the inbound trunk', create, signal));
  }
  const fields: SipInboundTrunkUpdateOptions = {
    name,
    numbers: exactly(numbers),
    allowedAddresses: exactly(allowedAddresses),
    // Twilio gives no credentials when it calls: a trunk that wants some takes no call from there.
    authUsername: '',
    authPassword: '',
    media,
    mediaEncryption: encryption,
  };
  const update = (client: SipClient) => client.updateSipInboundTrunkFields(trunkId(there), fields);
  return trunkId(await project.ask('changing the inbound trunk', update, signal));
}

/** Makes the outbound trunk, or changes the one that is there. @returns its id */
export async function putOutboundTrunk(
  project: LivekitProject,
  sought: Sought,
  desired: Resource,
  signal?: AbortSignal,
): Promise<string> {
  const { name, numbers, address, transport, authUsername, authPassword, encryption } =
    outboundFields(desired);
  const there = await findOutboundTrunk(project, sought, signal);
  const media = { ...there?.media, encryption } as Media;
  const common = { transport, authUsername, authPassword, media, mediaEncryption: encryption };
  if (there === undefined) {
    const create = (client: SipClient) => client.createSipOutboundTrunk(name, address, numbers, common);
    return trunkId(await project.ask('creating the outbound trunk', create, signal));
  }
  // The client's type lacks address and transport; what it sends is made of all fields of the protocol's message.
  const fields = { ...common, name, address, numbers: exactly(numbers) } as SipOutboundTrunkUpdateOptions;
  const update = (client: SipClient) => client.updateSipOutboundTrunkFields(trunkId(there), fields);
  return trunkId(await project.ask('changing the outbound trunk', update, signal));
}

/**
 * Makes the dispatch rule, or changes the one that is there.
 * @param inboundId of the inbound trunk; a rule without one would take the calls of the whole project
 * @returns its id
 */
export async function putRule(
  project: LivekitProject,
  sought: Sought,
  desired: Resource,
  inboundId: string | undefined,
  signal?: AbortSignal,
): Promise<string> {
  if (inboundId === undefined) throw ruleWithoutTrunk(desired.name);
  const { name, roomPrefix, agents } = ruleFields(desired);
  const there = await findRule(project, sought, signal);
  const sdk = await import('livekit-server-sdk');
  const dispatches = agents.map((agentName) => new sdk.RoomAgentDispatch({ agentName }));
  if (there === undefined) {
    const rule = { type: 'individual', roomPrefix } as const;
    const roomConfig = new sdk.RoomConfiguration({ agents: dispatches });
    const options = { name, trunkIds: [inboundId], ...(agents.length > 0 ? { roomConfig } : {}) };
    const create = (client: SipClient) => client.createSipDispatchRule(rule, options);
    return ruleId(await project.ask('creating the dispatch rule', create, signal));
  }
  // An update by fields cannot change who is dispatched: the rule is replaced by itself, changed where sipctl decides.
  const changed: SIPDispatchRuleInfo = there.clone();
  changed.name = name;
  changed.trunkIds = [inboundId];
  const pin = pinOf(there);
  changed.rule = new sdk.SIPDispatchRule({
    rule: { case: 'dispatchRuleIndividual', value: { roomPrefix, pin } },
  });
  const known = there.roomConfig?.agents ?? [];
  changed.roomConfig = new sdk.RoomConfiguration({
    ...there.roomConfig,
    agents: dispatches.map((one) => known.find(({ agentName }) => agentName === one.agentName) ?? one),
  });
  const replace = (client: SipClient) => client.updateSipDispatchRule(ruleId(there), changed);
  return ruleId(await project.ask('changing the dispatch rule', replace, signal));
}

const pinOf = ({ rule }: SIPDispatchRuleInfo): string =>
  rule?.rule.case === undefined ? '' : rule.rule.value.pin;

/** Removes a trunk, if it is there. @returns its id, or an empty text */
export async function removeTrunk(
  project: LivekitProject,
  sought: Sought,
  isInbound: boolean,
  signal?: AbortSignal,
): Promise<string> {
  const direction = isInbound ? 'inbound' : 'outbound';
  const there = await (isInbound ? findInboundTrunk : findOutboundTrunk)(project, sought, signal);
  if (there === undefined) return sought.id ?? '';
  const remove = (client: SipClient) => client.deleteSipTrunk(there.sipTrunkId);
  await unlessGone(project.ask(`removing the ${direction} trunk`, remove, signal));
  return there.sipTrunkId;
}

/** Removes the dispatch rule, if it is there. @returns its id, or an empty text */
export async function removeRule(
  project: LivekitProject,
  sought: Sought,
  signal?: AbortSignal,
): Promise<string> {
  const there = await findRule(project, sought, signal);
  if (there === undefined) return sought.id ?? '';
  const remove = (client: SipClient) => client.deleteSipDispatchRule(there.sipDispatchRuleId);
  await unlessGone(project.ask('removing the dispatch rule', remove, signal));
  return there.sipDispatchRuleId;
}

async function unlessGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

// The protocol's class is not handed out by LiveKit's package; the client makes it of its fields.
function exactly(items: string[]): ListUpdate {
  const fields: Partial<ListUpdate> = items.length === 0 ? { clear: true } : { set: items };
  return fields as ListUpdate;
}

const text = ({ values }: Resource, field: string): string => String(values[field] ?? '');
const list = ({ values }: Resource, field: string): string[] => [...((values[field] ?? []) as string[])];

const encryptionOf = (desired: Resource) =>
  encryptions[text(desired, 'encryption') as keyof typeof encryptions];

const inboundFields = (desired: Resource) => ({
  name: text(desired, 'name'),
  numbers: list(desired, 'numbers'),
  allowedAddresses: list(desired, 'allowedAddresses'),
  encryption: encryptionOf(desired),
});

const outboundFields = (desired: Resource) => ({
  name: text(desired, 'name'),
  numbers: list(desired, 'numbers'),
  address: text(desired, 'address'),
  transport: transports[text(desired, 'transport') as keyof typeof transports],
  authUsername: text(desired, 'authUsername'),
  authPassword: desired.secrets?.authPassword?.reveal() ?? '',
  encryption: encryptionOf(desired),
});

const ruleFields = (desired: Resource) => ({
  name: text(desired, 'name'),
  roomPrefix: text(desired, 'roomPrefix'),
  agents: list(desired, 'agents'),
});

const ruleWithoutTrunk = (name: string): SipctlError =>
  new SipctlError('failed', {
    code: 'livekit_rule_without_trunk',
    message: `the dispatch rule '${name}' was not made: its inbound trunk is not there`,
    hint: 'run the command again: it makes the trunk first',
  });

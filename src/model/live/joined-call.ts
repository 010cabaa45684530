import type { Call, CallEnd, CallState, Leg, Quality } from './call.ts';
import type { LegFacts } from './changes.ts';
import type { Party } from './party.ts';

/** A channel with whom it belongs to. */
export interface KnownLeg {
  facts: LegFacts;
  party: Party | null;
}

/** A channel that is gone, as far as it says how its call ended. */
export interface EndedLeg {
  /** As it was last. */
  known: KnownLeg;
  way: 'in' | 'out';
  answered: boolean;
  end: CallEnd;
  quality: Quality | null;
}

/** The channels of one call, those that are gone included: all that a `Call` is made of. */
export interface JoinedCall {
  id: string;
  node: string;
  /** The first channel, also when it is gone: it says who called what. */
  first: KnownLeg;
  legs: Map<string, KnownLeg>;
  ended: EndedLeg[];
  /** What was found out once stays so, whatever becomes of the channel that said it. */
  tenant: string | null;
  trunk: string | null;
  to: string | null;
  codec: string | null;
  answeredAt: number | null;
  wasRecorded: boolean;
}

export const newCall = (id: string, node: string, first: KnownLeg): JoinedCall => ({
  ...{ id, node, first, legs: new Map(), ended: [], tenant: null, trunk: null, to: null },
  ...{ codec: null, answeredAt: null, wasRecorded: false },
});

/** Takes over what a channel says of its call. */
export function learn(call: JoinedCall, leg: KnownLeg): void {
  const { facts, party } = leg;
  const isFirst = facts.id === call.first.facts.id;
  if (isFirst) call.first = leg;
  call.tenant ??= party?.tenant ?? facts.account;
  if (party?.kind === 'trunk') call.trunk ??= party.name;
  call.to ??= isFirst ? facts.dialled : facts.number;
  call.codec ??= facts.codec;
  if (facts.recorded) call.wasRecorded = true;
  if (call.answeredAt !== null || facts.answeredAt === null) return;
  const decides = isFirst || !call.legs.has(call.first.facts.id);
  if (decides) call.answeredAt = facts.answeredAt;
}

/** The call as others see it, with the legs it has, or, where it is over, had; `endedAt` is null while it lasts. */
export function view(call: JoinedCall, endedAt: number | null): Call {
  const { first, tenant, trunk } = call;
  const legs = [...call.legs.values()];
  const quality = call.ended.find((leg) => leg.quality !== null)?.quality ?? null;
  return {
    id: call.id,
    node: call.node,
    tenant,
    trunk,
    direction: trunk === null ? 'internal' : cameOverTrunk(first) ? 'inbound' : 'outbound',
    from: first.facts.number,
    fromName: first.facts.name,
    to: call.to,
    state: endedAt === null ? stateOf(call, legs) : 'ended',
    codec: call.codec,
    startedAt: first.facts.startedAt,
    answeredAt: call.answeredAt,
    endedAt,
    end: endedAt === null ? null : endOf(call),
    quality,
    recorded: endedAt === null ? legs.some(({ facts }) => facts.recorded) : call.wasRecorded,
    legs: (endedAt === null ? legs : hadLegs(call)).map(legView),
  };
}

function hadLegs({ ended, first }: JoinedCall): KnownLeg[] {
  const age = ({ facts }: KnownLeg): number => (facts.id === first.facts.id ? 0 : facts.startedAt);
  return ended.map(({ known }) => known).sort((one, other) => age(one) - age(other));
}

const cameOverTrunk = ({ facts, party }: KnownLeg): boolean => facts.way === 'in' && party?.kind === 'trunk';

function stateOf({ answeredAt }: JoinedCall, legs: readonly KnownLeg[]): CallState {
  if (answeredAt === null) return 'ringing';
  return legs.some(({ facts }) => facts.state === 'held') ? 'held' : 'answered';
}

const notSeen: CallEnd = { q850: null, sip: null, text: 'not seen' };

/**
 * Of a call that stood, whoever hung up first says why. Of one that never did, the party that was called last says which
 * status of SIP it was, and the caller's own channel the cause that the caller was told.
 */
function endOf({ ended, answeredAt }: JoinedCall): CallEnd {
  if (answeredAt !== null) {
    const stood = ended.filter(({ answered }) => answered);
    return (stood.find(({ end }) => (end.q850 ?? 0) > 0) ?? stood[0] ?? ended[0])?.end ?? notSeen;
  }
  const refusal = ended.findLast(({ way, end }) => way === 'out' && (end.sip ?? 0) >= 300)?.end;
  const told = ended.findLast(({ way, end }) => way === 'in' && (end.q850 ?? 0) > 0)?.end;
  const last = told ?? refusal ?? ended.at(-1)?.end ?? notSeen;
  return { ...last, sip: refusal?.sip ?? last.sip };
}

const legView = ({ facts, party }: KnownLeg): Leg => ({
  id: facts.id,
  channel: facts.channel,
  way: facts.way,
  party,
  number: facts.number,
  name: facts.name,
  state: facts.state,
  codec: facts.codec,
  startedAt: facts.startedAt,
  answeredAt: facts.answeredAt,
});

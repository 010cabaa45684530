import type { LegFacts } from '../../../model/live/changes.ts';
import type { AmiMessage } from '../ami/codec.ts';
import type { AmiConnection } from '../ami/connection.ts';
import {
  codecIn,
  endpointOf,
  identityOf,
  isHeldHere,
  isParty,
  isUp,
  known,
  numberDialled,
} from './channel.ts';
import type { SeenChannel } from './channel-events.ts';

/** Read with every channel: when it was made and answered, by the clock of the PBX, and where it is recorded to. */
const variables = 'CDR(start,u),CDR(answer,u),MIXMONITOR_FILENAME';

/**
 * Every channel there is, the halves of Local ones included, from one answer; needs `write=` system, call or reporting.
 * `now` is in milliseconds since 1970.
 */
export async function channelsOf(ami: AmiConnection, now: () => number): Promise<SeenChannel[]> {
  const items = await ami.list('Status', { Variables: variables, AllVariables: 'false' });
  const at = now();
  const channels = items.filter((item) => item.get('Event') === 'Status');
  const dials = dialsOf(channels);
  const held = await heldEndpoints(ami);
  return channels.map((item) => seen(item, { at, dials, held }));
}

interface Around {
  at: number;
  /** Numbers that are dialled, by call and trunk. */
  dials: ReadonlyMap<string, string>;
  held: ReadonlySet<string>;
}

function seen(item: AmiMessage, { at, dials, held }: Around): SeenChannel {
  const channel = item.get('Channel') ?? '';
  const endpoint = endpointOf(channel);
  const identity = identityOf(item);
  const dialled = known(item.get('DNID'));
  const isHeld = isHeldHere(item) || (endpoint !== null && held.has(endpoint));
  const facts: LegFacts = {
    id: item.get('Uniqueid') ?? '',
    ...identity,
    number: (dialled === null ? dials.get(`${identity.callId} ${endpoint}`) : undefined) ?? identity.number,
    channel,
    // Only a channel that called has dialled anything.
    way: dialled === null ? 'out' : 'in',
    endpoint,
    dialled,
    state: !isUp(item) ? 'ringing' : isHeld ? 'held' : 'answered',
    codec: isUp(item) ? codecIn(item.get('Nativeformats')) : null,
    ...timesOf(item, at),
    recorded: known(variable(item, 'MIXMONITOR_FILENAME')) !== null,
  };
  return { facts, bridge: item.get('BridgeID') || null };
}

/** Legs of parties among them. */
export const legsAmong = (channels: readonly SeenChannel[]): LegFacts[] =>
  channels.map(({ facts }) => facts).filter(({ channel }) => isParty(channel));

const variable = (item: AmiMessage, name: string): string | undefined =>
  item
    .all('Variable')
    .find((one) => one.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** Where the clocks differ, or calls are not accounted for, the age in seconds counts, and an answer is as old as its channel. */
function timesOf(item: AmiMessage, at: number): Pick<LegFacts, 'startedAt' | 'answeredAt'> {
  const made = at - 1000 * Number(item.get('Seconds') ?? 0);
  // Where a channel is sent elsewhere, its age and its account begin anew; its name does not change.
  const named = secondInId(item.get('Uniqueid') ?? '');
  const started = named === null ? made : Math.min(made, named);
  const start = 1000 * Number(variable(item, 'CDR(start,u)') ?? 0);
  const answer = 1000 * Number(variable(item, 'CDR(answer,u)') ?? 0);
  const isOurs = Math.abs(start - started) < clockMs;
  const startedAt = Math.round(isOurs ? start : started);
  if (!isUp(item)) return { startedAt, answeredAt: null };
  return {
    startedAt,
    answeredAt: Math.round(startedAt + (answer > start && start > 0 ? answer - start : 0)),
  };
}

/** Milliseconds since 1970 of the second that begins the ids that Asterisk gives: `1795293589.0`, `pbx-1795293589.0`. */
function secondInId(id: string): number | null {
  const [, second] = /(?:^|-)([0-9]{10})\.[0-9]+$/.exec(id) ?? [];
  return second === undefined ? null : 1000 * Number(second);
}

/** By which the clocks of the PBX and of this machine may differ. */
const clockMs = 2000;

function dialsOf(channels: readonly AmiMessage[]): Map<string, string> {
  const dials = new Map<string, string>();
  for (const item of channels) {
    if (item.get('Application') !== 'Dial') continue;
    const data = item.get('Data') ?? '';
    const number = numberDialled(data);
    const endpoint = /@([^/,&]+)/.exec(data)?.[1];
    if (number !== null) dials.set(`${item.get('Linkedid')} ${endpoint}`, number);
  }
  return dials;
}

/** Endpoints whose phone holds: no channel says that of itself. */
async function heldEndpoints(ami: AmiConnection): Promise<Set<string>> {
  const items = await ami.list('DeviceStateList').catch(() => []);
  return new Set(
    items
      .filter((item) => item.get('State') === 'ONHOLD')
      .flatMap((item) => /^PJSIP\/(.*)$/.exec(item.get('Device') ?? '')?.[1] ?? []),
  );
}

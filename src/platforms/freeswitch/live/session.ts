import { setTimeout as sleep } from 'node:timers/promises';
import type { LegFacts, LiveChange, TrunkFacts, UserFacts } from '../../../model/live/changes.ts';
import type { Node } from '../../../model/nouns.ts';
import type { EventStream } from '../../control/event-queue.ts';
import type { Engine } from '../../target.ts';
import type { EslEvent } from '../esl/codec.ts';
import { dumpChannel, globalVariable, recordingsOf, show, systemStatus, version } from '../esl/commands.ts';
import type { EslConnection } from '../esl/connection.ts';
import { EslError } from '../esl/failures.ts';
import type { Ask } from '../esl/replies.ts';
import { openEsl } from '../running-system.ts';
import type { Timeouts } from '../timeouts.ts';
import { textOf } from './channel.ts';
import { ChannelChanges, channelEvents, type Dump, heldEvent } from './channel-changes.ts';
import { StandingChanges, standingEvents } from './standings.ts';

/** A session at a FreeSWITCH as far as it observes. */
export interface Observing {
  esl: EslConnection;
  ask: Ask;
  engine: Engine;
  boot: string;
  legs(): Promise<LegFacts[]>;
  standings(): Promise<{ trunks: TrunkFacts[]; users: UserFacts[] }>;
  changes(): AsyncIterableIterator<LiveChange[]>;
}

/** Channels that are asked for at once: an answer has some 12 kB, and what is behind it waits. */
const atOnce = 64;
/** How often, and after how many milliseconds, FreeSWITCH is asked again for channels that its database has not yet. */
const mostTries = 20;
const pauseMs = 100;

/** @throws SipctlError `unreachable`, `interrupted`, or `refused` */
export async function observe(
  node: Node,
  timeouts: Timeouts,
  { events, signal }: { events: boolean; signal?: AbortSignal | undefined },
): Promise<Observing> {
  const esl = await openEsl(node, timeouts, signal);
  try {
    const ask: Ask = (command) => esl.api(command);
    const feed = events ? esl.events() : null;
    if (events) await esl.subscribe(channelEvents, [...standingEvents, heldEvent]);
    const [numbers, boot] = await Promise.all([version(ask), globalVariable(ask, 'core_uuid')]);
    const [channels, standings] = [new ChannelChanges(), new StandingChanges(ask)];
    return {
      ...{ esl, ask, boot: boot ?? '', engine: { kind: 'freeswitch', version: numbers } },
      legs: async () => channels.take(await dumps(ask), Date.now()),
      standings: () => standings.now(),
      changes: () => changes(feed, channels, standings),
    };
  } catch (error) {
    await esl.close();
    throw error;
  }
}

async function* changes(
  feed: EventStream<EslEvent> | null,
  channels: ChannelChanges,
  standings: StandingChanges,
): AsyncGenerator<LiveChange[], void, undefined> {
  if (feed === null) throw new TypeError('the session was opened without events');
  for await (const first of feed) {
    let changes: LiveChange[] = [];
    for (const event of [first, ...feed.takeAll()]) {
      if (event.mayBe('"Event-Name":"CUSTOM"') && event.subclass !== heldEvent) {
        // How somebody stands is asked for: what is known already does not wait for the answer.
        if (changes.length > 0) yield changes;
        changes = await standings.read(event);
      } else changes.push(...channels.read(event));
    }
    if (changes.length > 0) yield changes;
  }
}

// `show` reads a database that FreeSWITCH writes when it comes to it: a call of this moment is not in it, and one that just
// ended is. How many there are it knows at once.
async function dumps(ask: Ask): Promise<Dump[]> {
  for (let tried = 1; ; tried += 1) {
    const { sessions } = await systemStatus(ask);
    const found = await dumpsOf(ask, await show(ask, 'channels'));
    if (found.length >= sessions || tried === mostTries) return found;
    await sleep(pauseMs);
  }
}

async function dumpsOf(ask: Ask, rows: readonly Readonly<Record<string, string>>[]): Promise<Dump[]> {
  const found: (Dump | null)[] = [];
  for (let at = 0; at < rows.length; at += atOnce) {
    const some = rows.slice(at, at + atOnce).map(({ uuid = '' }) => dump(ask, uuid));
    found.push(...(await Promise.all(some)));
  }
  return found.filter((one) => one !== null);
}

async function dump(ask: Ask, uuid: string): Promise<Dump | null> {
  try {
    const [all, recordings] = await Promise.all([dumpChannel(ask, uuid), recordingsOf(ask, uuid)]);
    return { channel: textOf(all), recordings };
  } catch (error) {
    // It ended meanwhile.
    if (error instanceof EslError) return null;
    throw error;
  }
}

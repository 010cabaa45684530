import type { ChannelText } from './channel.ts';

/** What is kept of a channel while it lives. */
interface Known {
  callId: string;
  startedAt: number;
}

/**
 * Which channels are one call. FreeSWITCH has an id for that too (`Channel-Call-UUID`), which becomes another one with each
 * transfer, and is the channel's own once it hangs up: a channel belongs to the call of the one that brought it forth, for
 * as long as it is not connected with another.
 *
 * ```
 * ann ─ bob                 one call, by ann's channel
 * ann ─ loopback a ~ b ─ +49…   the same
 * ann ╳ bob ─ cat           bob is sent on: still the same
 * ann ─ bob, ann' ─ cat  →  bob ─ cat: cat joins the older one
 * ```
 */
export class CallIds {
  readonly #known = new Map<string, Known>();

  get size(): number {
    return this.#known.size;
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  of(id: string): string | undefined {
    return this.#known.get(id)?.callId;
  }

  /** A channel that was not there before; gives its call. */
  add(id: string, channel: ChannelText, startedAt: number): string {
    const known = this.#known.get(id);
    if (known !== undefined) return known.callId;
    const source = sourceOf(channel);
    // Who brought it forth may be gone by now, and has given the call its name all the same.
    const callId = source === null ? id : (this.#known.get(source)?.callId ?? source);
    this.#known.set(id, { callId, startedAt });
    return callId;
  }

  /** Two channels are connected: the one that joins the other's call, and which that is; null where nothing changes. */
  join(one: string, other: string): { id: string; callId: string } | null {
    const [a, b] = [this.#known.get(one), this.#known.get(other)];
    if (a === undefined || b === undefined || a.callId === b.callId) return null;
    const isOlder = a.startedAt < b.startedAt || (a.startedAt === b.startedAt && one < other);
    const [older, younger, id] = isOlder ? [a, b, other] : [b, a, one];
    younger.callId = older.callId;
    return { id, callId: older.callId };
  }

  remove(id: string): void {
    this.#known.delete(id);
  }

  /**
   * Takes in all channels that there are, as their dumps tell of them: who is connected with whom counts as if it had been
   * seen to happen.
   */
  take(dumps: readonly { id: string; channel: ChannelText; startedAt: number }[]): void {
    const inOrder = [...dumps].sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
    for (const { id, channel, startedAt } of inOrder) this.add(id, channel, startedAt);
    for (const { id, channel } of inOrder) {
      const peer = channel.get('variable_signal_bond');
      if (peer !== undefined) this.join(id, peer);
    }
  }
}

/** The channel that brought this one forth; null where it came by itself. */
export function sourceOf(channel: ChannelText): string | null {
  const name = channel.get('Channel-Name') ?? '';
  // The second half of a loopback comes out of the first.
  if (name.startsWith('loopback/') && name.endsWith('-b'))
    return channel.get('variable_other_loopback_leg_uuid') ?? null;
  if (channel.get('Call-Direction') !== 'outbound') return null;
  if (channel.get('Other-Type') === 'originator') {
    const originator = channel.get('variable_originating_leg_uuid') ?? channel.get('Other-Leg-Unique-ID');
    if (originator !== undefined) return originator;
  }
  return channel.get('variable_originating_leg_uuid') ?? null;
}

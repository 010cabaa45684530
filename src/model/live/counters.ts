import type { Call } from './call.ts';
import type { LiveEvent } from './events.ts';

/** Labels of one series → how often. */
type Counts = Map<string, { labels: Readonly<Record<string, string>>; value: number }>;

/** What happened since the watching began: counters that only grow, for whoever scrapes them. */
export class Counters {
  readonly answered: Counts = new Map();
  readonly ended: Counts = new Map();
  readonly failed: Counts = new Map();
  readonly talkSeconds: Counts = new Map();
  readonly registrationFailures: Counts = new Map();
  readonly lost: Counts = new Map();
  readonly restarted: Counts = new Map();
  readonly events: Counts = new Map();
  /** Node → seconds from the last event at the PBX until it was taken in here. */
  readonly lag = new Map<string, number>();
  /** Calls that ring or stand, and that were there before they could be seen to be answered. */
  readonly #answered = new Set<string>();

  /** @param now milliseconds since 1970 */
  apply(event: LiveEvent, now: number): void {
    const { node } = event;
    const [kind = ''] = event.event.split('.', 1);
    add(this.events, { node, kind });
    this.lag.set(node, Math.max(0, now - event.at) / 1000);
    if ('call' in event) this.#call(event.event === 'call.present', event.call);
    else if ('trunk' in event) this.#trunk(event);
    else if (event.event === 'node.lost') add(this.lost, { node });
    else if (event.event === 'node.restarted') add(this.restarted, { node });
  }

  #call(isPresent: boolean, call: Call): void {
    const key = `${call.node} ${call.id}`;
    const labels = callLabels(call);
    if (call.answeredAt !== null && !this.#answered.has(key)) {
      // One that stood already when the watching began was not answered in our time.
      if (!isPresent) add(this.answered, labels);
      this.#answered.add(key);
    }
    if (call.state !== 'ended') return;
    this.#answered.delete(key);
    add(this.ended, labels);
    const { answeredAt, endedAt, end } = call;
    if (answeredAt !== null)
      add(this.talkSeconds, labels, Math.max(0, (endedAt ?? answeredAt) - answeredAt) / 1000);
    else
      add(this.failed, { ...labels, q850: String(end?.q850 ?? 'unknown'), sip: String(end?.sip ?? 'none') });
  }

  #trunk({ event, node, trunk: { tenant, trunk } }: Extract<LiveEvent, { trunk: unknown }>): void {
    if (['trunk.rejected', 'trunk.failed', 'trunk.gave-up'].includes(event))
      add(this.registrationFailures, { node, tenant, trunk, state: event.slice('trunk.'.length) });
  }
}

/** What tells calls apart in metrics; who called whom is in none of them. */
export const callLabels = ({ node, tenant, direction, trunk }: Call): Record<string, string> => ({
  node,
  tenant: tenant ?? '',
  direction,
  trunk: trunk ?? '',
});

function add(counts: Counts, labels: Record<string, string>, by = 1): void {
  const key = Object.values(labels).join('\u0000');
  const counted = counts.get(key);
  if (counted === undefined) counts.set(key, { labels, value: by });
  else counted.value += by;
}

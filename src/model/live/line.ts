import type { Call } from './call.ts';
import { type LiveEvent, tenantOf } from './events.ts';

/** One event as others read it: a line of the stream, the body of a webhook, the input of a command. */
export type LiveLine = Readonly<Record<string, unknown>> & { event: string };

/** The event with its schema's name first, and times in ISO 8601. */
export function liveLine(event: LiveEvent): LiveLine {
  const { event: name, at, node, ...rest } = event;
  return {
    schema: 'sipctl/v1',
    event: name,
    at: isoTime(at),
    node,
    tenant: tenantOf(event),
    ...('call' in rest ? { previous: rest.previous, call: shownCall(rest.call) } : rest),
  };
}

/** A call with its times in ISO 8601. */
export const shownCall = (call: Call): Record<string, unknown> => ({
  ...call,
  startedAt: isoTime(call.startedAt),
  answeredAt: isoTime(call.answeredAt),
  endedAt: isoTime(call.endedAt),
  legs: call.legs.map((leg) => ({
    ...leg,
    startedAt: isoTime(leg.startedAt),
    answeredAt: isoTime(leg.answeredAt),
  })),
});

const isoTime = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

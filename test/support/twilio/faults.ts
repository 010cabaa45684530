import { Refused } from './refused.ts';

/** What becomes of one request, in the place of an orderly answer. */
export type Misbehaviour = {
  /** Whether Twilio does what it was asked before it misbehaves. */
  takesEffect: boolean;
} & (
  | { kind: 'silence' }
  | { kind: 'reset' }
  | { kind: 'answer'; refused: Refused; headers?: Readonly<Record<string, string>> }
  /** Something that happens to the client meanwhile; it gets no answer. */
  | { kind: 'event'; happens: () => void }
);

/** A misbehaviour, and when it comes. */
export interface Fault {
  does: Misbehaviour;
  /** Which requests are meant, as `POST /v1/Trunks`; without it all. */
  route?: RegExp;
  /** From the n-th of them on, counted from 1; default 1. */
  from?: number;
  /** So many in a row; default 1. */
  times?: number;
}

const answer = (
  status: number,
  code: number,
  message: string,
  takesEffect = false,
  headers?: Readonly<Record<string, string>>,
): Misbehaviour => ({
  kind: 'answer',
  takesEffect,
  refused: new Refused(status, code, message),
  ...(headers && { headers }),
});

/** What a network, or Twilio on a bad day, does to one request. */
export const misbehaviours = {
  'no answer, nothing done': { kind: 'silence', takesEffect: false },
  'no answer, but done': { kind: 'silence', takesEffect: true },
  'connection reset, nothing done': { kind: 'reset', takesEffect: false },
  'connection reset, but done': { kind: 'reset', takesEffect: true },
  '401': answer(401, 20003, 'Authenticate'),
  '404': answer(404, 20404, 'The requested resource was not found'),
  '409': answer(409, 20409, 'Conflict'),
  '429': answer(429, 20429, 'Too Many Requests', false, { 'Retry-After': '1' }),
  '500': answer(500, 20500, 'Internal Server Error'),
  '500, but done': answer(500, 20500, 'Internal Server Error', true),
  '503': answer(503, 20503, 'Service Unavailable'),
} as const satisfies Record<string, Misbehaviour>;

/** The misbehaviour that is due; each fault counts for itself the requests that it means. */
export function dueFaults(): { add(fault: Fault): void; next(route: string): Misbehaviour | null } {
  const faults: { fault: Fault; seen: number }[] = [];
  return {
    add: (fault) => void faults.push({ fault, seen: 0 }),
    next: (route) => {
      let due: Misbehaviour | null = null;
      for (const one of faults) {
        const { does, route: meant, from = 1, times = 1 } = one.fault;
        if (meant !== undefined && !meant.test(route)) continue;
        one.seen += 1;
        if (one.seen >= from && one.seen < from + times) due ??= does;
      }
      return due;
    },
  };
}

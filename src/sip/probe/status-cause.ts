import type { SipResponse } from '../message/message.ts';
import { headerOf } from '../message/message.ts';

const causes: Readonly<Record<number, string>> = {
  402: 'payment_required',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  408: 'proxy_timeout',
  410: 'gone',
  420: 'bad_extension',
  423: 'interval_too_brief',
  480: 'temporarily_unavailable',
  482: 'loop_detected',
  483: 'too_many_hops',
  484: 'address_incomplete',
  485: 'ambiguous',
  486: 'busy',
  487: 'terminated',
  488: 'not_acceptable',
  503: 'service_unavailable',
  600: 'busy',
  603: 'declined',
  604: 'not_found',
  606: 'not_acceptable',
};

/** The cause word for a final answer that is no success; RFC 3261 §21. */
export const causeOfStatus = (status: number): string =>
  causes[status] ?? (status >= 500 && status < 600 ? 'server_error' : 'unexpected_status');

/** What the server itself says of its answer: status, Reason and Warning, and when to come again. */
export function answerFacts(response: SipResponse): Record<string, unknown> {
  const said = (name: string): string | null => headerOf(response, name);
  const retryAfter = /^\s*(\d{1,10})(?!\d)/.exec(said('Retry-After') ?? '')?.[1];
  return {
    status: response.status,
    reason: response.reason,
    ...(retryAfter === undefined ? {} : { retryAfter: Number(retryAfter) }),
    ...given('warning', said('Warning')),
    ...given('reasonHeader', said('Reason')),
    ...given('server', said('Server') ?? said('User-Agent')),
  };
}

const given = (name: string, value: string | null): Record<string, unknown> =>
  value === null ? {} : { [name]: value };

import { account, byAddress, type Fault } from './fault.ts';
import { lossyCallee, type Peer, rightPassword, sipp } from './fault-peers.ts';

const calling = { flags: ['--call', '+15551234567', '--seconds', '1'], stage: 'call' } as const;
const callEnded = ['INVITE', 'ACK', 'BYE'] as const;
/** An account that signs its calls and does not register. */
const caller = account('alice', { registration: false });

/** A SIPp that answers a call with this. */
const calleeSays = (status: string, header?: string): Peer =>
  sipp('call-refused.xml', { status, ...(header !== undefined && { header }) });

/** What becomes of a call. */
export const calls: readonly Fault[] = [
  {
    name: 'a call with sound both ways',
    peer: sipp('answer.xml', {}, { echo: true }),
    trunk: byAddress,
    ...{ ...calling, cause: null, status: 'passed', hears: callEnded },
  },
  {
    name: 'a call with early media',
    peer: sipp('call-early.xml', {}, { echo: true }),
    trunk: byAddress,
    ...{ ...calling, cause: null, status: 'passed', hears: callEnded },
  },
  {
    name: 'a call that is signed',
    peer: sipp('call-challenged.xml', { user: 'alice', password: rightPassword }, { echo: true }),
    ...{ trunk: caller, ...calling, cause: null, status: 'passed', hears: ['INVITE', 'ACK', ...callEnded] },
  },
  {
    name: 'a call without the account that is wanted',
    ...{ peer: sipp('call-challenged.xml'), trunk: byAddress },
    ...{ ...calling, cause: 'credentials_missing', status: 'failed', hears: ['INVITE', 'ACK'] },
  },
  {
    ...{ name: 'a call without sound from there', peer: sipp('answer.xml'), trunk: byAddress },
    ...{ ...calling, cause: 'no_audio_received', status: 'failed', hears: callEnded },
  },
  {
    ...{ name: 'a call with gaps in the sound', peer: lossyCallee, trunk: byAddress },
    ...{ ...calling, cause: 'audio_lost', status: 'failed', hears: callEnded },
  },
  {
    ...{ name: 'a call that nobody answers', peer: sipp('call-ringing.xml'), trunk: byAddress },
    ...{ ...calling, cause: 'not_answered', status: 'failed', hears: ['INVITE', 'CANCEL', 'ACK'] },
  },
  {
    ...{ name: 'a call that is to be encrypted, and is not', peer: sipp('answer.xml', {}, { echo: true }) },
    ...{ trunk: { ...byAddress, srtp: true }, ...calling, cause: 'srtp_refused', status: 'failed' },
    hears: callEnded,
  },
  ...(
    [
      ['402 Payment Required', 'payment_required'],
      ['403 Forbidden', 'forbidden'],
      ['404 Not Found', 'not_found'],
      ['408 Request Timeout', 'proxy_timeout'],
      ['480 Temporarily Unavailable', 'temporarily_unavailable'],
      ['484 Address Incomplete', 'address_incomplete'],
      ['486 Busy Here', 'busy'],
      ['488 Not Acceptable Here', 'not_acceptable'],
      ['603 Decline', 'declined'],
    ] as const
  ).map(
    ([status, cause]): Fault => ({
      ...{ name: `a call that is answered with ${status}`, peer: calleeSays(status), trunk: byAddress },
      ...{ ...calling, cause, status: 'failed', hears: ['INVITE', 'ACK'] },
    }),
  ),
  {
    name: 'a call that is answered with 503 Service Unavailable',
    peer: calleeSays('503 Service Unavailable', 'Retry-After: 30'),
    ...{ trunk: byAddress, ...calling, cause: 'service_unavailable', status: 'failed' },
    ...{ facts: { retryAfter: 30 }, hears: ['INVITE', 'ACK'] },
  },
];

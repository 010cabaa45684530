import { SipctlError } from '../errors.ts';
import type { UserUnderTest } from '../pipeline/test-user.ts';
import type { Input, OptionSpec } from './command.ts';

/** What makes the test of a user one of a browser. */
export const webRtcFlags: readonly OptionSpec[] = [
  ['--webrtc', 'come in as a browser would: SIP over a secure WebSocket'],
  [
    '--path <path>',
    'with --webrtc: the resource of the WebSocket; /ws on Asterisk, / on FreeSWITCH, where not given',
  ],
  ['--call <number>', 'with --webrtc: offer this number a browser’s media, read the answer, and hang up'],
];

/** A browser’s way to the PBX, and what it would offer there. */
type WebRtcTest = Pick<UserUnderTest['server'], 'transport' | 'port' | 'path'> &
  Pick<UserUnderTest, 'webrtc'>;

/** Where both engines have their WebSockets by their own examples. */
const places = {
  asterisk: { wss: 8089, ws: 8088, path: '/ws' },
  freeswitch: { wss: 7443, ws: 5066, path: '/' },
} as const;

/** Null where no browser is meant. @throws SipctlError `invalid` */
export function webRtcOf({ options }: Input, engine: string | null): WebRtcTest | null {
  const { webrtc, call, path } = options;
  if (webrtc !== true) {
    if (typeof call === 'string') throw alone('call');
    if (typeof path === 'string') throw alone('path');
    return null;
  }
  const transport = transportOf(options.transport);
  const place = places[engine === 'freeswitch' ? engine : 'asterisk'];
  return {
    transport,
    port: place[transport],
    path: typeof path === 'string' ? pathOf(path) : place.path,
    webrtc: { number: typeof call === 'string' ? numberOf(call) : null, engine },
  };
}

function transportOf(given: unknown): 'ws' | 'wss' {
  if (given === undefined) return 'wss';
  if (given === 'ws' || given === 'wss') return given;
  throw invalid(
    'transport',
    `a browser speaks ws and wss, and not ${String(given)}`,
    'leave --transport away, or give ws',
  );
}

function pathOf(given: string): string {
  if (/^\/[!$&-;=@-Z_a-z~%?]*$/.test(given)) return given;
  throw invalid('path', `'${given}' is not the path of a URL`, 'write it as /ws');
}

// As it stands in a URI: what a phone can dial.
function numberOf(given: string): string {
  if (/^\+?[\w*.-]{1,64}$/.test(given)) return given;
  throw invalid(
    'call',
    `'${given}' is not a number that a phone can dial`,
    'give an extension, for example 1002',
  );
}

const alone = (field: string): SipctlError =>
  invalid(field, 'only a browser’s test has it', 'give --webrtc, too');

const invalid = (field: string, why: string, hint: string): SipctlError =>
  new SipctlError('invalid', { code: `invalid_${field}`, message: `${field}: ${why}`, field, hint });

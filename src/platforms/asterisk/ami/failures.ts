import { SipctlError } from '../../../errors.ts';
import type { AmiMessage } from './codec.ts';

/** Asterisk answered an action with `Response: Error`. Carries the action's name and Asterisk's words, no fields. */
export class AmiError extends SipctlError {
  readonly action: string;
  /** What Asterisk said, for example `No such channel`. */
  readonly reply: string;

  constructor(action: string, reply: string) {
    const denied = /^permission denied/i.test(reply);
    super(denied ? 'refused' : 'failed', {
      code: denied ? 'ami_denied' : 'ami_error',
      message: `Asterisk refused ${action}: ${reply}`,
      hint: denied
        ? `give the manager user a write= class that allows ${action} in manager.conf, then 'manager reload'`
        : 'the Asterisk log (messages or full) says more',
    });
    this.name = 'AmiError';
    this.action = action;
    this.reply = reply;
  }
}

/** The error of an answer; a refused CLI command says why in its output. */
export function amiError(action: string, answer: AmiMessage): AmiError {
  const said = answer.output.find((line) => line.trim() !== '') ?? answer.get('Message') ?? 'no reason given';
  return new AmiError(action, printable(said));
}

/** Where a manager interface listens, for messages: `127.0.0.1:5038`, `[::1]:5038`. */
export interface Place {
  host: string;
  port: number;
  encrypted: boolean;
}

const placeName = (place: Place): string =>
  place.host.includes(':') ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;

/** What an opening was doing when it ended; decides what is advised. */
export type Stage = 'connecting' | 'handshake' | 'banner' | 'login';

const unreachable = (code: string, message: string, hint: string, cause?: unknown): SipctlError =>
  new SipctlError('unreachable', { code, message, hint }, cause === undefined ? {} : { cause });

const switchedOn =
  'check that Asterisk runs there, that manager.conf has enabled=yes with this bindaddr and port, and that no firewall is between';
const rightPort = (place: Place): string =>
  place.encrypted
    ? 'check that this is the port of tlsbindaddr in manager.conf (5039 by default), with tlsenable=yes'
    : 'check that this is the port of the manager interface (5038 by default); a TLS port needs TLS switched on here too; if it is, Asterisk hangs';

const stageWords: Record<Stage, string> = {
  connecting: 'did not accept the connection',
  handshake: 'did not finish the TLS handshake',
  banner: 'did not greet',
  login: 'did not answer the login',
};

/** The opening took longer than it may. */
export function openingTimedOut(place: Place, stage: Stage, ms: number): SipctlError {
  return unreachable(
    'ami_timeout',
    `the manager interface at ${placeName(place)} ${stageWords[stage]} within ${seconds(ms)}`,
    stage === 'connecting' ? switchedOn : rightPort(place),
  );
}

/** The opening failed: nothing listens, no such name, a certificate that is not trusted. */
export function openingFailed(place: Place, stage: Stage, cause: Error | null): SipctlError {
  const { code = '', reason: tlsReason } = (cause ?? {}) as NodeJS.ErrnoException & { reason?: string };
  // OpenSSL's own message names its source files; its reason is the part that people can use.
  const words = code.startsWith('ERR_SSL') ? `TLS: ${tlsReason ?? code}` : cause?.message || code;
  const reason = cause === null ? 'the connection was closed' : printable(words);
  const certificate = /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO_/.test(code);
  let hint = stage === 'connecting' ? switchedOn : rightPort(place);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    hint = 'check the spelling of the host, and that this machine can resolve it';
  } else if (certificate) {
    hint =
      'give the PEM file of the authority that signed the certificate, and connect by a name that stands in it';
  } else if (stage === 'login') {
    hint = 'check authlimit and the deny/permit or acl lines in manager.conf';
  }
  return unreachable(
    certificate ? 'ami_certificate' : 'ami_unreachable',
    `cannot connect to the manager interface at ${placeName(place)}: ${reason}`,
    hint,
    cause ?? undefined,
  );
}

/** Something listens, but it is another protocol. */
export function notAnAmi(place: Place, banner: string): SipctlError {
  return unreachable(
    'ami_banner',
    `${placeName(place)} is not an Asterisk manager interface: it says '${printable(banner)}'`,
    rightPort(place),
  );
}

export function openingInterrupted(place: Place, cause: unknown): SipctlError {
  return new SipctlError(
    'interrupted',
    {
      code: 'interrupted',
      message: `connecting to the manager interface at ${placeName(place)} was interrupted`,
    },
    { cause },
  );
}

/** Asterisk gives one answer for an unknown user, a wrong secret and an address that is not permitted. */
export function loginRefused(place: Place, username: string, reply: string): SipctlError {
  return new SipctlError('refused', {
    code: 'ami_login',
    message: `the manager interface at ${placeName(place)} refused the user '${printable(username)}': ${printable(reply)}`,
    hint: `check section [${printable(username)}] of manager.conf: its secret, and that deny/permit or acl allow this host; then 'manager reload'`,
  });
}

/** Without a challenge the secret would cross the network in clear text. */
export function noChallenge(place: Place, username: string, reply: string): SipctlError {
  return new SipctlError('refused', {
    code: 'ami_clear_text',
    message: `the manager interface at ${placeName(place)} offers no MD5 challenge (${printable(reply)}), and the secret of '${printable(username)}' is not sent over an unencrypted connection`,
    hint: 'connect over TLS (tlsenable in manager.conf), or to the manager interface itself where a proxy stands between',
  });
}

export function actionTimedOut(place: Place, action: string, ms: number): SipctlError {
  return unreachable(
    'ami_timeout',
    `the manager interface at ${placeName(place)} did not answer ${action} within ${seconds(ms)}`,
    `see whether Asterisk on that host is alive: asterisk -rx 'core show uptime'`,
  );
}

/** The open connection ended before this was answered. */
export function connectionLost(place: Place, waiting: string, cause?: Error | null): SipctlError {
  const reason = cause ? ` (${printable(cause.message)})` : '';
  return unreachable(
    'ami_lost',
    `the connection to the manager interface at ${placeName(place)} was lost${reason}${waiting}`,
    'see whether Asterisk on that host was restarted or stopped, then run the command again',
    cause ?? undefined,
  );
}

export function connectionClosed(place: Place, action: string): SipctlError {
  return unreachable(
    'ami_closed',
    `${action} was not done: the connection to the manager interface at ${placeName(place)} is closed`,
    'run the command again',
  );
}

const seconds = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

/** Words from the network, without what could disturb a terminal. */
function printable(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean;
}

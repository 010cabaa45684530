import { SipctlError } from '../../../errors.ts';
import { ControlFailures, type ControlWords, type Place, printable } from '../../control/failures.ts';
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

const words: ControlWords = {
  code: 'ami',
  name: 'the manager interface',
  engine: 'Asterisk',
  switchedOn:
    'check that Asterisk runs there, that manager.conf has enabled=yes with this bindaddr and port, and that no firewall is between',
  rightPort: ({ encrypted }) =>
    encrypted
      ? 'check that this is the port of tlsbindaddr in manager.conf (5039 by default), with tlsenable=yes'
      : 'check that this is the port of the manager interface (5038 by default); a TLS port needs TLS switched on here too; if it is, Asterisk hangs',
  accessRules: 'check authlimit and the deny/permit or acl lines in manager.conf',
  alive: `see whether Asterisk on that host is alive: asterisk -rx 'core show uptime'`,
};

/** What can fail at a manager interface. */
export class AmiFailures extends ControlFailures {
  constructor(place: Place) {
    super(place, words);
  }

  /** Asterisk gives one answer for an unknown user, a wrong secret and an address that is not permitted. */
  loginRefused(username: string, reply: string): SipctlError {
    const user = printable(username);
    return new SipctlError('refused', {
      code: 'ami_login',
      message: `${this.subject} refused the user '${user}': ${printable(reply)}`,
      hint: `check section [${user}] of manager.conf: its secret, and that deny/permit or acl allow this host; then 'manager reload'`,
    });
  }

  /** Without a challenge the secret would cross the network in clear text. */
  noChallenge(username: string, reply: string): SipctlError {
    return new SipctlError('refused', {
      code: 'ami_clear_text',
      message: `${this.subject} offers no MD5 challenge (${printable(reply)}), and the secret of '${printable(username)}' is not sent over an unencrypted connection`,
      hint: 'connect over TLS (tlsenable in manager.conf), or to the manager interface itself where a proxy stands between',
    });
  }
}

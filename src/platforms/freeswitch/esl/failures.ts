import { SipctlError } from '../../../errors.ts';
import { ControlFailures, type ControlWords, type Place, printable } from '../../control/failures.ts';

/** FreeSWITCH did not do a command. Carries the command's first word and FreeSWITCH's words, no arguments. */
export class EslError extends SipctlError {
  readonly command: string;
  /** What FreeSWITCH said, for example `-ERR No such channel!`. */
  readonly reply: string;

  constructor(command: string, reply: string) {
    const said = printable(reply);
    const denied = /^-ERR permission denied/i.test(said);
    const unknown = /^-ERR \S+ Command not found!/i.test(said);
    super(denied ? 'refused' : 'failed', {
      code: denied ? 'esl_denied' : 'esl_error',
      message: `FreeSWITCH refused ${command}: ${said.replace(/^-ERR\s+/, '') || 'an empty answer'}`,
      hint: denied
        ? `allow ${command} in the user's esl-allowed-api, or sign in with the password of event_socket.conf.xml`
        : unknown
          ? `load the module that brings ${command} in modules.conf.xml`
          : 'the FreeSWITCH log (freeswitch.log) says more',
    });
    this.name = 'EslError';
    this.command = command;
    this.reply = said;
  }
}

const words: ControlWords = {
  code: 'esl',
  name: 'the event socket',
  engine: 'FreeSWITCH',
  switchedOn:
    'check that FreeSWITCH runs there, that mod_event_socket is loaded with this listen-ip and listen-port (event_socket.conf.xml), and that no firewall is between',
  rightPort: () =>
    'check that this is listen-port of event_socket.conf.xml (8021 by default); if it is, FreeSWITCH hangs',
  accessRules: 'check apply-inbound-acl in event_socket.conf.xml',
  alive: `see whether FreeSWITCH on that host is alive: fs_cli -x status`,
};

/** What can fail at an event socket. */
export class EslFailures extends ControlFailures {
  constructor(place: Place) {
    super(place, words);
  }

  passwordRefused(reply: string): SipctlError {
    return new SipctlError('refused', {
      code: 'esl_login',
      message: `${this.subject} refused the password: ${printable(reply)}`,
      hint: `check password in event_socket.conf.xml; a new one counts after 'reload mod_event_socket'`,
    });
  }

  addressRefused(said: string): SipctlError {
    return new SipctlError('refused', {
      code: 'esl_acl',
      message: `${this.subject} does not allow connections from this host: ${printable(said)}`,
      hint: `check apply-inbound-acl in event_socket.conf.xml and that list in acl.conf.xml, then 'reloadacl' or 'reload mod_event_socket'`,
    });
  }

  /** Answers carry no number: where one cannot belong to its command, none after it can be trusted. */
  outOfStep(command: string): SipctlError {
    return new SipctlError('failed', {
      code: 'esl_out_of_step',
      message: `${this.subject} gave an answer that cannot be one to ${command}; the connection was ended`,
      hint: 'run the command again',
    });
  }
}

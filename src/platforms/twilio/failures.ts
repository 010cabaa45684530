import { type Outcome, type Problem, SipctlError } from '../../errors.ts';
import { printable } from '../control/failures.ts';

/** The codes of what may have taken effect although nobody said so. */
const undecidedCodes = ['twilio_no_answer', 'twilio_server_error'];

/** True where a request may have been carried out or not: whoever sent it has to look before it is repeated. */
export const isUndecided = (error: unknown): boolean =>
  error instanceof SipctlError && undecidedCodes.includes(error.problems[0]?.code ?? '');

/** What Twilio said, or why it said nothing; without the request, whose headers hold the credentials. */
export interface Refusal {
  status: number;
  /** Twilio's own, 0 where it gave none. */
  code: number;
  message: string;
}

/** Turns what Twilio answered into a cause and a remedy. `doing` completes "while …". */
export function answeredError(
  { status, code, message }: Refusal,
  doing: string,
  account: string,
): SipctlError {
  const said = message === '' ? `HTTP ${status}` : printable(message);
  const told = code === 0 ? said : `${said} (${code})`;
  const { outcome, name, words, hint } = kindOfRefusal(status, code, account);
  const more = code === 0 ? '' : `; https://www.twilio.com/docs/api/errors/${code}`;
  return new SipctlError(outcome, {
    code: name,
    message: `${words ?? 'Twilio refused'} while ${doing}: ${told}`,
    hint: `${hint}${more}`,
  });
}

interface Explanation {
  outcome: Outcome;
  name: string;
  words?: string;
  hint: string;
}

function kindOfRefusal(status: number, code: number, account: string): Explanation {
  const known = byCode[code];
  if (known !== undefined) return known;
  if (status === 401 || code === 20003)
    return {
      outcome: 'refused',
      name: 'twilio_denied',
      words: `Twilio denied the credentials of account ${account}`,
      hint: 'compare the account SID, and the auth token or API key, with those in the Twilio console, and store them anew with sipctl twilio account set',
    };
  if (status === 403)
    return {
      outcome: 'refused',
      name: 'twilio_forbidden',
      hint: 'see in the Twilio console whether the account is active, and whether the API key may do this',
    };
  if (status === 404)
    return {
      outcome: 'notFound',
      name: 'twilio_not_found',
      hint: 'it was removed, or belongs to another account: sipctl plan shows what is there',
    };
  if (status === 409)
    return {
      outcome: 'conflict',
      name: 'twilio_conflict',
      hint: 'something else changes the same thing at Twilio: run the command again',
    };
  if (status === 429) return busy;
  if (status >= 500)
    return {
      outcome: 'unreachable',
      name: 'twilio_server_error',
      words: 'Twilio failed',
      hint: 'see https://status.twilio.com, and run the command again: it goes on where it stopped',
    };
  return { outcome: 'failed', name: 'twilio_refused', hint: 'what was sent is not what Twilio takes' };
}

const busy: Explanation = {
  outcome: 'unreachable',
  name: 'twilio_busy',
  words: 'Twilio asked to wait',
  hint: 'the account sends too many requests: run the command again in a minute',
};

const inactive: Explanation = {
  outcome: 'refused',
  name: 'twilio_account_inactive',
  hint: 'the account is suspended or closed: see the Twilio console',
};

const limit: Explanation = {
  outcome: 'refused',
  name: 'twilio_limit',
  hint: 'take away what is not needed (sipctl twilio orphans shows what nobody remembers), or ask Twilio for more',
};

const inUse: Explanation = {
  outcome: 'refused',
  name: 'twilio_in_use',
  hint: 'something else in the account depends on it: see the Twilio console',
};

const notTaken = (what: string): Explanation => ({
  outcome: 'failed',
  name: 'twilio_refused',
  hint: `${what} is not such as Twilio takes`,
});

/** @see https://www.twilio.com/docs/api/errors */
const byCode: Readonly<Record<number, Explanation>> = {
  20005: inactive,
  20008: {
    outcome: 'refused',
    name: 'twilio_test_credentials',
    hint: 'these are test credentials, with which nothing can be made: store the live ones with sipctl twilio account set',
  },
  20429: busy,
  21239: limit,
  21240: notTaken('the name of the credential list'),
  21241: inUse,
  21242: limit,
  21243: notTaken('the SIP user name, or its password,'),
  21244: limit,
  21245: notTaken('the name of the trunk, or its domain,'),
  21247: inUse,
  21248: {
    outcome: 'conflict',
    name: 'twilio_domain_taken',
    hint: 'another trunk has this domain, or had it within the last 30 days: run sipctl twilio ensure, which chooses another',
  },
  21249: limit,
  21404: {
    outcome: 'refused',
    name: 'twilio_trial',
    hint: 'a trial account cannot have this number: upgrade it in the Twilio console',
  },
  21472: inactive,
};

/** No answer came. */
export function unansweredError(problem: { code: string; message: string; hint: string }): SipctlError {
  return new SipctlError('unreachable', problem satisfies Problem);
}

export function interruptedError(): SipctlError {
  return new SipctlError('interrupted', {
    code: 'interrupted',
    message: 'asking Twilio was interrupted',
    hint: 'run the command again: it goes on where it stopped',
  });
}

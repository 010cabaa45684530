import { type Case, type Explanations, fact, set } from './case.ts';

/** Final answers that mean the same wherever they come. */
export const answered: Explanations = {
  forbidden: (one) =>
    one.stage === 'call'
      ? {
          message: `${one.subject.host} forbids the call (403): mostly it does not like the caller’s number`,
          field: 'fromUser',
          hint: `it must be a number of the account or one verified at the carrier: ${set(one, '--did <number> --from-user did-plus')}`,
        }
      : one.subject.authType === 'ip'
        ? {
            message: `${one.subject.host} does not know this address (403)`,
            hint: 'have the PBX’s public address allowed at the carrier, and test from there: --via <node>',
          }
        : Number(one.facts.attempts) > 0
          ? {
              message: `${one.subject.host} forbids it (403) once it has seen the password: FreeSWITCH and others say so of a wrong one; or the account is locked`,
              field: 'password',
              hint: set(one, '--password-stdin'),
            }
          : {
              message: `${one.subject.host} forbids it (403): the account is known and locked, or this address is not allowed`,
              field: 'username',
              hint: 'look at the account on the carrier’s own pages: is it active, paid, and free of an address filter?',
            },
  payment_required: (one) => ({
    message: `${one.subject.host} wants to be paid first (402)`,
    hint: 'top the account up',
  }),
  not_found: (one) =>
    one.stage === 'webrtc'
      ? {
          message: `${one.subject.host} has no number ${fact(one, 'number')} for this user (404)`,
          hint: 'name one that the user may call, another user’s extension for example: --call <number>',
        }
      : {
          message: `${one.subject.host} knows no such number (404)`,
          field: 'numberFormat',
          hint: numberHint(one),
        },
  address_incomplete: (one) => ({
    message: `${one.subject.host} finds the number incomplete (484)`,
    field: 'numberFormat',
    hint: numberHint(one),
  }),
  ambiguous: (one) => ({
    message: `${one.subject.host} finds the number ambiguous (485)`,
    field: 'numberFormat',
    hint: numberHint(one),
  }),
  gone: () => ({ message: 'the number is not in use any more (410)', hint: 'call another one' }),
  method_not_allowed: (one) =>
    one.stage === 'register'
      ? {
          message: `${one.subject.host} takes no REGISTER (405)`,
          field: 'registration',
          hint: set(one, '--no-registration'),
        }
      : {
          message: `${one.subject.host} does not allow it (405)`,
          hint: 'is that the SIP host of the trunk?',
        },
  proxy_timeout: (one) => ({
    message: `a proxy of ${one.subject.host} got no answer from what is behind it (408)`,
    hint: 'a fault of the carrier, or a number that nobody answers for',
  }),
  bad_extension: () => ({
    message: 'the server does not know an extension that is required (420)',
    hint: '--trace <file> shows which one',
  }),
  temporarily_unavailable: () => ({
    message: 'the called party is not there now (480)',
    hint: 'a phone that is not registered, or one that is set to do not disturb; call another number',
  }),
  busy: () => ({
    message: 'the called party is busy (486)',
    hint: 'that the trunk works is proven by it; call again',
  }),
  declined: () => ({
    message: 'the called party declines the call (603)',
    hint: 'some carriers say so of callers that they take for spam: look at the caller’s number',
  }),
  terminated: () => ({ message: 'the call was ended before it was answered (487)', hint: 'call again' }),
  loop_detected: () => ({
    message: 'the request came back to where it had been (482)',
    hint: 'is the host of the trunk the own PBX?',
  }),
  too_many_hops: () => ({
    message: 'the request passed too many servers (483)',
    hint: 'is the host of the trunk the own PBX?',
  }),
  not_acceptable: (one) =>
    one.stage === 'webrtc'
      ? browserRefused(one)
      : {
          message: `${one.subject.host} ${refusedMedia(one)}${warned(one)}: ${one.subject.codecs.join(',')}${one.subject.srtp ? ', with SRTP' : ', without SRTP'}`,
          field: mediaField(one),
          hint:
            mediaField(one) === 'srtp'
              ? set(one, one.subject.srtp ? '--no-srtp' : '--srtp --transport tls')
              : set(one, `--codecs ${one.subject.template.codecs.join(',') || 'ulaw,alaw'}`),
        },
  service_unavailable: (one) => ({
    message: `${one.subject.host} is overloaded or under repair (503)${typeof one.facts.retryAfter === 'number' ? `; it asks to come again in ${one.facts.retryAfter} s` : ''}`,
    hint: 'wait; when it stays so, ask the carrier, and whether the trunk’s limit of calls is reached',
  }),
  server_error: (one) => ({
    message: `${one.subject.host} fails with an error of its own (${fact(one, 'status')})`,
    hint: 'ask the carrier; --trace <file> has what they will want to see',
  }),
  unexpected_status: (one) => ({
    message: `${one.subject.host} answers with ${fact(one, 'status')}`,
    hint: '--trace <file> shows the whole answer',
  }),
};

const browserRefused = (one: Case) => ({
  message: `${one.subject.host} does not take what a browser offers (${fact(one, 'status')})${warned(one)}`,
  ...(isFreeswitch(one) ? refusedCodecs : { field: 'template', hint: undelivered(one) }),
});

const isFreeswitch = (one: Case): boolean => /freeswitch/i.test(fact(one, 'server'));

// It makes any of its users one for browsers: what it may lack is a codec.
const refusedCodecs = {
  field: 'codecs',
  hint: 'has the SIP profile a codec of browsers (OPUS, PCMU) in inbound-codec-prefs? The log of FreeSWITCH says what it missed',
};

const undelivered = (one: Case): string =>
  `what the PBX has of this user is no WebRTC endpoint: was it delivered? sipctl apply; else ${set(one, '--template webrtc_user')}`;

// A call may also be taken with an answer that holds nothing of what was offered.
const refusedMedia = ({ facts: { status } }: Case): string =>
  typeof status === 'number' && status < 300
    ? 'takes the call, and none of the media that were offered'
    : `does not accept the media that were offered (${typeof status === 'number' ? status : 488})`;

const warned = (one: Case): string =>
  typeof one.facts.warning === 'string' ? ` (${one.facts.warning})` : '';

// What a server complains of, where it says it; else what was asked beyond the carrier's own list.
function mediaField(one: Case): 'srtp' | 'codecs' {
  const said = `${fact(one, 'warning')} ${fact(one, 'reason')} ${fact(one, 'reasonHeader')}`.toLowerCase();
  if (/srtp|crypto|savp|encrypt/.test(said)) return 'srtp';
  const known = one.subject.template.codecs;
  const common = one.subject.codecs.some((codec) => known.includes(codec));
  return common &&
    (one.subject.srtp ? one.subject.template.srtp !== 'required' : one.subject.template.srtp === 'required')
    ? 'srtp'
    : 'codecs';
}

function numberHint(one: Case): string {
  const { template, numberFormat, techPrefix } = one.subject;
  const wanted =
    template.dialedFormat === null ? '' : ` ${template.displayName} wants ${template.dialedFormat}.`;
  const prefix = techPrefix === null ? '' : ` A tech prefix stands before it: ${techPrefix}.`;
  return `numbers are written '${numberFormat}' now.${wanted}${prefix} ${set(one, '--number-format plus|digits|national')}`;
}

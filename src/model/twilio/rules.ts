import { ok, type Rule, wrong } from '../field.ts';
import { password } from '../rules.ts';
import type { Secret } from '../secret.ts';

/** The rules of Twilio's values; each as Twilio's API documentation words it. */

/** A SID: two letters and 32 hexadecimal digits. */
export const sid =
  (prefix: string, of: string): Rule<string> =>
  (text) =>
    new RegExp(`^${prefix}[0-9a-fA-F]{32}$`).test(text)
      ? ok(text)
      : wrong(
          `'${text}' is no SID of an ${of}`,
          `it is ${prefix} and 32 hexadecimal digits: see the Twilio console`,
        );

/** Names of domains end in `.pstn.twilio.com`; letters, digits and inner dashes of one label stand before it. */
export const domainPrefix: Rule<string> = (text) =>
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
    ? ok(text)
    : wrong(
        `'${text}' cannot stand before .pstn.twilio.com`,
        'use a-z, 0-9 and inner dashes, at most 63 characters',
      );

/** @see https://www.twilio.com/docs/voice/sip/api/sip-credential-resource */
export const longestUsername = 32;

export const sipUsername: Rule<string> = (text) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) && text.length <= longestUsername
    ? ok(text)
    : wrong(
        `'${text}' is no user name of a credential list`,
        `use letters, digits and . _ -, at most ${longestUsername}`,
      );

/** At least twelve characters, with a digit, and letters of both cases. */
export const sipPassword: Rule<Secret> = (text) =>
  text.length >= 12 && /[0-9]/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text)
    ? password(text)
    : wrong(
        'is not one that Twilio takes',
        'at least 12 characters, with a digit, a lower-case and an upper-case letter',
      );

/** Where calls are sent: a SIP address without a user part, of a host that can be reached from outside. */
export const originationUrl: Rule<string> = (text) =>
  /^sips?:(?:[A-Za-z0-9._+-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:;[A-Za-z0-9=._-]+)*$/.test(
    text,
  ) && text.length <= 255
    ? ok(text)
    : wrong(
        `'${text}' is no SIP address that calls can be sent to`,
        'write it as sip:host or sip:host:port;transport=tls',
      );

/** The address of a LiveKit project. */
export const serverUrl: Rule<string> = (text) =>
  URL.canParse(text) && /^(?:wss?|https?):$/.test(new URL(text).protocol) && new URL(text).username === ''
    ? ok(text)
    : wrong(`'${text}' is no address of a LiveKit project`, 'write it as wss://project.livekit.cloud');

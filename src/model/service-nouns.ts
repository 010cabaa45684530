import { field, noun } from './declare.ts';
import type { ObjectOf } from './field.ts';
import * as rule from './rules.ts';
import * as twilio from './twilio/rules.ts';

const label = field('text', 'label', rule.text(100), 'what it is for');

/** An account at Twilio, or a subaccount, of one tenant. */
export const twilioAccount = noun({
  name: 'twilioAccount',
  title: 'Twilio account',
  command: 'twilio account',
  table: 'twilio_accounts',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    accountSid: field('text', 'account-sid', twilio.sid('AC', 'account'), 'SID of the account: AC…', {
      required: true,
    }),
    authToken: field('secret', 'auth-token', rule.password, 'auth token of the account'),
    apiKey: field(
      'text',
      'api-key',
      twilio.sid('SK', 'API key'),
      'SID of an API key, in the place of the auth token: SK…',
    ),
    apiSecret: field('secret', 'api-secret', rule.password, 'secret of the API key'),
    label,
  },
});

/** A trunk at Twilio, with the credentials that phones and LiveKit sign in with. Its names are kept once they are chosen. */
export const twilioTrunk = noun({
  name: 'twilioTrunk',
  title: 'Twilio trunk',
  command: 'twilio',
  table: 'twilio_trunks',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    account: field('reference', 'account', rule.slug, 'Twilio account that holds it', {
      to: 'twilioAccount',
      required: true,
    }),
    domainPrefix: field('text', 'domain-prefix', twilio.domainPrefix, 'what stands before .pstn.twilio.com', {
      required: true,
    }),
    friendlyName: field('text', 'friendly-name', rule.text(64), 'name of the trunk at Twilio', {
      required: true,
    }),
    sipUsername: field('text', 'sip-username', twilio.sipUsername, 'user of its credential list', {
      required: true,
    }),
    sipPassword: field('secret', 'sip-password', twilio.sipPassword, 'password of that user', {
      required: true,
    }),
    secure: field('boolean', 'secure', rule.boolean, 'TLS and SRTP only', { initial: false }),
    recording: field(
      'text',
      'recording',
      rule.oneOf(
        'do-not-record',
        'record-from-ringing',
        'record-from-answer',
        'record-from-ringing-dual',
        'record-from-answer-dual',
      ),
      'what Twilio records: do-not-record; record-from-ringing or record-from-answer, -dual for both sides apart',
      { initial: 'do-not-record' },
    ),
    trim: field(
      'text',
      'trim',
      rule.oneOf('trim-silence', 'do-not-trim'),
      'silence at the ends of a recording: trim-silence or do-not-trim',
      {
        initial: 'do-not-trim',
      },
    ),
    trunk: field('reference', 'trunk', rule.trunkName, 'trunk of the tenant that PBXs are provisioned with', {
      to: 'trunk',
    }),
  },
});

/** Where Twilio sends the calls of a trunk. */
export const twilioOrigination = noun({
  name: 'twilioOrigination',
  title: 'Twilio origination',
  command: 'twilio origination',
  table: 'twilio_originations',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    twilioTrunk: field('reference', 'twilio-trunk', rule.slug, 'Twilio trunk whose calls arrive there', {
      to: 'twilioTrunk',
      required: true,
    }),
    sipUrl: field('text', 'sip-url', twilio.originationUrl, 'sip: or sips: address that gets the calls', {
      required: true,
    }),
    priority: field('integer', 'priority', rule.integer(0, 65_535), 'lower is tried first', { initial: 10 }),
    weight: field('integer', 'weight', rule.integer(1, 65_535), 'share among those of one priority', {
      initial: 10,
    }),
  },
});

/** How a tenant's calls reach a LiveKit project, and leave it. */
export const livekit = noun({
  name: 'livekit',
  title: 'LiveKit connection',
  table: 'livekits',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    url: field('text', 'url', twilio.serverUrl, 'the project: wss://… or https://…', { required: true }),
    apiKey: field('text', 'api-key', rule.authUsername, 'API key of the project', { required: true }),
    apiSecret: field('secret', 'api-secret', rule.password, 'its secret', { required: true }),
    twilioTrunk: field('reference', 'twilio-trunk', rule.slug, 'Twilio trunk that it is connected with', {
      to: 'twilioTrunk',
      required: true,
    }),
    sipUri: field('text', 'sip-uri', twilio.originationUrl, 'SIP address of the project: sip:host:port'),
    agent: field('text', 'agent', rule.objectName, 'agent that is dispatched to each call'),
    roomPrefix: field('text', 'room-prefix', rule.objectName, 'what names of rooms begin with', {
      initial: 'call-',
    }),
  },
});

export type TwilioAccount = ObjectOf<typeof twilioAccount>;
export type TwilioTrunk = ObjectOf<typeof twilioTrunk>;
export type TwilioOrigination = ObjectOf<typeof twilioOrigination>;
export type Livekit = ObjectOf<typeof livekit>;

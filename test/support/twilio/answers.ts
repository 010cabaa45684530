import type {
  Account,
  Call,
  Credential,
  CredentialList,
  IncomingNumber,
  Origination,
  Recording,
  Trunk,
} from './account.ts';

/** How Twilio writes what an account holds. Addresses name Twilio's hosts, as they do in real answers. */
const trunking = 'https://trunking.twilio.com';
/** All was made at one time: sipctl reads none of it. */
const made = '2026-11-02T09:15:00Z';
const madeRfc = 'Mon, 02 Nov 2026 09:15:00 +0000';
const dates = { date_created: made, date_updated: made };
const datesRfc = { date_created: madeRfc, date_updated: madeRfc };

export type Json = Record<string, unknown>;

export const trunkAnswer = ({ sid: account }: Account, trunk: Trunk): Json => {
  const url = `${trunking}/v1/Trunks/${trunk.sid}`;
  return {
    sid: trunk.sid,
    account_sid: account,
    friendly_name: trunk.friendlyName,
    domain_name: trunk.domainName,
    secure: trunk.secure,
    recording: { ...trunk.recording },
    cnam_lookup_enabled: false,
    symmetric_rtp_enabled: false,
    disaster_recovery_method: null,
    disaster_recovery_url: null,
    transfer_mode: 'disable-all',
    transfer_caller_id: 'from-transferee',
    auth_type: trunk.credentialLists.length > 0 ? 'CREDENTIAL_LIST' : '',
    auth_type_set: trunk.credentialLists.length > 0 ? ['CREDENTIAL_LIST'] : [],
    ...dates,
    url,
    links: {
      origination_urls: `${url}/OriginationUrls`,
      credential_lists: `${url}/CredentialLists`,
      ip_access_control_lists: `${url}/IpAccessControlLists`,
      phone_numbers: `${url}/PhoneNumbers`,
      recording: `${url}/Recording`,
    },
  };
};

export const associationAnswer = (account: Account, trunk: Trunk, list: CredentialList): Json => ({
  account_sid: account.sid,
  sid: list.sid,
  trunk_sid: trunk.sid,
  friendly_name: list.friendlyName,
  ...dates,
  url: `${trunking}/v1/Trunks/${trunk.sid}/CredentialLists/${list.sid}`,
});

export const accessAnswer = (
  account: Account,
  trunk: Trunk,
  one: { sid: string; friendlyName: string },
): Json => ({
  account_sid: account.sid,
  sid: one.sid,
  trunk_sid: trunk.sid,
  friendly_name: one.friendlyName,
  ...dates,
  url: `${trunking}/v1/Trunks/${trunk.sid}/IpAccessControlLists/${one.sid}`,
});

export const originationAnswer = (account: Account, trunk: Trunk, origination: Origination): Json => ({
  account_sid: account.sid,
  sid: origination.sid,
  trunk_sid: trunk.sid,
  friendly_name: origination.friendlyName,
  sip_url: origination.sipUrl,
  priority: origination.priority,
  weight: origination.weight,
  enabled: origination.enabled,
  ...dates,
  url: `${trunking}/v1/Trunks/${trunk.sid}/OriginationUrls/${origination.sid}`,
});

export const trunkNumberAnswer = (account: Account, trunk: Trunk, number: IncomingNumber): Json => ({
  ...numberOf(account, number),
  ...dates,
  beta: false,
  links: { phone_number: `https://api.twilio.com${numberPath(account, number)}` },
  url: `${trunking}/v1/Trunks/${trunk.sid}/PhoneNumbers/${number.sid}`,
});

const numberPath = (account: Account, { sid }: IncomingNumber): string =>
  `/2010-04-01/Accounts/${account.sid}/IncomingPhoneNumbers/${sid}`;

const numberOf = (account: Account, number: IncomingNumber): Json => ({
  account_sid: account.sid,
  sid: number.sid,
  phone_number: number.phoneNumber,
  friendly_name: number.friendlyName,
  trunk_sid: number.trunkSid,
  address_requirements: 'none',
  api_version: '2010-04-01',
  capabilities: { voice: true, sms: false, mms: false, fax: false },
  voice_caller_id_lookup: false,
  voice_url: null,
  voice_method: 'POST',
});

export const numberAnswer = (account: Account, number: IncomingNumber): Json => ({
  ...numberOf(account, number),
  ...datesRfc,
  beta: false,
  origin: 'twilio',
  status: 'in-use',
  emergency_status: 'Inactive',
  emergency_address_status: 'unregistered',
  voice_receive_mode: 'voice',
  uri: `${numberPath(account, number)}.json`,
});

export const accountAnswer = (account: Account): Json => ({
  sid: account.sid,
  owner_account_sid: account.sid,
  friendly_name: account.friendlyName,
  auth_token: account.authToken,
  status: 'active',
  type: 'Full',
  ...datesRfc,
  uri: `/2010-04-01/Accounts/${account.sid}.json`,
  subresource_uris: { calls: `/2010-04-01/Accounts/${account.sid}/Calls.json` },
});

const listPath = (account: Account, { sid }: CredentialList): string =>
  `/2010-04-01/Accounts/${account.sid}/SIP/CredentialLists/${sid}`;

export const credentialListAnswer = (account: Account, list: CredentialList): Json => ({
  account_sid: account.sid,
  sid: list.sid,
  friendly_name: list.friendlyName,
  ...datesRfc,
  uri: `${listPath(account, list)}.json`,
  subresource_uris: { credentials: `${listPath(account, list)}/Credentials.json` },
});

/** Without the password: Twilio never tells it. */
export const credentialAnswer = (account: Account, list: CredentialList, credential: Credential): Json => ({
  account_sid: account.sid,
  sid: credential.sid,
  credential_list_sid: list.sid,
  username: credential.username,
  ...datesRfc,
  uri: `${listPath(account, list)}/Credentials/${credential.sid}.json`,
});

export const callAnswer = (account: Account, call: Call): Json => ({
  sid: call.sid,
  account_sid: account.sid,
  ...datesRfc,
  start_time: madeRfc,
  end_time: madeRfc,
  from: call.from,
  to: call.to,
  trunk_sid: call.trunkSid,
  status: 'completed',
  direction: 'trunking-terminating',
  duration: '4',
  api_version: '2010-04-01',
  uri: `/2010-04-01/Accounts/${account.sid}/Calls/${call.sid}.json`,
  subresource_uris: { recordings: `/2010-04-01/Accounts/${account.sid}/Calls/${call.sid}/Recordings.json` },
});

export const recordingAnswer = (account: Account, recording: Recording): Json => {
  const path = `/2010-04-01/Accounts/${account.sid}/Recordings/${recording.sid}`;
  return {
    ...callRecordingAnswer(account, recording),
    // A number below a call, a text below an account: so says the specification.
    price: '0.0025',
    uri: `${path}.json`,
    media_url: `https://api.twilio.com${path}`,
  };
};

export const callRecordingAnswer = (account: Account, recording: Recording): Json => ({
  account_sid: account.sid,
  sid: recording.sid,
  call_sid: recording.callSid,
  conference_sid: null,
  api_version: '2010-04-01',
  ...datesRfc,
  start_time: madeRfc,
  duration: String(recording.duration),
  channels: recording.channels,
  status: 'completed',
  source: 'Trunking',
  price: 0.0025,
  price_unit: 'USD',
  error_code: null,
  encryption_details: null,
  uri: `/2010-04-01/Accounts/${account.sid}/Calls/${recording.callSid}/Recordings/${recording.sid}.json`,
});

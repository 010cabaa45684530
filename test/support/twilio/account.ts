import { createHash } from 'node:crypto';

/** A trunk as the account holds it, with what hangs on it alone. */
export interface Trunk {
  sid: string;
  friendlyName: string | null;
  domainName: string | null;
  secure: boolean;
  recording: { mode: string; trim: string };
  /** SIDs of the credential lists that may use it. */
  credentialLists: string[];
  ipAccessControlLists: { sid: string; friendlyName: string }[];
  originations: Origination[];
}

export interface Origination {
  sid: string;
  friendlyName: string;
  sipUrl: string;
  priority: number;
  weight: number;
  enabled: boolean;
}

export interface CredentialList {
  sid: string;
  friendlyName: string;
  credentials: Credential[];
}

export interface Credential {
  sid: string;
  username: string;
  password: string;
}

export interface IncomingNumber {
  sid: string;
  phoneNumber: string;
  friendlyName: string;
  trunkSid: string | null;
}

export interface Call {
  sid: string;
  from: string;
  to: string;
  trunkSid: string | null;
}

export interface Recording {
  sid: string;
  callSid: string;
  /** In seconds. */
  duration: number;
  channels: number;
  audio: Buffer;
}

/** Everything that one account at Twilio holds, in the order in which it was made. */
export interface Account {
  readonly sid: string;
  readonly authToken: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly friendlyName: string;
  trunks: Trunk[];
  credentialLists: CredentialList[];
  numbers: IncomingNumber[];
  calls: Call[];
  recordings: Recording[];
  /** Of trunks that were deleted: Twilio gives them to nobody for up to 30 days. */
  reservedDomains: Set<string>;
  /** Domains of other customers. */
  takenDomains: Set<string>;
  /** A SID that nothing has yet; the same ones in every run. */
  newSid(prefix: string): string;
}

export const sidOf = (prefix: string, seed: string): string =>
  prefix + createHash('md5').update(seed).digest('hex');

/** The numbers of `busyAccount` that no trunk has. */
export const freeNumbers = ['+4930111001', '+4930111002', '+4930111003'] as const;
/** The number of `busyAccount` that a trunk of somebody else has. */
export const foreignNumber = '+4930999001';

/** An account that others use too: trunks, lists, a call with a recording, and numbers of which some are free. */
export function busyAccount(): Account {
  let made = 0;
  const account: Account = {
    sid: sidOf('AC', 'account'),
    authToken: createHash('md5').update('auth token').digest('hex'),
    apiKey: sidOf('SK', 'key'),
    apiSecret: 'SecretOfTheKey0123456789abcdefgh',
    friendlyName: 'Example GmbH',
    trunks: [],
    credentialLists: [],
    numbers: [],
    calls: [],
    recordings: [],
    reservedDomains: new Set(),
    takenDomains: new Set(['taken-elsewhere.pstn.twilio.com']),
    newSid: (prefix) => {
      made += 1;
      return sidOf(prefix, `${prefix}${made}`);
    },
  };
  fill(account);
  return account;
}

function fill(account: Account): void {
  const list: CredentialList = {
    sid: account.newSid('CL'),
    friendlyName: 'office phones',
    credentials: [{ sid: account.newSid('CR'), username: 'office', password: 'OfficePhones2020' }],
  };
  // Named as sipctl names its own, made by an earlier or another database: not to be touched either.
  const alike: CredentialList = {
    sid: account.newSid('CL'),
    friendlyName: 'main-trunk-acme-1500000000',
    credentials: [{ sid: account.newSid('CR'), username: 'sip-acme', password: 'FormerSecret2017' }],
  };
  account.credentialLists.push(list, alike);
  account.trunks.push(
    trunkOf(account, 'office', 'office-example.pstn.twilio.com', [list.sid], 'sip:pbx.example.com'),
    trunkOf(
      account,
      'main-trunk-acme-1500000000',
      'user-acme-1500000000.pstn.twilio.com',
      [alike.sid],
      'sip:old.example.com',
    ),
    trunkOf(account, 'without a domain', null, [], 'sip:standby.example.com'),
  );
  const [office] = account.trunks;
  const number = (phoneNumber: string, trunkSid: string | null): void => {
    account.numbers.push({ sid: account.newSid('PN'), phoneNumber, friendlyName: phoneNumber, trunkSid });
  };
  number(foreignNumber, office?.sid ?? null);
  for (const free of freeNumbers) number(free, null);
  const call = {
    sid: account.newSid('CA'),
    from: '+4930555001',
    to: foreignNumber,
    trunkSid: office?.sid ?? null,
  };
  account.calls.push(call);
  account.recordings.push({
    sid: account.newSid('RE'),
    callSid: call.sid,
    duration: 4,
    channels: 1,
    audio: Buffer.from('RIFF of a short call'),
  });
}

function trunkOf(
  account: Account,
  friendlyName: string,
  domainName: string | null,
  credentialLists: string[],
  sipUrl: string,
): Trunk {
  const origination = { friendlyName: 'livekit', sipUrl, priority: 10, weight: 10, enabled: true };
  return {
    sid: account.newSid('TK'),
    friendlyName,
    domainName,
    secure: false,
    recording: { mode: 'do-not-record', trim: 'do-not-trim' },
    credentialLists,
    ipAccessControlLists: [
      { sid: account.newSid('AL'), friendlyName: `who may call through ${friendlyName}` },
    ],
    originations: [{ sid: account.newSid('OU'), ...origination }],
  };
}

import { createSocket } from 'node:dgram';

/** Configuration of the Asterisk that stands for everything around a PBX: phones that register, and carriers. */

/** One phone, with the credentials of its user. */
export interface PhoneAccount {
  /** Unique in a test, for example `acme-ann`. */
  name: string;
  username: string;
  password: string;
  /** SIP domain of the tenant; null: the PBX's address stands in its place. */
  domain: string | null;
}

/** One carrier, at port 5060 of an address of its own: it is told apart by the host of the request URI. */
export interface CarrierAccount {
  name: string;
  address: string;
  /** A further address through which it is called; null: there is none. */
  line: string | null;
  /** Who may register; calls are signed with the password, too. Without one whatever comes is taken. */
  credentials: { username: string; password: string | null } | null;
}

export interface SipAddress {
  host: string;
  port: number;
}

/** An address of 127.0.0.0/8 at which nobody has port 5060. */
export async function freshAddress(): Promise<string> {
  const part = (): number => 1 + Math.floor(Math.random() * 253);
  for (;;) {
    const address = `127.${part()}.${part()}.${part()}`;
    const socket = createSocket('udp4');
    const free = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind(5060, address, () => resolve(true));
    });
    socket.close();
    if (free) return address;
  }
}

/**
 * Frequencies (Hz) that a party speaks in, so that whoever hears it knows who it is: multiples of the analysis' 20 Hz,
 * and not the 1000 Hz of a beep.
 */
export const toneOf = (index: number): number => 460 + 100 * index;

const template = (type: string, lines: readonly string[]): string =>
  [`[${type}](!)`, `type = ${type}`, ...lines, ''].join('\n');

const templates = [
  // The first failure may come before the PBX knows the phone: it is tried again soon, and for ever.
  template('registration', [
    'max_random_initial_delay = 0',
    'retry_interval = 1',
    'forbidden_retry_interval = 1',
    'fatal_retry_interval = 1',
    'auth_rejection_permanent = no',
    'max_retries = 4294967295',
    'expiration = 3600',
    'line = yes',
  ]),
  template('endpoint', [
    'disallow = all',
    'allow = ulaw',
    'direct_media = no',
    'rtp_symmetric = yes',
    'dtmf_mode = rfc4733',
    'trust_id_inbound = no',
  ]),
].join('\n');

const section = (name: string, type: string, lines: readonly string[]): string => {
  const parent = type === 'registration' || type === 'endpoint' ? `(${type})` : '';
  const own = parent === '' ? [`type = ${type}`] : [];
  return [`[${name}]${parent}`, ...own, ...lines.map((line) => line.replaceAll(';', '\\;')), ''].join('\n');
};

function phoneSections({ name, username, password, domain }: PhoneAccount, pbx: SipAddress): string {
  const at = `${pbx.host}:${pbx.port}`;
  return [
    section(name, 'auth', ['auth_type = userpass', `username = ${username}`, `password = ${password}`]),
    section(name, 'aor', [`contact = sip:${at}`]),
    section(name, 'registration', [
      `server_uri = sip:${at}`,
      `client_uri = sip:${username}@${domain ?? at}`,
      `contact_user = ${name}`,
      `outbound_auth = ${name}`,
      `endpoint = ${name}`,
    ]),
    section(name, 'endpoint', [
      'context = phones',
      `outbound_auth = ${name}`,
      `aors = ${name}`,
      `from_user = ${username}`,
      `from_domain = ${domain ?? pbx.host}`,
      // The lamp: what a NOTIFY from the PBX says of waiting messages is kept under this name.
      `incoming_mwi_mailbox = ${name}@lamp`,
      `set_var = PARTY=${name}`,
    ]),
  ].join('\n');
}

function carrierSections({ name, address, line, credentials }: CarrierAccount, pbx: SipAddress): string {
  const at = [address, ...(line === null ? [] : [line])].join('|').replaceAll('.', '\\.');
  const aors = [`${name}-pbx`, ...(credentials === null ? [] : [credentials.username])];
  const account =
    credentials === null
      ? []
      : [
          section(credentials.username, 'aor', ['max_contacts = 1', 'remove_existing = yes']),
          section(name, 'auth', [
            'auth_type = userpass',
            `username = ${credentials.username}`,
            `password = ${credentials.password ?? ''}`,
          ]),
        ];
  const isOpen = (credentials?.password ?? null) === null;
  return [
    section(`transport-${name}`, 'transport', ['protocol = udp', `bind = ${address}:5060`]),
    section(name, 'identify', [`endpoint = ${name}`, `match_request_uri = /[@:](${at})([:>;]|$)/`]),
    section(`${name}-pbx`, 'aor', [`contact = sip:${pbx.host}:${pbx.port}`]),
    ...account,
    section(name, 'endpoint', [
      'context = carriers',
      `transport = transport-${name}`,
      `aors = ${aors.join(',')}`,
      ...(isOpen ? [] : [`auth = ${name}`]),
      `set_var = PARTY=${name}`,
    ]),
  ].join('\n');
}

/** What stands in `pjsip.conf` after the transports. */
export const pjsipOf = (
  phones: readonly PhoneAccount[],
  carriers: readonly CarrierAccount[],
  pbx: { phones: SipAddress; carriers: SipAddress },
): string =>
  [
    templates,
    ...phones.map((phone) => phoneSections(phone, pbx.phones)),
    ...carriers.map((carrier) => carrierSections(carrier, pbx.carriers)),
  ].join('\n');

/**
 * What a party does with a call: answer, after a while or at once, or to transfer it (REFER), or in silence to hang up
 * after 2 to 4 seconds; ring only; or refuse with a cause of Q.850.
 */
export type Behaviour =
  | 'answer'
  | 'answer briefly'
  | 'ring'
  | `answer after ${number}`
  | `refer to ${string}`
  | number;

/** The extension that does it. Letters of a pattern are no digits: it holds neither N nor X nor Z. */
export const extensionOf = (behaviour: Behaviour): string =>
  behaviour === 'answer'
    ? 'talk'
    : String(behaviour)
        .replace('answer briefly', 'brief')
        .replace('answer after ', 'after')
        .replace('refer to ', 'refer');

const header = (name: string): string => `\${BASE64_ENCODE(\${PJSIP_HEADER(read,${name})})}`;

/**
 * What happens to calls. Values of messages are reported in base64: they hold commas and quotes, at which UserEvent
 * would take them apart. What a party hears goes to a file of its own, and it speaks in its tone.
 */
export const dialplanOf = (parties: readonly string[]): string => `
[globals]
${parties.map((name, index) => `TONE_${name} = ${toneOf(index)}`).join('\n')}

[phones]
exten = _.,1,Set(TARGET=\${EXTEN})
 same = n,Goto(party,arrive,1)

[carriers]
exten = _.,1,Set(TARGET=\${EXTEN})
 same = n,Goto(party,arrive,1)

[party]
exten = arrive,1,UserEvent(Arrived,Party: \${PARTY},Target: \${BASE64_ENCODE(\${TARGET})},RequestUri: \${BASE64_ENCODE(\${CHANNEL(pjsip,request_uri)})},From: ${header('From')},To: ${header('To')},Pai: ${header('P-Asserted-Identity')},Rpid: ${header('Remote-Party-ID')},Diversion: ${header('Diversion')})
 same = n,Set(DO=\${IF(\${EXISTS(\${DO_\${PARTY}_\${FILTER(0-9,\${TARGET})}})}?\${DO_\${PARTY}_\${FILTER(0-9,\${TARGET})}}:\${DO_\${PARTY}})})
 same = n,GotoIf($["\${DO}" = ""]?talk,1)
 same = n,Goto(party,\${DO},1)
exten = ring,1,Ringing()
 same = n,Wait(120)
exten = _after!,1,Ringing()
 same = n,Wait(\${EXTEN:5})
 same = n,Goto(talk,1)
exten = _refer!,1,Answer()
 same = n,Wait(0.5)
 same = n,Transfer(PJSIP/sip:\${EXTEN:5}@pbx.example)
 same = n,Wait(30)
exten = brief,1,Answer()
 same = n,Wait(\${RAND(2,4)})
 same = n,Hangup(16)
exten = quiet,1,Wait(60)
exten = _X!,1,Hangup(\${EXTEN})
exten = talk,1,Answer()
 same = n,MixMonitor(,nr(heard/\${UNIQUEID}.wav))
 same = n,PlayTones(\${TONE_\${PARTY}})
 same = n,Wait(300)
`;

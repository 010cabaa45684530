import { calls } from './call-faults.ts';
import { account, alice, byAddress, type Fault, type TrunkFields } from './fault.ts';
import {
  faulty,
  halfOpen,
  kamailio,
  kamailioOnIpv6,
  kamailioTls,
  modernKamailio,
  named,
  nobody,
  oldTls,
  type Peer,
  plainWhereTlsIsWanted,
  rightPassword,
  selfSignedTls,
  silentWhereTlsIsWanted,
  sipp,
  unconnectable,
} from './fault-peers.ts';
import { specialUsers } from './kamailio-conf.ts';

const overTls = account('alice', { transport: 'tls' });
const byAddressOverTcp: TrunkFields = { ...byAddress, transport: 'tcp' };

const registered = { stage: 'register', cause: null, status: 'passed' } as const;
const refused = (cause: string) => ({ stage: 'register', cause, status: 'failed' }) as const;
const unconnected = (cause: string) => ({ stage: 'connect', cause, status: 'unreachable' }) as const;
const silence = { stage: 'options', cause: 'no_answer', status: 'unreachable' } as const;
const nonsense = { stage: 'options', cause: 'malformed_answer', status: 'failed' } as const;

/** A SIPp that answers REGISTER, or OPTIONS, with this. */
const registrarSays = (status: string, header?: string): Peer =>
  sipp('register-refused.xml', { status, ...(header !== undefined && { header }) });

const serverSays = (status: string, header?: string): Peer =>
  sipp('options-refused.xml', { status, ...(header !== undefined && { header }) });

/** Trunks that work, so that the faults are known to be the reason where one does not. */
const sound: readonly Fault[] = [
  { name: 'a right account', peer: kamailio, trunk: alice, ...registered, facts: { unregistered: true } },
  {
    name: 'a right account over TCP',
    peer: kamailio,
    trunk: account('alice', { transport: 'tcp' }),
    ...registered,
  },
  { name: 'a right account over TLS', peer: kamailioTls('good'), trunk: overTls, ...registered },
  { name: 'a right account over IPv6', peer: kamailioOnIpv6, trunk: alice, ...registered },
  {
    ...{ name: 'a right account over IPv6 and TCP', peer: kamailioOnIpv6, ...registered },
    trunk: account('alice', { transport: 'tcp' }),
  },
  {
    ...{ name: 'a registrar that wants SHA-256', peer: modernKamailio, trunk: alice, ...registered },
    facts: { unregistered: true },
  },
  {
    ...{ name: 'an auth username of its own', peer: kamailio, ...registered },
    trunk: account('alice', { authUsername: 'signed' }),
  },
];

/** What a registrar says to an account. */
const registrars: readonly Fault[] = [
  {
    ...{ name: 'a wrong password', peer: kamailio, ...refused('credentials_rejected') },
    trunk: account('unlucky', { password: 'a wrong one' }),
    // Once to be challenged, and once signed: a third time might lock the account.
    hears: ['REGISTER', 'REGISTER'],
  },
  {
    ...{ name: 'a wrong password for SHA-256', peer: modernKamailio, ...refused('credentials_rejected') },
    trunk: account('unlucky', { password: 'a wrong one' }),
    facts: { algorithm: 'SHA-256' },
    hears: ['REGISTER', 'REGISTER'],
  },
  {
    ...{ name: 'an unknown user', peer: kamailio, trunk: account('nobody'), ...refused('unknown_user') },
    hears: ['REGISTER'],
  },
  {
    ...{ name: 'a blocked user', peer: kamailio, ...refused('forbidden') },
    ...{ trunk: account(specialUsers.blocked), hears: ['REGISTER'] },
  },
  {
    ...{ name: 'another realm', peer: kamailio, ...refused('realm_mismatch') },
    trunk: account('signed', { realm: 'other.example' }),
    facts: { realm: 'carrier.example' },
    hears: ['REGISTER'],
  },
  { name: 'a user who moved (302)', peer: kamailio, trunk: account(specialUsers.moved), ...registered },
  {
    ...{ name: 'a user who is sent in circles (302)', peer: kamailio, ...refused('redirect_loop') },
    trunk: account(specialUsers.circling),
  },
  {
    ...{ name: 'an interval that is too brief (423)', peer: kamailio, ...registered },
    ...{ trunk: account(specialUsers.patient), facts: { expires: 7200 } },
  },
  {
    ...{ name: 'any interval is too brief (423)', peer: kamailio, ...refused('interval_too_brief') },
    trunk: account(specialUsers.brief),
  },
  {
    ...{ name: 'a challenge without end (401)', peer: sipp('register-challenged.xml'), trunk: alice },
    ...{ ...refused('credentials_rejected'), hears: ['REGISTER', 'REGISTER'] },
  },
  {
    name: 'a proxy that challenges without end (407)',
    peer: registrarSays(
      '407 Proxy Authentication Required',
      'Proxy-Authenticate: Digest realm="proxy.example", nonce="once"',
    ),
    ...{ trunk: alice, ...refused('credentials_rejected'), hears: ['REGISTER', 'REGISTER'] },
  },
  {
    ...{ name: 'nonces that are always stale', peer: sipp('register-challenged.xml', { stale: 'true' }) },
    ...{ trunk: alice, ...refused('challenge_loop'), hears: ['REGISTER', 'REGISTER', 'REGISTER'] },
  },
  {
    name: 'a nonce that is stale once',
    peer: sipp('register-stale.xml', { user: 'alice', password: rightPassword }),
    ...{ trunk: alice, ...registered },
  },
  {
    name: 'a digest that nobody knows',
    peer: sipp('register-challenged.xml', { algorithm: 'ROT-13' }),
    ...{ trunk: alice, ...refused('unsupported_challenge'), hears: ['REGISTER'] },
  },
  {
    name: 'an unpaid bill (402)',
    peer: registrarSays('402 Payment Required'),
    trunk: alice,
    ...refused('payment_required'),
  },
  {
    name: 'a registrar that forbids (403)',
    peer: registrarSays('403 Forbidden'),
    trunk: alice,
    ...refused('forbidden'),
  },
  {
    ...{ name: 'a server that takes no REGISTER (405)', peer: registrarSays('405 Method Not Allowed') },
    ...{ trunk: alice, ...refused('method_not_allowed') },
  },
  {
    ...{ name: 'a proxy without a registrar behind it (408)', peer: registrarSays('408 Request Timeout') },
    ...{ trunk: alice, ...refused('proxy_timeout') },
  },
  {
    name: 'an extension that is required (420)',
    peer: registrarSays('420 Bad Extension', 'Unsupported: path'),
    ...{ trunk: alice, ...refused('bad_extension') },
  },
  {
    name: 'a registrar that fails (500)',
    peer: registrarSays('500 Server Internal Error'),
    ...{ trunk: alice, ...refused('server_error') },
  },
  {
    name: 'a registrar under repair (503)',
    peer: registrarSays('503 Service Unavailable', 'Retry-After: 30'),
    ...{ trunk: alice, ...refused('service_unavailable'), facts: { retryAfter: 30 } },
  },
  {
    name: 'a registration that cannot be taken back',
    peer: faulty('keeps registrations'),
    trunk: alice,
    ...{ stage: 'register', cause: 'not_unregistered', status: 'warning' },
  },
];

/** What is wrong before SIP begins. */
const ways: readonly Fault[] = [
  {
    ...{ name: 'a name that does not exist', peer: named('nowhere.test'), trunk: alice },
    ...{ stage: 'dns', cause: 'dns_not_found', status: 'unreachable' },
  },
  {
    ...{ name: 'a name without an address', peer: named('empty.test'), trunk: alice },
    ...{ stage: 'dns', cause: 'dns_no_address', status: 'unreachable' },
  },
  {
    ...{ name: 'a name server that fails', peer: named('failing.test'), trunk: alice },
    ...{ stage: 'dns', cause: 'dns_failed', status: 'unreachable' },
  },
  {
    ...{ name: 'the first of two servers is down (SRV)', peer: named('carrier.test') },
    trunk: account('alice', { transport: 'tcp' }),
    ...{ stage: 'connect', cause: 'connection_refused', status: 'warning' },
  },
  {
    name: 'a closed TCP port',
    peer: nobody(),
    trunk: byAddressOverTcp,
    ...unconnected('connection_refused'),
  },
  {
    ...{ name: 'a closed UDP port', peer: nobody(), trunk: byAddress },
    ...{ stage: 'options', cause: 'connection_refused', status: 'unreachable' },
  },
  {
    ...{ name: 'a closed UDP port over IPv6', peer: nobody('[::1]'), trunk: byAddress },
    ...{ stage: 'options', cause: 'connection_refused', status: 'unreachable' },
  },
  {
    name: 'a TCP port that does not answer',
    peer: unconnectable,
    trunk: byAddressOverTcp,
    ...unconnected('connection_timeout'),
  },
  {
    name: 'a certificate that expired',
    peer: kamailioTls('expired'),
    trunk: overTls,
    ...unconnected('tls_expired'),
  },
  {
    ...{ name: 'a certificate of the future', peer: kamailioTls('notYetValid') },
    ...{ trunk: overTls, ...unconnected('tls_not_yet_valid') },
  },
  {
    ...{ name: 'a certificate for another name', peer: kamailioTls('wrongName') },
    ...{ trunk: overTls, ...unconnected('tls_name_mismatch') },
  },
  {
    ...{ name: 'a certificate of an unknown authority', peer: kamailioTls('stranger') },
    ...{ trunk: overTls, ...unconnected('tls_untrusted') },
  },
  {
    ...{ name: 'an authority that was not named', peer: kamailioTls('good'), trusted: false },
    ...{ trunk: overTls, ...unconnected('tls_untrusted') },
  },
  {
    name: 'a certificate that signed itself',
    peer: selfSignedTls,
    trunk: overTls,
    ...unconnected('tls_untrusted'),
  },
  { name: 'TLS of old', peer: oldTls, trunk: overTls, ...unconnected('tls_protocol') },
  { name: 'no TLS at the TLS port', peer: plainWhereTlsIsWanted, trunk: overTls, ...unconnected('not_tls') },
  {
    ...{ name: 'silence at the TLS port', peer: silentWhereTlsIsWanted },
    ...{ trunk: overTls, ...unconnected('tls_failed') },
  },
];

/** Answers that no sound server gives, or gives in no sound way. */
const answers: readonly Fault[] = [
  { name: 'silence', peer: faulty('says nothing'), trunk: byAddress, ...silence },
  { name: 'silence over TCP', peer: faulty('says nothing', 'tcp'), trunk: byAddressOverTcp, ...silence },
  { name: 'a connection that is half open', peer: halfOpen, trunk: byAddressOverTcp, ...silence },
  { name: '100 and no more', peer: faulty('says 100 and no more'), trunk: byAddress, ...silence },
  {
    // A PBX takes it, too: RFC 3261 §18.1.2 goes by the branch.
    ...{ name: 'an answer from another port', peer: faulty('answers from another port') },
    ...{ trunk: byAddress, stage: 'options', cause: null, status: 'passed' },
  },
  {
    name: 'an answer to something else',
    peer: faulty('answers another transaction'),
    trunk: byAddress,
    ...silence,
  },
  {
    ...{ name: 'an answer that drips in', peer: faulty('drips', 'tcp'), trunk: byAddressOverTcp },
    ...{ stage: 'options', cause: 'incomplete_answer', status: 'failed' },
  },
  {
    name: 'an answer in pieces',
    peer: faulty('answers in three pieces', 'tcp'),
    trunk: byAddressOverTcp,
    ...{ stage: 'options', cause: null, status: 'passed' },
  },
  {
    ...{ name: 'an answer that comes twice', peer: faulty('answers twice'), trunk: byAddress },
    ...{ stage: 'options', cause: null, status: 'passed' },
  },
  {
    ...{ name: 'packets that are lost', peer: faulty('loses the first two packets'), trunk: byAddress },
    ...{ flags: ['--timeout', '5'], stage: 'options', cause: null, status: 'passed' },
    facts: { answers: [{ sent: 3 }] },
  },
  {
    ...{ name: 'an address that is not allowed (403)', peer: serverSays('403 Forbidden'), trunk: byAddress },
    ...{ stage: 'options', cause: 'forbidden', status: 'failed' },
  },
  {
    name: 'a server under repair (503)',
    peer: serverSays('503 Service Unavailable', 'Retry-After: 30'),
    ...{ trunk: byAddress, stage: 'options', cause: 'service_unavailable', status: 'failed' },
    facts: { answers: [{ retryAfter: 30 }] },
  },
  {
    name: 'a server that takes no OPTIONS (405)',
    ...{ peer: serverSays('405 Method Not Allowed'), trunk: byAddress },
    // Whatever it says, it is there.
    ...{ stage: 'options', cause: null, status: 'passed' },
  },
  { name: 'noise', peer: faulty('sends noise'), trunk: byAddress, ...nonsense },
  { name: 'noise over TCP', peer: faulty('sends noise', 'tcp'), trunk: byAddressOverTcp, ...nonsense },
  { name: 'HTTP', peer: faulty('speaks HTTP', 'tcp'), trunk: byAddressOverTcp, ...nonsense },
  { name: 'a first line alone', peer: faulty('sends a first line alone'), trunk: byAddress, ...nonsense },
  {
    name: 'a status of four digits',
    peer: faulty('sends a status of four digits'),
    trunk: byAddress,
    ...nonsense,
  },
  {
    name: 'less body than was said',
    peer: faulty('says more body than it sends'),
    trunk: byAddress,
    ...nonsense,
  },
  {
    ...{ name: 'a body of 100 MB', peer: faulty('sends a body of 100 MB', 'tcp'), trunk: byAddressOverTcp },
    ...{ stage: 'options', cause: 'oversized_answer', status: 'failed' },
  },
  {
    name: 'a header without end',
    peer: faulty('sends a header without end', 'tcp'),
    trunk: byAddressOverTcp,
    ...{ stage: 'options', cause: 'oversized_answer', status: 'failed' },
  },
  {
    ...{ name: 'a server that hangs up', peer: faulty('hangs up', 'tcp'), trunk: byAddressOverTcp },
    ...{ stage: 'options', cause: 'connection_closed', status: 'failed' },
  },
  {
    ...{ name: 'a connection that is broken off', peer: faulty('breaks the connection off', 'tcp') },
    ...{ trunk: byAddressOverTcp, stage: 'options', cause: 'connection_reset', status: 'failed' },
  },
  {
    ...{ name: 'a NAT on the way', peer: faulty('sees another address'), trunk: byAddress },
    ...{ stage: 'nat', cause: 'address_translated', status: 'warning' },
  },
];

/** Each a trunk of its own; read as a list of what `trunk test` can find. */
export const faults: readonly Fault[] = [...sound, ...registrars, ...ways, ...answers, ...calls];

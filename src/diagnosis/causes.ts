import type { Problem } from '../errors.ts';
import type { ResolvedTrunk } from '../model/site.ts';
import type { Finding, StageName } from '../sip/finding.ts';

/** What an explanation is made of: the failure, and the trunk in whose words it is told. */
export interface Case {
  trunk: ResolvedTrunk;
  stage: StageName;
  facts: Readonly<Record<string, unknown>>;
  detail: string;
}

interface Explanation {
  message: string;
  /** Field of the trunk that is at fault most often. */
  field?: string;
  hint: string;
}

type Explain = (one: Case) => Explanation;

const at = ({ trunk }: Case): string => `${trunk.host}:${trunk.port} over ${trunk.transport}`;
const set = ({ trunk }: Case, flags: string): string =>
  `sipctl trunk set ${trunk.name} --tenant ${trunk.tenant} ${flags}`;
const account = ({ trunk }: Case): string =>
  trunk.authUsername === null || trunk.authUsername === trunk.username
    ? `user '${trunk.username ?? ''}'`
    : `user '${trunk.username ?? ''}', auth username '${trunk.authUsername}'`;

const firewall = (one: Case): string =>
  `ask whether a firewall lets ${one.trunk.transport === 'udp' ? 'UDP' : 'TCP'} port ${one.trunk.port} out and its answers in, and compare host, port and transport with: sipctl provider show ${one.trunk.template.id}`;

/** Below the words of SIP: names, addresses, connections, certificates. */
const reaching: Readonly<Record<string, Explain>> = {
  dns_not_found: (one) => ({
    message: `the name ${one.trunk.host} does not exist`,
    field: 'host',
    hint: `correct it: ${set(one, '--host <host>')}; the carrier’s hosts: sipctl provider show ${one.trunk.template.id}`,
  }),
  dns_no_address: (one) => ({
    message: `the name ${one.trunk.host} exists and has no address for ${one.trunk.transport}`,
    field: 'host',
    hint: 'is the transport right? Some carriers give each region and transport a name of its own',
  }),
  dns_failed: (one) => ({
    message: `the name ${one.trunk.host} could not be looked up: no name server answers, or it fails`,
    hint: 'look at /etc/resolv.conf, and ask another name server: --dns <address>',
  }),
  connection_refused: (one) => ({
    message: `nothing listens at ${at(one)}: the port was refused`,
    field: 'port',
    hint: 'is the port right for this transport? UDP and TCP are 5060 mostly, TLS 5061',
  }),
  connection_timeout: (one) => ({
    message: `no connection to ${at(one)}: silence`,
    field: 'host',
    hint: firewall(one),
  }),
  host_unreachable: (one) => ({
    message: `there is no way to ${one.trunk.host} from here`,
    hint: 'look at the routes of this machine, and at IPv6 where the address is one',
  }),
  network_unreachable: (one) => ({
    message: `this machine has no route to the network of ${one.trunk.host}`,
    hint: 'look at the routes of this machine, and at IPv6 where the address is one',
  }),
  connection_reset: (one) => ({
    message: `${at(one)} took the connection and broke it off`,
    field: 'transport',
    hint: 'often a TLS port that was asked in plain words, a limit on connections, or an address that the carrier does not know',
  }),
  connection_closed: (one) => ({
    message: `${at(one)} closed the connection before it had answered`,
    field: 'transport',
    hint: 'often an address that the carrier does not know, or a proxy without a server behind it',
  }),
  tls_expired: (one) => ({
    message: `the certificate of ${one.trunk.host} has expired`,
    hint: 'only its owner can renew it; is the clock of this machine right?',
  }),
  tls_not_yet_valid: (one) => ({
    message: `the certificate of ${one.trunk.host} is not valid yet`,
    hint: 'is the clock of this machine right?',
  }),
  tls_expires_soon: (one) => ({
    message: `the certificate of ${one.trunk.host} ends within two weeks`,
    hint: 'tell the carrier, or renew it where it is yours',
  }),
  tls_name_mismatch: (one) => ({
    message: `the certificate is for another name than ${one.trunk.host}`,
    field: 'host',
    hint: `use the name that the certificate carries: ${set(one, '--host <name>')}`,
  }),
  tls_untrusted: (one) => ({
    message: `the certificate of ${one.trunk.host} comes from an authority that is not trusted here`,
    hint: 'for a private authority name its certificate: --ca <file>; the PBX needs it, too',
  }),
  tls_protocol: (one) => ({
    message: `${one.trunk.host} speaks no version of TLS that is safe today`,
    hint: 'TLS 1.2 at least is wanted; ask the carrier for another host',
  }),
  tls_failed: (one) => ({
    message: `TLS with ${one.trunk.host} failed: ${one.detail}`,
    hint: 'does the carrier want a certificate of yours?',
  }),
  not_tls: (one) => ({
    message: `what listens at ${at(one)} does not speak TLS`,
    field: 'port',
    hint: `TLS is on port 5061 mostly; without TLS: ${set(one, '--transport tcp')}`,
  }),
  address_in_use: () => ({
    message: 'the local port is taken by another program',
    hint: 'run the test again',
  }),
  malformed_answer: (one) => ({
    message: `${at(one)} answers with something that is not SIP`,
    field: 'port',
    hint: 'is that the SIP port? --trace <file> shows what came',
  }),
  oversized_answer: (one) => ({
    message: `${at(one)} answers with more than SIP allows`,
    field: 'port',
    hint: 'is that the SIP port? --trace <file> shows what came',
  }),
  no_answer: (one) => ({
    message: `${at(one)} does not answer: neither a SIP response nor a refusal came back`,
    field: one.trunk.authType === 'ip' ? 'networks' : 'host',
    hint:
      one.trunk.authType === 'ip'
        ? `this carrier knows its customers by address, and may not know this machine’s: test from the PBX with --via <node>; else ${firewall(one)}`
        : firewall(one),
  }),
};

/** What the registrar says to the account. */
const accepting: Readonly<Record<string, Explain>> = {
  credentials_missing: (one) => ({
    message: `${one.trunk.host} asks for an account, and the trunk has none`,
    field: 'username',
    hint: set(one, '--auth credential --username <account> --password-stdin'),
  }),
  credentials_rejected: (one) => ({
    message: `${one.trunk.host} rejects ${account(one)} with this password${realm(one)}`,
    field: 'password',
    hint: `the password first: ${set(one, '--password-stdin')}; then --username, and --auth-username where the carrier gives the digest user a name of its own`,
  }),
  rejected_before: (one) => ({
    message: `${one.trunk.host} has rejected ${account(one)} in this run already, for another trunk: this one was not tried`,
    field: 'username',
    hint: `mend the other trunk first, or test this one alone: sipctl trunk test ${one.trunk.name} --tenant ${one.trunk.tenant}`,
  }),
  challenge_loop: (one) => ({
    message: `${one.trunk.host} asks again and again, each time saying that only the nonce was too old`,
    hint: 'a fault of the carrier: several registrars that do not share their nonces; ask for one of their hosts',
  }),
  unsupported_challenge: (one) => ({
    message: `${one.trunk.host} wants a kind of digest that no SIP engine has`,
    hint: 'MD5, SHA-256 and SHA-512-256 are known; ask the carrier to offer one of them',
  }),
  realm_mismatch: (one) => ({
    message: `the trunk answers realm '${one.trunk.realm ?? ''}' only, the carrier asks as '${text(one, 'realm')}'`,
    field: 'realm',
    hint: set(one, `--realm '${text(one, 'realm')}'`),
  }),
  unknown_user: (one) => ({
    message: `${one.trunk.host} knows no account '${one.trunk.username ?? ''}'`,
    field: 'username',
    hint: `${set(one, '--username <account>')}${one.trunk.template.usernameRule === null ? '' : ` (${one.trunk.template.usernameRule.help})`}`,
  }),
  not_unregistered: () => ({
    message: 'the registration of this test could not be taken back',
    hint: 'it ends by itself; until then calls in may come here',
  }),
  interval_too_brief: (one) => ({
    message: `${one.trunk.host} refuses even the interval that it asked for`,
    hint: 'a fault of the registrar; tell the carrier',
  }),
  redirect_loop: (one) => ({
    message: `${one.trunk.host} sends the registration elsewhere, and from there elsewhere again`,
    field: 'host',
    hint: 'use the last host of the row',
  }),
};

/** Final answers that mean the same wherever they come. */
const answered: Readonly<Record<string, Explain>> = {
  forbidden: (one) =>
    one.stage === 'call'
      ? {
          message: `${one.trunk.host} forbids the call (403): mostly it does not like the caller’s number`,
          field: 'fromUser',
          hint: `it must be a number of the account or one verified at the carrier: ${set(one, '--did <number> --from-user did-plus')}`,
        }
      : one.trunk.authType === 'ip'
        ? {
            message: `${one.trunk.host} does not know this address (403)`,
            hint: 'have the PBX’s public address allowed at the carrier, and test from there: --via <node>',
          }
        : {
            message: `${one.trunk.host} forbids it (403): the account is known and locked, or this address is not allowed`,
            field: 'username',
            hint: 'look at the account on the carrier’s own pages: is it active, paid, and free of an address filter?',
          },
  payment_required: (one) => ({
    message: `${one.trunk.host} wants to be paid first (402)`,
    hint: 'top the account up',
  }),
  not_found: (one) => ({
    message: `${one.trunk.host} knows no such number (404)`,
    field: 'numberFormat',
    hint: numberHint(one),
  }),
  address_incomplete: (one) => ({
    message: `${one.trunk.host} finds the number incomplete (484)`,
    field: 'numberFormat',
    hint: numberHint(one),
  }),
  ambiguous: (one) => ({
    message: `${one.trunk.host} finds the number ambiguous (485)`,
    field: 'numberFormat',
    hint: numberHint(one),
  }),
  gone: () => ({ message: 'the number is not in use any more (410)', hint: 'call another one' }),
  method_not_allowed: (one) =>
    one.stage === 'register'
      ? {
          message: `${one.trunk.host} takes no REGISTER (405)`,
          field: 'registration',
          hint: set(one, '--no-registration'),
        }
      : { message: `${one.trunk.host} does not allow it (405)`, hint: 'is that the SIP host of the trunk?' },
  proxy_timeout: (one) => ({
    message: `a proxy of ${one.trunk.host} got no answer from what is behind it (408)`,
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
  not_acceptable: (one) => ({
    message: `${one.trunk.host} does not accept the media that were offered (488)${warned(one)}: ${one.trunk.codecs.join(',')}${one.trunk.srtp ? ', with SRTP' : ', without SRTP'}`,
    field: mediaField(one),
    hint:
      mediaField(one) === 'srtp'
        ? set(one, one.trunk.srtp ? '--no-srtp' : '--srtp --transport tls')
        : set(one, `--codecs ${one.trunk.template.codecs.join(',') || 'ulaw,alaw'}`),
  }),
  service_unavailable: (one) => ({
    message: `${one.trunk.host} is overloaded or under repair (503)${typeof one.facts.retryAfter === 'number' ? `; it asks to come again in ${one.facts.retryAfter} s` : ''}`,
    hint: 'wait; when it stays so, ask the carrier, and whether the trunk’s limit of calls is reached',
  }),
  server_error: (one) => ({
    message: `${one.trunk.host} fails with an error of its own (${text(one, 'status')})`,
    hint: 'ask the carrier; --trace <file> has what they will want to see',
  }),
  unexpected_status: (one) => ({
    message: `${one.trunk.host} answers with ${text(one, 'status')}`,
    hint: '--trace <file> shows the whole answer',
  }),
};

/** Sound, and what stands between us and the carrier. */
const media: Readonly<Record<string, Explain>> = {
  no_audio_received: (one) => ({
    message: 'the call was answered, and no sound came back',
    hint: `let UDP in from the carrier’s media servers: sipctl provider show ${one.trunk.template.id}; behind a NAT the PBX must know its public address`,
  }),
  no_audio_sent: () => ({
    message: 'the call was answered, and the other side got no sound of ours',
    hint: 'let UDP out to the carrier’s media servers',
  }),
  audio_one_way: () => ({
    message: 'sound goes one way only',
    hint: 'a NAT or a firewall between: the address in the SDP must be the one that the carrier reaches',
  }),
  audio_lost: (one) => ({
    message: `sound arrives with gaps: ${text(one, 'lostPercent')} % of the packets are lost`,
    hint: 'look at the line: load, Wi-Fi, and whether voice has a queue of its own',
  }),
  srtp_refused: (one) => ({
    message: `${one.trunk.host} refuses SRTP`,
    field: 'srtp',
    hint: set(one, '--no-srtp'),
  }),
  address_translated: () => ({
    message: 'there is a NAT between this machine and the carrier',
    hint: 'for a PBX here: Asterisk wants external_signaling_address, external_media_address and local_net in its transport, FreeSWITCH ext-sip-ip and ext-rtp-ip',
  }),
  stun_differs: () => ({
    message: 'the carrier and the STUN server see different addresses',
    hint: 'several ways out: a PBX must be told the address that the carrier sees',
  }),
  stun_silent: () => ({
    message: 'the STUN server does not answer',
    hint: 'name another one: --stun <host:port>',
  }),
};

/** What a PBX says of the trunk. */
const seenByPbx: Readonly<Record<string, Explain>> = {
  not_on_node: (one) => ({
    message: `${text(one, 'node')} does not have the trunk`,
    hint: `sipctl apply --node ${text(one, 'node')}`,
  }),
  registration_rejected: (one) => ({
    message: `the carrier answers ${text(one, 'node')} and refuses the registration (${text(one, 'detail')})`,
    field: 'password',
    hint: `look at the account ${account(one)}; without --via the test says more`,
  }),
  registration_failed: (one) => ({
    message: `${text(one, 'node')} could not register (${text(one, 'detail')}), and nothing shows that the carrier answers`,
    field: 'host',
    hint: firewall(one),
  }),
  unregistered: (one) => ({
    message: `${text(one, 'node')} is not registered (${text(one, 'detail')})`,
    hint: 'was the trunk just delivered? Else look at the log of the PBX',
  }),
  unreachable_from_pbx: (one) => ({
    message: `${one.trunk.host} does not answer the OPTIONS of ${text(one, 'node')}`,
    field: 'host',
    hint:
      one.trunk.authType === 'ip'
        ? 'has the carrier the public address of the PBX? Else: '.concat(firewall(one))
        : firewall(one),
  }),
  not_asked: (one) => ({
    message: `${text(one, 'node')} has not asked the carrier so far whether it is there`,
    hint: 'test again in a minute',
  }),
  not_callable: (one) => ({
    message: `${text(one, 'node')} gives up calls over the trunk at once, without a word to the carrier`,
    hint: 'a PBX does so while it takes the carrier for dead: see pbx-qualify and pbx-registration',
  }),
  not_answered: () => ({
    message: 'the call rang and nobody took it',
    hint: 'call a number that answers',
  }),
};

const explanations: Readonly<Record<string, Explain>> = {
  ...reaching,
  ...accepting,
  ...answered,
  ...media,
  ...seenByPbx,
};

/** Why a stage failed or warns, and what to do, in the words of the trunk’s own fields; what the carrier is known for first. */
export function explainFinding(trunk: ResolvedTrunk, finding: Finding): Problem[] {
  const { cause, facts, detail } = finding;
  if (cause === null) return [];
  if (Array.isArray(facts.problems)) return facts.problems as Problem[];
  const stage = finding.stage === 'pbx-call' ? 'call' : finding.stage;
  return [...ofCarrier(trunk, stage, cause), explainCause(cause, { trunk, stage, facts, detail })];
}

/** One cause word explained. */
export function explainCause(cause: string, one: Case): Problem {
  const explanation = explanations[cause]?.(one) ?? {
    message: one.detail,
    hint: '--trace <file> shows every message',
  };
  return { code: cause, ...explanation };
}

function ofCarrier({ template }: ResolvedTrunk, stage: string, cause: string): Problem[] {
  return template.failures
    .filter((known) => known.cause === cause && (known.stage === null || known.stage === stage))
    .map(({ means, field }) => ({
      code: cause,
      message: `${template.displayName}: ${means}`,
      ...(field === null ? {} : { field }),
      hint: template.docs,
    }));
}

const text = ({ facts }: Case, name: string): string => String(facts[name] ?? '');

const realm = (one: Case): string => (text(one, 'realm') === '' ? '' : ` (realm '${text(one, 'realm')}')`);

const warned = (one: Case): string =>
  typeof one.facts.warning === 'string' ? ` (${one.facts.warning})` : '';

// What a server complains of, where it says it; else what was asked beyond the carrier's own list.
function mediaField(one: Case): 'srtp' | 'codecs' {
  const said = `${text(one, 'warning')} ${text(one, 'reason')} ${text(one, 'reasonHeader')}`.toLowerCase();
  if (/srtp|crypto|savp|encrypt/.test(said)) return 'srtp';
  const known = one.trunk.template.codecs;
  const common = one.trunk.codecs.some((codec) => known.includes(codec));
  return common &&
    (one.trunk.srtp ? one.trunk.template.srtp !== 'required' : one.trunk.template.srtp === 'required')
    ? 'srtp'
    : 'codecs';
}

function numberHint(one: Case): string {
  const { template, numberFormat, techPrefix } = one.trunk;
  const wanted =
    template.dialedFormat === null ? '' : ` ${template.displayName} wants ${template.dialedFormat}.`;
  const prefix = techPrefix === null ? '' : ` A tech prefix stands before it: ${techPrefix}.`;
  return `numbers are written '${numberFormat}' now.${wanted}${prefix} ${set(one, '--number-format plus|digits|national')}`;
}

import { isWebSocket } from '../sip/transport/endpoint.ts';
import {
  at,
  type Case,
  type Explanations,
  firewall,
  portField,
  published,
  server,
  serverField,
  serverFlag,
  set,
} from './case.ts';

const isPublished = (one: Case): boolean =>
  one.subject.template.hosts.some(({ host }) => host === server(one));

/** Below the words of SIP: names, addresses, connections, certificates. */
export const reaching: Explanations = {
  dns_not_found: (one) => ({
    message: `the name ${server(one)} does not exist`,
    field: serverField(one),
    hint: isPublished(one)
      ? 'the carrier publishes it: can this machine look up other names? See /etc/resolv.conf, and ask another name server: --dns <address>'
      : `correct it: ${set(one, `${serverFlag(one)} <host>`)}; the carrier’s hosts: ${published(one)}`,
  }),
  dns_no_address: (one) => ({
    message: `the name ${server(one)} exists and has no address for ${one.subject.transport}`,
    field: serverField(one),
    hint: 'is the transport right? Some carriers give each region and transport a name of its own',
  }),
  dns_failed: (one) => ({
    message: `the name ${server(one)} could not be looked up: no name server answers, or it fails`,
    hint: 'look at /etc/resolv.conf, and ask another name server: --dns <address>',
  }),
  connection_refused: (one) => ({
    message: `nothing listens at ${at(one)}: the port was refused`,
    field: portField(one),
    hint: isWebSocket(one.subject.transport)
      ? 'is HTTP on there? Asterisk has it in http.conf (tlsenable, 8089), FreeSWITCH in the profile (wss-binding, 7443)'
      : 'is the port right for this transport? UDP and TCP are 5060 mostly, TLS 5061',
  }),
  connection_timeout: (one) => ({
    message: `no connection to ${at(one)}: silence`,
    field: serverField(one),
    hint: firewall(one),
  }),
  host_unreachable: (one) => ({
    message: `there is no way to ${server(one)} from here`,
    hint: 'look at the routes of this machine, and at IPv6 where the address is one',
  }),
  network_unreachable: (one) => ({
    message: `this machine has no route to the network of ${server(one)}`,
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
    message: `the certificate of ${server(one)} has expired`,
    hint: 'only its owner can renew it; is the clock of this machine right?',
  }),
  tls_not_yet_valid: (one) => ({
    message: `the certificate of ${server(one)} is not valid yet`,
    hint: 'is the clock of this machine right?',
  }),
  tls_expires_soon: (one) => ({
    message: `the certificate of ${server(one)} ends within two weeks`,
    hint: 'tell the carrier, or renew it where it is yours',
  }),
  tls_name_mismatch: (one) => ({
    message: `the certificate is for another name than ${server(one)}`,
    field: serverField(one),
    hint: `use the name that the certificate carries: ${set(one, `${serverFlag(one)} <name>`)}`,
  }),
  tls_untrusted: (one) => ({
    message: `the certificate of ${server(one)} comes from an authority that is not trusted here`,
    hint: isWebSocket(one.subject.transport)
      ? 'for a private authority name its certificate: --ca <file>; every browser needs it, too, and says nothing where it lacks it'
      : 'for a private authority name its certificate: --ca <file>; the PBX needs it, too',
  }),
  tls_protocol: (one) => ({
    message: `${server(one)} speaks no version of TLS that is safe today`,
    hint: 'TLS 1.2 at least is wanted; ask the carrier for another host',
  }),
  tls_failed: (one) => ({
    message: `TLS with ${server(one)} failed: ${one.detail}`,
    hint: 'is that the port of TLS, 5061 mostly? Some servers also want a certificate of yours',
  }),
  not_tls: (one) => ({
    message: `what listens at ${at(one)} does not speak TLS`,
    field: portField(one),
    hint: isWebSocket(one.subject.transport)
      ? `browsers need TLS; a plain WebSocket behind a proxy of yours: ${set(one, '--transport ws')}`
      : `TLS is on port 5061 mostly; without TLS: ${set(one, '--transport tcp')}`,
  }),
  address_in_use: () => ({
    message: 'the local port is taken by another program',
    hint: 'run the test again',
  }),
  incomplete_answer: (one) => ({
    message: `${at(one)} begins an answer and does not end it`,
    hint: 'a server or a middlebox that is stuck, or a path that loses large packets: try another MTU, or --transport udp',
  }),
  connection_failed: (one) => ({
    message: `this machine could not send to ${at(one)}: ${one.detail}`,
    hint: one.detail.includes('too many open files')
      ? 'test fewer trunks at one time: --concurrency <n>'
      : 'is there a firewall on this machine?',
  }),
  tls_client_certificate: (one) => ({
    message: `${server(one)} wants a certificate of yours`,
    hint: 'a trunk with client certificates is beyond this test: use --via <node>',
  }),
  malformed_answer: (one) => ({
    message: `${at(one)} answers with something that is not SIP`,
    field: portField(one),
    hint: 'is that the SIP port? --trace <file> shows what came',
  }),
  oversized_answer: (one) => ({
    message: `${at(one)} answers with more than SIP allows`,
    field: portField(one),
    hint: 'is that the SIP port? --trace <file> shows what came',
  }),
  no_answer: (one) => ({
    message:
      one.facts.promised === true
        ? `${at(one)} says that it is at work, and never comes to an end`
        : `${at(one)} does not answer: neither a SIP response nor a refusal came back`,
    field: one.subject.authType === 'ip' ? 'networks' : serverField(one),
    hint:
      one.subject.authType === 'ip'
        ? `this carrier knows its customers by address, and may not know this machine’s: test from the PBX with --via <node>; else ${firewall(one)}`
        : firewall(one),
  }),
};

import type { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { type Tested, testFailure } from '../../../src/pipeline/tested.ts';
import { leadsInward } from '../../../src/sip/probe/inward.ts';
import { probe } from '../../../src/sip/probe/probe.ts';
import type { DnsSource } from '../../../src/sip/transport/dns.ts';
import { readTlsFacts } from '../../../src/sip/transport/tls-facts.ts';
import { registrar, sipServer } from '../../support/scripted-registrar.ts';

const twoAddresses: DnsSource = {
  naptr: async () => [],
  srv: async () => [],
  a: async () => ['127.0.0.2', '127.0.0.1'],
  aaaa: async () => [],
};

it('registers at an address that leaves OPTIONS unanswered where another one is dead', async () => {
  const { port } = await sipServer((request, count) =>
    request.method === 'OPTIONS' ? null : registrar('secret')(request, count),
  );
  const findings = await probe(
    {
      server: { host: 'carrier.example', port, transport: 'udp' },
      registrar: 'carrier.example',
      domain: 'carrier.example',
      user: 'account',
      credentials: { username: 'account', password: 'secret', realm: null },
      register: { expiry: 300 },
      answersOptions: true,
      call: null,
      stun: null,
      stages: new Set(['options', 'register']),
    },
    { dns: twoAddresses, signal: new AbortController().signal, timeoutMs: 1000, userAgent: 'test' },
  );
  const stage = (name: string) => findings.find((one) => one.stage === name);
  expect(stage('options')).toMatchObject({ status: 'warning', cause: 'connection_refused' });
  expect(stage('register')).toMatchObject({ status: 'ok', facts: { address: '127.0.0.1' } });
});

it.each([
  ['192.0.2.1', '127.0.0.1', true],
  ['192.0.2.1', '169.254.169.254', true],
  ['2001:db8::1', '::1', true],
  ['192.0.2.1', '::ffff:127.0.0.1', true],
  ['192.0.2.1', '10.0.0.1', false],
  ['192.0.2.1', '192.0.2.2', false],
  ['127.0.0.1', '127.0.0.2', false],
])('of a redirect from %s to %s it is %s that it leads inward', (from, to, inward) => {
  expect(leadsInward(from, to)).toBe(inward);
});

it('reads a certificate whose dates are none', () => {
  const certificate = { subject: {}, issuer: {}, valid_from: 'Bad time value', valid_to: 'Bad time value' };
  const socket = {
    getPeerCertificate: () => certificate,
    getProtocol: () => 'TLSv1.3',
    getCipher: () => ({ standardName: 'AES' }),
    authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  } as unknown as TLSSocket;
  expect(readTlsFacts(socket, 'carrier.example')).toMatchObject({
    notAfter: 'unknown',
    fault: 'tls_untrusted',
  });
});

it.each([
  [['options', 'no_answer'], ['pbx-registration', 'credentials_rejected'], 'failed'],
  [['options', 'host_unreachable'], ['register', 'network_unreachable'], 'unreachable'],
  [['connect', 'tls_expired'], ['connect', 'connection_refused'], 'unreachable'],
  [['options', 'connection_closed'], ['register', 'connection_closed'], 'failed'],
] as const)('%j and %j end a test as %s', (one, other, outcome) => {
  const stages = [one, other].map(([stage, cause]) => ({
    ...{ stage, status: 'failed' as const, cause, detail: '', ms: 0, facts: {} },
  }));
  const tested: Tested = {
    ...{ tenant: 't', name: 'n', kind: 'trunk', knownByAddress: false, status: 'failed', stages },
    causes: [{ code: 'c', message: 'm' }],
  };
  expect(testFailure([tested])?.outcome).toBe(outcome);
});

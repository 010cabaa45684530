import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificates, makeCertificates, whyNoOpenssl } from './certificates.ts';
import { startDeafListener } from './deaf-listener.ts';
import { startLossyCallee } from './faulty-callee.ts';
import { startFaultyPeer } from './faulty-peer.ts';
import { freePorts } from './free-ports.ts';
import { hasIpv6, type KamailioInstance, kamailioAvailable, startKamailio } from './kamailio.ts';
import { type Misbehaviour, misbehaviours } from './misbehaviour.ts';
import { type NameServer, startNameServer } from './name-server.ts';
import { sippAvailable } from './sipp.ts';
import { type CarrierWords, startSippCarrier } from './sipp-carrier.ts';

/** A carrier that a trunk can be pointed at. */
export interface RunningPeer {
  host: string;
  /** Null: where DNS says. */
  port: number | null;
  /** Methods that it heard, as far as they are about this user. */
  requests(user: string): string[];
  close(): Promise<void>;
}

/** How a row's carrier comes to be. */
export interface Peer {
  /** Null where it can be had on this machine, else why not. */
  missing(): string | null;
  start(around: Surroundings): Promise<RunningPeer>;
}

/** What all rows share: started once. */
export interface Surroundings {
  /** An address of 127.0.0.0/8 that is theirs. */
  host: string;
  /** Null where openssl is missing. */
  certificates: Certificates | null;
  kamailio: KamailioInstance<TlsName> | null;
  /** Its digest is SHA-256. */
  modernKamailio: KamailioInstance<never> | null;
  dns: NameServer;
  stop(): Promise<void>;
}

type TlsName = 'good' | 'expired' | 'notYetValid' | 'wrongName' | 'stranger';

/** The password of every account of the carriers. */
export const rightPassword = 'a right one, really';

/** Accounts of the Kamailios: those of `specialUsers`, and some that are ordinary. */
const accounts = 'alice,unlucky,signed,blocked,moved,circling,patient,brief'.split(',');

export async function startSurroundings(host: string): Promise<Surroundings> {
  const folder = mkdtempSync(join(tmpdir(), 'sipctl-faults-'));
  const certificates = whyNoOpenssl === null ? makeCertificates(join(folder, 'certificates'), [host]) : null;
  const users = accounts.map((name) => ({ name, password: rightPassword }));
  const present = kamailioAvailable() === null;
  const [kamailio, modernKamailio] = await Promise.all([
    present
      ? startKamailio<TlsName>({ users, host, ...(certificates && { tls: shown(certificates) }) })
      : null,
    present ? startKamailio({ users, host, algorithm: 'SHA-256' }) : null,
  ]);
  const dns = await startNameServer(host, zones(host, kamailio?.port ?? 0));
  return {
    ...{ host, certificates, kamailio, modernKamailio, dns },
    stop: async () => {
      await Promise.all([kamailio?.stop(), modernKamailio?.stop(), dns.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const shown = ({ good, expired, notYetValid, wrongName, stranger }: Certificates) => ({
  ...{ good, expired, notYetValid, wrongName, stranger },
});

/** Names of the carrier, as they can be wrong. */
const zones = (host: string, port: number) => ({
  'carrier.test': {},
  '_sip._tcp.carrier.test': { srv: [`20 0 ${port} second.carrier.test`, '10 0 1 first.carrier.test'] },
  'first.carrier.test': { a: [host] },
  'second.carrier.test': { a: [host] },
  'empty.test': {},
  'failing.test': { fails: true as const },
  '_sip._udp.failing.test': { fails: true as const },
});

const done = async (): Promise<void> => undefined;

/** The real registrar, by UDP and TCP. */
export const kamailio: Peer = {
  missing: kamailioAvailable,
  start: async ({ kamailio: running }) => ofKamailio(running, running?.port),
};

/** The same by SHA-256. */
export const modernKamailio: Peer = {
  missing: kamailioAvailable,
  start: async ({ modernKamailio: running }) => ofKamailio(running, running?.port),
};

/** The same on ::1. */
export const kamailioOnIpv6: Peer = {
  missing: () => kamailioAvailable() ?? (hasIpv6() ? null : 'this machine has no IPv6'),
  start: async ({ kamailio: running }) => ({ ...ofKamailio(running, running?.ipv6Port), host: '[::1]' }),
};

/** The same by TLS, with this certificate. */
export const kamailioTls = (certificate: TlsName): Peer => ({
  missing: () => kamailioAvailable() ?? whyNoOpenssl,
  start: async ({ kamailio: running }) => ofKamailio(running, running?.tls[certificate]),
});

/** Wherever a name leads. */
export const named = (host: string): Peer => ({
  missing: kamailioAvailable,
  start: async ({ kamailio: running }) => ({ ...ofKamailio(running, null), host }),
});

function ofKamailio(
  running: Surroundings['kamailio'] | Surroundings['modernKamailio'],
  port?: number | null,
): RunningPeer {
  if (running === null || port === undefined) throw new Error('Kamailio does not run');
  return {
    ...{ host: running.host, port, close: done },
    requests: (user) => running.requests().flatMap((one) => (one.user === user ? [one.method] : [])),
  };
}

/** SIPp with a scenario of `sipp/`. */
export const sipp = (
  file: string,
  words: CarrierWords = {},
  more: { echo?: boolean; transport?: 'udp' | 'tcp' } = {},
): Peer => ({
  missing: sippAvailable,
  start: async ({ host }) => {
    const { port, requests, stop } = await startSippCarrier({ file, host, words, ...more });
    return { host, port, requests, close: stop };
  },
});

const always = { missing: () => null };

/** A server of our own that does what no sound one does. */
export const faulty = (misbehaviour: Misbehaviour, transport: 'udp' | 'tcp' = 'udp'): Peer => ({
  ...always,
  start: ({ host }) => startFaultyPeer({ host, transport, behaviour: misbehaviours[misbehaviour] }),
});

/** A TCP server that takes a TLS client's first words for a request of its own protocol. */
export const plainWhereTlsIsWanted: Peer = {
  ...always,
  start: ({ host }) =>
    startFaultyPeer({ host, transport: 'tcp', takesAnything: true, behaviour: misbehaviours['speaks HTTP'] }),
};

/** A TCP server that waits for more when it hears a TLS client. */
export const silentWhereTlsIsWanted: Peer = {
  ...always,
  start: ({ host }) => startFaultyPeer({ host, transport: 'tcp', behaviour: misbehaviours['says nothing'] }),
};

/** TLS 1.1 and nothing newer. */
export const oldTls: Peer = {
  missing: () => whyNoOpenssl,
  start: ({ host, certificates }) =>
    startFaultyPeer({
      ...{ host, transport: 'tls', behaviour: misbehaviours['says nothing'] },
      tls: {
        ...pemOf(certificates, 'good'),
        ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      },
    }),
};

function pemOf(
  certificates: Certificates | null,
  name: 'good' | 'selfSigned',
): { cert: Buffer; key: Buffer } {
  if (certificates === null) throw new Error('there are no certificates');
  const { cert, key } = certificates[name];
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

/** TLS with a certificate that signed itself. */
export const selfSignedTls: Peer = {
  missing: () => whyNoOpenssl,
  start: ({ host, certificates }) =>
    startFaultyPeer({
      ...{ host, transport: 'tls', behaviour: misbehaviours['answers twice'] },
      tls: pemOf(certificates, 'selfSigned'),
    }),
};

/** Sound comes back, and a quarter of it is lost. */
export const lossyCallee: Peer = {
  ...always,
  start: ({ host }) => startLossyCallee({ host, loses: 4 }),
};

/** A port that the kernel connects, and no program ever reads from. */
export const halfOpen: Peer = { ...always, start: ({ host }) => deaf(host, false) };

/** A port whose queue is full: not even the kernel answers. */
export const unconnectable: Peer = { ...always, start: ({ host }) => deaf(host, true) };

async function deaf(host: string, full: boolean): Promise<RunningPeer> {
  return { ...(await startDeafListener(host, { full })), requests: () => [] };
}

/** A port on which nobody listens: ICMP says so of UDP, RST of TCP. */
export const nobody = (host?: '[::1]'): Peer => ({
  missing: () => (host === undefined || hasIpv6() ? null : 'this machine has no IPv6'),
  start: async (around) => {
    const [port = 0] = await freePorts(host === undefined ? around.host : '::1', 1);
    return { host: host ?? around.host, port, requests: () => [], close: done };
  },
});

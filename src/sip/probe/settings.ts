import type { StageName } from '../finding.ts';
import type { Trace } from '../trace/trace.ts';
import type { Credentials } from '../transport/authenticate.ts';
import type { DnsSource } from '../transport/dns.ts';
import type { Transport } from '../transport/endpoint.ts';

/** A carrier, or another SIP server, as it is to be tested. */
export interface ProbeSettings {
  /** Where requests go: the outbound proxy where there is one. */
  server: { host: string; port: number | null; transport: Transport; path?: string };
  /** Host part of the request URI, with `:port` where it is said; and of From. */
  registrar: string;
  domain: string;
  /** User part of From and To; null where the account has none. */
  user: string | null;
  credentials: Credentials | null;
  /** Seconds to register for; null where the server takes no REGISTER. */
  register: { expiry: number } | null;
  /** False for servers that are known to leave OPTIONS unanswered: their silence is no fault. */
  answersOptions: boolean;
  call: CallSettings | null;
  /** Offers a browser's media to a number, or says that there is none; left out where no browser is meant. */
  webrtc?: { number: string } | { number: null; otherwise: string };
  stun: { host: string; port: number } | null;
  stages: ReadonlySet<StageName>;
}

/** A call to be placed. */
export interface CallSettings {
  /** As it stands in the request URI. */
  number: string;
  /** User part of From. */
  caller: string;
  codecs: readonly string[];
  srtp: boolean;
  /** Seconds that sound is exchanged for after the answer. */
  seconds: number;
}

/** What a probe sees of the world. */
export interface ProbeSurroundings {
  dns: DnsSource;
  signal: AbortSignal;
  /** For each connection and each request, in milliseconds. */
  timeoutMs: number;
  userAgent: string;
  trace?: Trace | undefined;
  /** Trusted besides the system's authorities, as PEM. */
  ca?: string | undefined;
  /** Said at the beginning of each stage. */
  progress?: ((stage: StageName) => void) | undefined;
  /** Runs one attempt with the account; one that was rejected in this run is not tried again. Null: it was. */
  accountOnce?:
    | (<T extends { rejected: boolean }>(attempt: () => Promise<T>) => Promise<T | null>)
    | undefined;
}

import type { StageName } from '../../src/sip/finding.ts';
import { type Peer, rightPassword } from './fault-peers.ts';

/** The fields of a trunk; its host and port are its peer's. */
export interface TrunkFields {
  provider: 'custom_credential' | 'custom_ip';
  username?: string;
  authUsername?: string;
  password?: string;
  realm?: string;
  transport?: 'udp' | 'tcp' | 'tls';
  registration?: boolean;
  srtp?: boolean;
  networks?: string;
}

/** One way for a trunk to be broken, or sound, and what `trunk test` has to say of it. */
export interface Fault {
  name: string;
  peer: Peer;
  trunk: TrunkFields;
  /** Besides the time-out, the name server and the authority, which every row has. */
  flags?: readonly string[];
  /** False where the authority of the carriers is not trusted. */
  trusted?: false;
  stage: StageName;
  /** Null where nothing is wrong. */
  cause: string | null;
  /** Of the stage, and of the run: `passed` and `warning` end with 0, `failed` with 1, `unreachable` with 7. */
  status: 'passed' | 'warning' | 'failed' | 'unreachable';
  /** Among the facts of the stage. */
  facts?: Readonly<Record<string, unknown>>;
  /** What the carrier heard besides OPTIONS, each request once. */
  hears?: readonly string[];
}

/** An account with the right password. */
export const account = (username: string, more: Partial<TrunkFields> = {}): TrunkFields => ({
  ...{ provider: 'custom_credential', registration: true, username, password: rightPassword },
  ...more,
});
/** One that is ordinary. */
export const alice = account('alice');
/** A carrier that knows the PBX by its address. */
export const byAddress: TrunkFields = { provider: 'custom_ip', networks: '192.0.2.1' };

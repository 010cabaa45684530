import { type Problem, SipctlError } from '../errors.ts';
import type { Generations } from '../files/generations.ts';
import type { InboundTrunk } from '../model/inbound-trunk.ts';
import type { ResolvedSite } from '../model/site.ts';
import type { Catalog } from '../model/template.ts';
import type { Artifact, Manifest } from '../plan/generation.ts';
import type { ArtifactChange, ObjectChange, ReloadStep } from '../plan/plan.ts';
import type { CallListReader } from './call-list.ts';
import type { ControlPlane } from './control-plane.ts';
import type { NamedUser, NodeCall, NodeCallRequest, TrunkLook, TrunkState, UserState } from './node-view.ts';

/** One way in which the running system, or the node's files, differ from what was delivered. */
export interface Finding {
  /** As sipctl names it: `trunk telnyx_main`, `user john_doe`; or a file. */
  object: string;
  tenant: string | null;
  /** Path of the delivered file below the node's configuration folder. */
  file: string | null;
  code: 'missing' | 'differs' | 'syntax' | 'unexpected' | 'not-included' | 'edited';
  message: string;
  /**
   * True where everything runs as it was delivered all the same: a fault in files of somebody else that keeps the next
   * change from being taken, and that no generation of ours mends.
   */
  standing?: true;
}

/** Engine and version of a running system that answered. */
export interface Engine {
  kind: string;
  version: string;
}

/** State of one registration or endpoint as the running system reports it. */
export interface LiveState {
  /** The name on the PBX. */
  id: string;
  kind: 'registration' | 'endpoint';
  /** The engine's own word: `Registered`, `Rejected`, `Not in use`, … */
  state: string;
  /** For endpoints: contacts that are there now. */
  contacts: number;
}

/** The folder in which a PBX writes recordings. */
export interface RecordingsPlace {
  /** Its absolute path on the machine of the PBX. */
  folder: string;
  /** `user@host` or `user@host:port` of that machine, for SSH; null: it is this one. */
  ssh: string | null;
  /** A file of settings for ssh. */
  sshConfig: string | null;
}

/** One finding of the doctor: what was looked at, how it stands, and the exact remedy where it does not. */
export interface Check {
  name: string;
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  message: string;
  hint?: string;
  /** True where the node was changed to make it so. */
  changed?: boolean;
}

/** A live connection to one PBX for the time of an apply, a check or a status. */
export interface RunningSystem {
  readonly engine: Engine;
  /** @throws SipctlError `failed` where the engine refuses, `unreachable` where it does not answer in time */
  perform(step: ReloadStep): Promise<void>;
  /** What would make a reload take away what runs, whatever is delivered: asked before anything is put in force. */
  obstacles(): Promise<Finding[]>;
  /** Compares everything in `artifacts` with what runs; for the keys in `changed`, every value of every object. */
  verify(artifacts: readonly Artifact[], changed: ReadonlySet<string>): Promise<Finding[]>;
  states(): Promise<LiveState[]>;
  close(): Promise<void>;
}

/** Everything but a tenant's data that decides the rendered bytes, as plain data: another thread renders the same by it. */
export interface RenderRecipe {
  /** The back-end. */
  kind: string;
  catalog: Catalog;
  version: string;
  /** Transport → its name on the node. */
  transports: Readonly<Record<string, string>>;
}

export interface ReadableFile {
  noun: 'trunk' | 'user';
  untold: readonly string[];
}

/** What a back-end offers for one node. The deciding parts are pure; the doing parts return promises. */
export interface Target {
  readonly node: string;
  readonly kind: string;
  /** Digest of everything but the tenants' data that decides the rendered bytes. */
  readonly renderDigest: string;
  /** Generations kept for rollback. */
  readonly keep: number;
  readonly files: Generations;
  /** True where a control connection is configured. */
  readonly controllable: boolean;
  readonly recipe: RenderRecipe;
  /** One artifact per file of the tenant that is not empty. Same input, same bytes. */
  render(site: ResolvedSite): Artifact[];
  /** The generation's own files, which include the store files. */
  indexes(manifest: Pick<Manifest, 'artifacts'>): Map<string, string>;
  /** What calls in will meet that nobody expects, where at least one of the trunks concerned is new. */
  cautions?(trunks: readonly InboundTrunk[], isNew: (trunk: InboundTrunk) => boolean): Problem[];
  /** What differs between two texts of an artifact, by object; a missing side is null. Secrets are masked. */
  objectChanges(key: string, before: Buffer | null, after: Buffer | null): ObjectChange[];
  /**
   * The files of artifacts that hold the fields of one noun: an edit of these can be taken over. And the fields that they
   * do not tell, or not surely.
   */
  readonly readsBack: Readonly<Record<string, ReadableFile>>;
  reloadFor(changes: readonly ArtifactChange[]): ReloadStep[];
  /** What makes a delivered but unverified generation run. */
  reloadAll(): ReloadStep[];
  /** What has to come before a reload so that trunks which run with other values take it; nothing where a reload does. */
  remake?(trunks: readonly string[]): ReloadStep[];
  /**
   * @param signal ends the wait for a PBX that does not answer; an open connection is ended by `close`
   * @throws SipctlError `unreachable`, `interrupted`, or `refused` where the PBX denies the login
   */
  connect(signal?: AbortSignal): Promise<RunningSystem>;
  /** Include lines, permissions, transports, rights, versions. Adds what is missing only when `write` is set. */
  examine(options: { write: boolean; signal?: AbortSignal }): Promise<Check[]>;
  /** What of live calls works: events, rights, modules. Nothing is called or changed. */
  examineFeatures(signal?: AbortSignal): Promise<Check[]>;
  /**
   * How a trunk stands as seen from the PBX, which is asked to look anew where it can be; null where it does not have the
   * trunk: `sipctl apply` was not run, or did not get so far.
   * @throws SipctlError `unreachable`, `interrupted`, or `refused` where the PBX denies the login or the question
   */
  trunkState(tenant: string, trunk: string, look?: TrunkLook): Promise<TrunkState | null>;
  /** Where a user is registered; null where the PBX does not have the user. @throws like `trunkState` */
  userState(user: NamedUser, signal?: AbortSignal): Promise<UserState | null>;
  /**
   * Makes a real call over a trunk, and ends it, also where it is interrupted. Should this process die, the PBX itself
   * ends the call when its time is over.
   * @throws SipctlError like `trunkState`, and `invalid` for a number that cannot be dialled
   */
  callThrough(request: NodeCallRequest, signal?: AbortSignal): Promise<NodeCall>;
  /** Reads the list of calls that the engine itself writes. */
  callList(): Promise<CallListReader>;
  /**
   * Where recordings stand.
   * @throws SipctlError `unreachable`, `interrupted`, or `refused` where the PBX is asked for its folder and does not say it
   */
  recordings(signal?: AbortSignal): Promise<RecordingsPlace>;
  /**
   * Opens a session for what goes on now, and for the verbs of calls. Events come only where they are asked for.
   * @throws SipctlError `unreachable`, `interrupted`, or `refused` where the PBX denies the login, or its account the events
   */
  control?(options: { events: boolean; signal?: AbortSignal | undefined }): Promise<ControlPlane>;
}

/** A check that could not be made says why, with the error's own remedy. Bugs are not findings: they are thrown on. */
export function failedCheck(name: string, error: unknown): Check {
  if (!(error instanceof SipctlError)) throw error;
  const [problem] = error.problems;
  return {
    name,
    status: 'failed',
    message: error.message,
    ...(problem?.hint === undefined ? {} : { hint: problem.hint }),
  };
}

/** One check: what `look` gives says how it stands; what it throws, why it does not. */
export async function checked(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, status: 'ok', message: await look() };
  } catch (error) {
    return failedCheck(name, error);
  }
}

/** Whether what goes on at a PBX can be watched: a session is opened with events, and closed. */
export const watchingCheck = (open: () => Promise<ControlPlane>): Promise<Check[]> =>
  attempt('monitor', async () => {
    await (await open()).close();
    return [{ name: 'monitor', status: 'ok', message: 'the events of calls and registrations come' }];
  });

/** The checks of one look, or the one that says why it could not be taken. */
export async function attempt(name: string, look: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await look();
  } catch (error) {
    return [failedCheck(name, error)];
  }
}

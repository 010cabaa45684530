import type { Artifact, HeldArtifact, Manifest } from './generation.ts';

export type Action = 'create' | 'update' | 'delete';

/** A change of one trunk or user, as a person would say it. */
export interface ObjectChange {
  action: Action;
  kind: string;
  tenant: string;
  name: string;
  /** For updates: the options that differ. Secret values are already masked. */
  options: OptionChange[];
  /** Registrations at carriers that vanish with it, by their names on the PBX: they are ended before a reload. */
  unregisters?: readonly string[];
  /** Registrations that stay, with other credentials: where they are down, they are tried anew after the reload. */
  registers?: readonly string[];
}

export interface OptionChange {
  section: string;
  option: string;
  before: string | null;
  after: string | null;
}

/** A change of one artifact: what is written, or left out of, the next generation. */
export interface ArtifactChange {
  action: Action;
  key: string;
  before: HeldArtifact | null;
  after: Artifact | null;
  objects: ObjectChange[];
}

/** One step of a reload, in the order it is done. Data; words come in the report. */
export type ReloadStep =
  | { kind: 'unregister'; registration: string }
  | { kind: 'reload-module'; module: string }
  | { kind: 'register'; registration: string };

export interface Refusal {
  code: string;
  message: string;
  hint: string;
}

/** What would be done on one node. `desired` is the whole next generation; unchanged parts are only named. */
export interface NodePlan {
  node: string;
  /** The generation the plan was made against; 0 where the node holds none. */
  base: number;
  desired: Omit<Manifest, 'generation' | 'createdAt' | 'sipctl'>;
  changes: ArtifactChange[];
  /** Why a reload is due although nothing changes: the held generation was delivered but never verified. */
  unverified: boolean;
  reload: ReloadStep[];
  refusals: Refusal[];
}

export const isPending = (plan: NodePlan): boolean => plan.changes.length > 0 || plan.unverified;

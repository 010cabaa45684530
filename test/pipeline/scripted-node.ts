import { createHash } from 'node:crypto';
import { localGenerations } from '../../src/files/local.ts';
import type { FileOperations } from '../../src/files/operations.ts';
import { heldGeneration } from '../../src/pipeline/held.ts';
import type { RunOptions } from '../../src/pipeline/outcome.ts';
import { diffArtifacts } from '../../src/plan/diff.ts';
import { type Artifact, artifactKey } from '../../src/plan/generation.ts';
import type { NodePlan } from '../../src/plan/plan.ts';
import { asteriskTarget } from '../../src/platforms/asterisk/target.ts';
import type { RunningSystem, Target } from '../../src/platforms/target.ts';
import { temporaryFolder } from '../files/tree.ts';
import { nodeWith } from '../live/live-node.ts';

/** A node with real files, whose running system does what the test says. */
export interface ScriptedNode {
  dir: string;
  target: Target;
  /** The plan that makes the node hold one file of users with this text. */
  planFor(text: string): Promise<NodePlan>;
}

export interface Script {
  operations?: FileOperations;
  running?: Partial<RunningSystem>;
  /** The folder of another node: the same PBX as another run sees it. */
  dir?: string;
}

export async function scriptedNode({ operations, running, dir: given }: Script = {}): Promise<ScriptedNode> {
  const dir = given ?? (await temporaryFolder());
  const now = (): Date => new Date();
  const files = localGenerations(dir, { now, ...(operations === undefined ? {} : { operations }) });
  const catalog = { providers: new Map(), users: new Map(), digest: '' };
  const node = nodeWith({ dir });
  const target: Target = {
    ...(await asteriskTarget(node, { files, catalog, sipctlVersion: '0.0.0', now })),
    controllable: true,
    connect: async () => ({ ...content, ...running }),
  };
  return { dir, target, planFor: (text) => planFor(target, text) };
}

/** Takes whatever it is given. */
const content: RunningSystem = {
  engine: { kind: 'asterisk', version: '22' },
  perform: async () => undefined,
  obstacles: async () => [],
  verify: async () => [],
  states: async () => [],
  close: async () => undefined,
};

async function planFor(target: Target, text: string): Promise<NodePlan> {
  const held = await heldGeneration(target);
  const artifact = usersOf('acme', text);
  const { key, text: _, ...entry } = artifact;
  const artifacts = { [key]: entry };
  const changes = diffArtifacts(held?.artifacts ?? {}, artifacts, new Map([[key, artifact]]));
  return {
    node: target.node,
    base: held?.generation ?? 0,
    desired: { schema: 'sipctl/generation/1', renderDigest: '', tenants: {}, artifacts },
    changes: changes.map((change) => ({ ...change, objects: [] })),
    unverified: false,
    reload: target.reloadAll(),
    refusals: [],
  };
}

function usersOf(tenant: string, content: string): Artifact {
  const [file, text] = ['pjsip_users.conf', Buffer.from(content)];
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { key: artifactKey(tenant, file), tenant, file, sha256, objects: 1, text };
}

export const runOptions = (more: Partial<RunOptions> = {}): RunOptions => ({
  sipctl: '0.0.0',
  now: () => new Date(),
  holder: 'a test',
  signal: new AbortController().signal,
  recordStart: async () => undefined,
  progress: () => undefined,
  ...more,
});

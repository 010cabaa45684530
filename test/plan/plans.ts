import { createHash } from 'node:crypto';
import type { Artifact, HeldArtifact } from '../../src/plan/generation.ts';
import type { Action, ArtifactChange, NodePlan, ObjectChange } from '../../src/plan/plan.ts';

/** One tenant's part of one file, with this text. */
export function artifact(key: string, text: string, objects = 1): Artifact {
  const [tenant = '', file = ''] = key.split('/');
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { key, tenant, file, sha256, objects, text: Buffer.from(text) };
}

export function held({ tenant, file, sha256, objects }: Artifact): HeldArtifact {
  return { tenant, file, sha256, objects };
}

export const objectChange = (action: Action, name: string, tenant = 'acme'): ObjectChange => ({
  action,
  kind: 'user',
  tenant,
  name,
  options: [],
});

export function change(
  action: Action,
  objects: ObjectChange[],
  key = 'acme/pjsip_users.conf',
): ArtifactChange {
  const after = action === 'delete' ? null : artifact(key, JSON.stringify(objects));
  const before = action === 'create' ? null : held(artifact(key, 'before'));
  return { action, key, before, after, objects };
}

export const nodePlan = (values: Partial<NodePlan> = {}): NodePlan => ({
  node: 'pbx1',
  base: 1,
  desired: { schema: 'sipctl/generation/1', renderDigest: 'd', tenants: {}, artifacts: {} },
  changes: [],
  unverified: false,
  reload: [],
  refusals: [],
  ...values,
});

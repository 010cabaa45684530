import type { Artifact, HeldArtifact } from './generation.ts';
import type { ArtifactChange, ObjectChange } from './plan.ts';

/** What differs between what a node holds and what it is to hold, in the order of the keys. */
export function diffArtifacts(
  held: Readonly<Record<string, HeldArtifact>>,
  desired: Readonly<Record<string, HeldArtifact>>,
  rendered: ReadonlyMap<string, Artifact>,
): Omit<ArtifactChange, 'objects'>[] {
  const changes: Omit<ArtifactChange, 'objects'>[] = [];
  for (const key of [...new Set([...Object.keys(held), ...Object.keys(desired)])].sort()) {
    const before = held[key] ?? null;
    const wanted = desired[key] ?? null;
    if (before?.sha256 === wanted?.sha256) continue;
    const after = wanted === null ? null : (rendered.get(key) ?? null);
    changes.push({
      action: before === null ? 'create' : wanted === null ? 'delete' : 'update',
      key,
      before,
      after,
    });
  }
  return changes;
}

export interface ChangeCount {
  create: number;
  update: number;
  delete: number;
}

/** How many trunks and users are made, changed and removed. */
export function countObjects(changes: readonly { objects: readonly ObjectChange[] }[]): ChangeCount {
  const count: ChangeCount = { create: 0, update: 0, delete: 0 };
  for (const change of changes) for (const object of change.objects) count[object.action]++;
  return count;
}

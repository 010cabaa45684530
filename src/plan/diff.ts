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

/** The objects that a node's changes are about, each once: a user stands in the file of users and in the dialplan. */
export function changedObjects(changes: readonly { objects: readonly ObjectChange[] }[]): ObjectChange[] {
  // By tenant and kind, then by name: a first apply has a hundred thousand objects, and no key is made for each.
  const merged = new Map<string, Map<string, ObjectChange>>();
  for (const { objects } of changes) {
    let [tenant, kind, named] = ['', '', new Map<string, ObjectChange>()];
    for (const object of objects) {
      if (object.tenant !== tenant || object.kind !== kind) {
        ({ tenant, kind } = object);
        const group = `${tenant} ${kind}`;
        named = merged.get(group) ?? new Map();
        merged.set(group, named);
      }
      const known = named.get(object.name);
      named.set(object.name, known === undefined ? object : joined(known, object));
    }
  }
  return [...merged.values()].flatMap((named) => [...named.values()]);
}

// What comes into one file, or leaves it, while it stays in another has changed.
function joined(one: ObjectChange, other: ObjectChange): ObjectChange {
  // Of what is new, nothing is told but its name.
  if (one.action === 'create' && other.action === 'create') return one;
  const action = one.action === other.action ? one.action : 'update';
  return { ...one, ...other, action, options: [...one.options, ...other.options] };
}

/** How many objects of one node are made, changed and removed. */
export function countObjects(changes: readonly { objects: readonly ObjectChange[] }[]): ChangeCount {
  const count: ChangeCount = { create: 0, update: 0, delete: 0 };
  for (const { action } of changedObjects(changes)) count[action]++;
  return count;
}

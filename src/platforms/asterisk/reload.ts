import type { ArtifactChange, ReloadStep } from '../../plan/plan.ts';
import type { PjsipGroup } from './pjsip-object.ts';

/** One reload of it reads every PJSIP object again, registrations and identifies included. */
export const pjsipModule = 'res_pjsip.so';

/**
 * The smallest reload that makes changes run: nothing for nothing. Registrations that vanish are ended first,
 * because the reload takes their credentials away, and the carrier would keep sending calls until they expire.
 */
export function reloadFor(changes: readonly ArtifactChange[]): ReloadStep[] {
  if (changes.length === 0) return [];
  const vanishing = changes.flatMap((change) => change.objects.flatMap((object) => object.unregisters ?? []));
  return [
    ...vanishing.sort().map((registration): ReloadStep => ({ kind: 'unregister', registration })),
    ...reloadAll(),
  ];
}

/** What makes everything that is delivered run. */
export const reloadAll = (): ReloadStep[] => [{ kind: 'reload-module', module: pjsipModule }];

/** By trunk: the registrations that are in `before` and not in `after`. */
export function vanishingRegistrations(
  before: readonly PjsipGroup[],
  after: readonly PjsipGroup[],
): Map<string, string[]> {
  const kept = new Set(after.flatMap(registrations));
  const vanishing = new Map<string, string[]>();
  for (const group of before) {
    const gone = registrations(group).filter((id) => !kept.has(id));
    if (gone.length > 0) vanishing.set(group.name, gone);
  }
  return vanishing;
}

const registrations = (group: PjsipGroup): string[] =>
  group.objects.filter((object) => object.type === 'registration').map((object) => object.id);

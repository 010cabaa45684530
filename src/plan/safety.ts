import { countObjects } from './diff.ts';
import type { HeldArtifact } from './generation.ts';
import type { ArtifactChange, Refusal } from './plan.ts';

/** From this many held objects on, a plan that deletes more than the share below is refused. */
const smallestSite = 10;
const largestShare = 0.3;

/** The number of deletions that was confirmed; `all` where all were seen and confirmed otherwise. */
export type Confirmed = number | 'all' | null;

/** Deletions that are more likely a mistake than a wish, unless their exact count was confirmed. */
export function unsafeDeletions(
  held: Readonly<Record<string, HeldArtifact>>,
  changes: readonly ArtifactChange[],
  confirmed: Confirmed,
): Refusal[] {
  const before = Object.values(held).reduce((sum, artifact) => sum + artifact.objects, 0);
  const gone = countObjects(changes).delete;
  if (before < smallestSite || gone <= before * largestShare || gone === confirmed || confirmed === 'all')
    return [];
  return [
    {
      code: 'too_many_deletions',
      message: `${gone} of ${before} objects would be deleted`,
      hint: `if that is meant, confirm it: --confirm ${gone}`,
    },
  ];
}

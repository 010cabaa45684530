import type { Target } from '../platforms/target.ts';
import type { RenderedTenant, RenderTenants } from './render-tenants.ts';

/**
 * Renders a tenant once for all of these nodes that get the same bytes of it. One node after the other renders: it is all
 * computing, and several would only wait for each other.
 */
export function sharedRendering(render: RenderTenants, targets: readonly Target[]): RenderTenants {
  const counts = new Map<string, number>();
  for (const target of targets) counts.set(recipeOf(target), (counts.get(recipeOf(target)) ?? 0) + 1);
  const known = new Map<string, RenderedTenant>();
  let turn: Promise<unknown> = Promise.resolve();
  const fill = async (target: Target, names: readonly string[]): Promise<RenderedTenant[]> => {
    const recipe = recipeOf(target);
    const key = (name: string): string => `${recipe} ${name}`;
    if (counts.get(recipe) === 1) return render(target, names);
    const missing = names.filter((name) => !known.has(key(name)));
    for (const one of missing.length === 0 ? [] : await render(target, missing))
      known.set(key(one.name), one);
    return names.flatMap((name) => known.get(key(name)) ?? []);
  };
  return (target, names) => {
    const filled = turn.then(() => fill(target, names));
    turn = filled.catch(() => undefined);
    return filled;
  };
}

const recipeOf = ({ kind, renderDigest }: Target): string => `${kind} ${renderDigest}`;

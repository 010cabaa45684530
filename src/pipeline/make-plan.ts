import { SipctlError } from '../errors.ts';
import { planChecksum } from '../plan/checksum.ts';
import { diffArtifacts } from '../plan/diff.ts';
import type { Artifact, HeldArtifact, Manifest } from '../plan/generation.ts';
import type { ArtifactChange, NodePlan } from '../plan/plan.ts';
import { type Confirmed, unsafeDeletions } from '../plan/safety.ts';
import type { NodeFailure, Plan } from '../plan/site-plan.ts';
import type { Target } from '../platforms/target.ts';
import type { TenantState } from '../store/sites.ts';
import type { Store } from '../store/store.ts';
import { concurrently } from './concurrently.ts';
import { heldGeneration, heldTexts, undamaged } from './held.ts';
import { type PlannedService, planServices } from './hosted-services.ts';
import type { RenderTenants } from './render-tenants.ts';
import { sharedRendering } from './shared-rendering.ts';

/** One node and what of the site it serves. */
export interface PlannedTarget {
  target: Target;
  /** null: every tenant. */
  tenants: readonly string[] | null;
}

export interface PlanOptions {
  /** Render and read everything, whatever the revisions say. */
  refresh: boolean;
  /** The number of deletions that was confirmed on the command line. */
  confirmed: Confirmed;
  /** Nodes at once. */
  concurrency?: number;
  /** Ends the wait for a service that does not answer. */
  signal?: AbortSignal;
}

/** Nodes that are worked on at once, where nothing else is said. */
export const usualConcurrency = 4;

interface Site {
  store: Store;
  render: RenderTenants;
}

/**
 * Compares what every node and service is to hold with what it holds. One that cannot be read does not hide the others.
 */
export async function makePlan(
  site: Site,
  targets: readonly PlannedTarget[],
  options: PlanOptions,
  hosted: readonly PlannedService[] = [],
): Promise<Plan> {
  const states = await site.store.tenantStates();
  const render = sharedRendering(
    site.render,
    targets.map(({ target }) => target),
  );
  const planned = await concurrently(targets, options.concurrency ?? usualConcurrency, (one) =>
    planNode({ ...site, render }, one, states, options).catch((error: unknown): NodeFailure => {
      if (!(error instanceof SipctlError)) throw error;
      return { node: one.target.node, error };
    }),
  );
  const nodes = planned.filter((one) => 'desired' in one);
  const failures = planned.filter((one) => 'error' in one);
  const services = await planServices(hosted, options.signal);
  return {
    ...{ nodes, failures, ...services },
    checksum: planChecksum(nodes, site.store.salt, services.services),
  };
}

async function planNode(
  site: Site,
  { target, tenants }: PlannedTarget,
  all: readonly TenantState[],
  options: PlanOptions,
): Promise<NodePlan> {
  const held = await heldGeneration(target);
  const states = all.filter((state) => tenants?.includes(state.name) ?? true);
  const { desired, rendered } = await desiredState(site, target, held, states, options.refresh);
  const present = options.refresh ? await undamaged(target, held) : (held?.artifacts ?? {});
  const diff = [...diffArtifacts(present, desired.artifacts, rendered)];
  const before = await heldTexts(
    target,
    held,
    diff.map((change) => (change.before === null ? null : change.key)),
  );
  const changes = diff.map((change, at) => ({
    ...change,
    objects: target.objectChanges(change.key, before[at] ?? null, change.after?.text ?? null),
  }));
  const unverified =
    target.controllable && held !== null && (await target.files.verified()) !== held.generation;
  return {
    node: target.node,
    base: held?.generation ?? 0,
    desired,
    changes,
    unverified,
    reload: reloadOf(target, changes, unverified),
    refusals: unsafeDeletions(held?.artifacts ?? {}, changes, options.confirmed),
  };
}

// Where nothing controls the PBX, nothing is reloaded, and the plan does not say so.
function reloadOf(
  target: Target,
  changes: readonly ArtifactChange[],
  unverified: boolean,
): NodePlan['reload'] {
  if (!target.controllable) return [];
  return changes.length > 0 ? target.reloadFor(changes) : unverified ? target.reloadAll() : [];
}

// A tenant whose revision and render digest are those of the held generation is neither rendered nor read.
async function desiredState(
  { render }: Site,
  target: Target,
  held: Manifest | null,
  states: readonly TenantState[],
  refresh: boolean,
): Promise<{ desired: NodePlan['desired']; rendered: Map<string, Artifact> }> {
  const heldByTenant = held?.renderDigest === target.renderDigest && !refresh ? byTenant(held) : null;
  const isHeld = ({ name, revision }: TenantState): boolean =>
    heldByTenant !== null && held?.tenants[name] === revision;
  const stale = states.filter((state) => !isHeld(state)).map(({ name }) => name);
  const fresh = new Map((await render(target, stale)).map((tenant) => [tenant.name, tenant]));
  const artifacts: Record<string, HeldArtifact> = {};
  const revisions: Record<string, string> = {};
  const rendered = new Map<string, Artifact>();
  for (const { name, revision } of states) {
    const tenant = fresh.get(name);
    revisions[name] = tenant?.revision ?? revision;
    if (tenant === undefined) {
      for (const [key, artifact] of heldByTenant?.get(name) ?? []) artifacts[key] = artifact;
    }
    for (const artifact of tenant?.artifacts ?? []) {
      const { key, text: _, ...entry } = artifact;
      artifacts[key] = entry;
      if (held?.artifacts[key]?.sha256 !== entry.sha256 || refresh) rendered.set(key, artifact);
    }
  }
  return {
    desired: {
      schema: 'sipctl/generation/1',
      renderDigest: target.renderDigest,
      tenants: revisions,
      artifacts,
    },
    rendered,
  };
}

function byTenant(manifest: Manifest): Map<string, [string, HeldArtifact][]> {
  const tenants = new Map<string, [string, HeldArtifact][]>();
  for (const entry of Object.entries(manifest.artifacts)) {
    const list = tenants.get(entry[1].tenant);
    if (list === undefined) tenants.set(entry[1].tenant, [entry]);
    else list.push(entry);
  }
  return tenants;
}

import { resolveSite } from '../model/resolve.ts';
import type { ResolvedSite, TenantSite } from '../model/site.ts';
import type { Catalog } from '../model/template.ts';
import type { Artifact } from '../plan/generation.ts';
import type { Target } from '../platforms/target.ts';
import type { Store } from '../store/store.ts';

/** All that a node is to hold of one tenant. */
export interface RenderedTenant {
  name: string;
  /** Of the very data that was rendered: it may be newer than that of a list read before. */
  revision: string;
  artifacts: Artifact[];
}

/**
 * Reads and renders these tenants for a node: all of them, in no order.
 * @throws SipctlError of the first tenant, in the order of the names, that cannot be rendered
 */
export type RenderTenants = (target: Target, names: readonly string[]) => Promise<RenderedTenant[]>;

/** One tenant after the other, from what is stored to what a node holds. */
export async function rendered(
  sites: AsyncIterable<TenantSite>,
  catalog: Catalog,
  render: (site: ResolvedSite) => Artifact[],
): Promise<RenderedTenant[]> {
  const done: RenderedTenant[] = [];
  for await (const site of sites) {
    const { name, revision } = site.tenant;
    done.push({ name, revision, artifacts: render(resolveSite(site, catalog)) });
  }
  return done;
}

/** Renders in this thread. */
export const renderHere =
  (store: Store): RenderTenants =>
  (target, names) =>
    rendered(store.tenantSites(names), target.recipe.catalog, target.render);

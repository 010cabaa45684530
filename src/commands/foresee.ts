import type { App } from '../app.ts';
import type { Problem } from '../errors.ts';
import { planServices } from '../pipeline/hosted-services.ts';
import { makePlan } from '../pipeline/make-plan.ts';
import { renderHere } from '../pipeline/render-tenants.ts';
import { rehearseSiteChange } from '../pipeline/site-change.ts';
import { planChecksum } from '../plan/checksum.ts';
import { countEdits, type SiteChange } from '../plan/edits.ts';
import type { Plan } from '../plan/site-plan.ts';
import { planData, planText } from '../report/plan.ts';
import { siteChangeData, siteChangeText } from '../report/site-change.ts';
import type { Input, Result } from './command.ts';
import { diffsOf, type PlanRequest, planRequest, planWarnings } from './plan.ts';
import { expectSources, labelAsked, readSources } from './site-source.ts';
import { changeResult, foundChange } from './take-in.ts';

/** What site files would change in the database, and then on the nodes and at the services. */
export interface Foreseen {
  change: SiteChange;
  /** null: there is no node and no service; `unseen`: this database shows nothing that is not kept yet. */
  plan: Plan | 'unseen' | null;
  /** Lines that differ, by node, where they were asked for. */
  diffs: ReadonlyMap<string, string>;
  result: Result;
}

/** Reads the site files that are named, and what they change in the database. */
export async function siteChangeOf(app: App, input: Input): Promise<{ change: SiteChange; result: Result }> {
  expectSources(input);
  const intake = await readSources(app, input);
  const options = { prune: input.options.prune === true, label: labelAsked(input) };
  const change = await foundChange(app, intake, options);
  return { change, result: changeResult(change, intake) };
}

/** Foresees what site files come to, on nodes and at services, too. Nothing is written. */
export async function foresee(app: App, input: Input, wanted: { diffs: boolean }): Promise<Foreseen> {
  const { change, result } = await siteChangeOf(app, input);
  const request = foreseenRequest(input, change);
  const store = await app.store();
  const look = async () => {
    const targets = await app.targets(request.nodes);
    const services = request.nodes.length === 0 ? await app.services() : [];
    if (targets.length + services.length === 0) return 'nothing' as const;
    const plan = await makePlan({ store, render: renderHere(store) }, targets, request);
    const warnings = await planWarnings(app, plan, targets);
    const diffs = wanted.diffs ? await diffsOf(plan, targets) : new Map<string, string>();
    return { plan, services, warnings, diffs };
  };
  const seen = change.edits.length === 0 ? await look() : await rehearseSiteChange(store, change, look);
  const none = { change, diffs: new Map<string, string>(), result };
  if (seen === 'nothing') return { ...none, plan: null };
  if (seen === null) {
    const warnings = [...(result.warnings ?? []), unseen];
    return { ...none, result: { ...result, warnings }, plan: 'unseen' };
  }
  // Services are asked when the transaction is over: others may write while they answer.
  const services = await planServices(seen.services, app.signal);
  const checksum = planChecksum(seen.plan.nodes, store.salt, services.services);
  const plan: Plan = { ...seen.plan, ...services, checksum };
  const warnings = [...(result.warnings ?? []), ...seen.warnings];
  return {
    change,
    plan,
    diffs: seen.diffs,
    result: { ...result, ...told(change, plan, seen.diffs), warnings },
  };
}

const unseen: Problem = {
  code: 'plan_unseen',
  message:
    'what this does to nodes shows once it is written: this database shows nothing that is not kept yet',
  hint: 'sipctl apply -f … --no-apply writes it, then sipctl plan shows it',
};

const told = (
  change: SiteChange,
  plan: Plan,
  diffs: ReadonlyMap<string, string>,
): Pick<Result, 'data' | 'text'> => ({
  data: { ...siteChangeData(change), plan: planData(plan, diffs) },
  text: (style) => siteChangeText(change, style) + planText(plan, diffs, style),
});

/** Removals that are confirmed by their number in the database are confirmed on the nodes, too. */
export function foreseenRequest(input: Input, change: SiteChange): PlanRequest {
  const request = planRequest(input);
  const removed = countEdits(change).delete;
  return removed > 0 && request.confirmed === removed ? { ...request, confirmed: 'all' } : request;
}

import type { SipctlError } from '../errors.ts';
import { concurrently } from '../pipeline/concurrently.ts';
import { type NodeStatus, statusOf } from '../pipeline/status.ts';
import { statusText } from '../report/status.ts';
import { nodeNames, type Run, type VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';
import { planned } from './plan.ts';
import { concurrencyOf, concurrencyOption } from './roll-out-flags.ts';

const run: Run = async (app, input) => {
  const concurrency = concurrencyOf(input);
  const { plan, targets } = await planned(app, {
    ...{ nodes: nodeNames(input), services: false, refresh: false, confirmed: null, concurrency },
  });
  const found = await concurrently(plan.nodes, concurrency, async (nodePlan) => {
    const target = targets.find((one) => one.target.node === nodePlan.node)?.target;
    return target === undefined ? [] : [await statusOf(target, nodePlan, app.signal)];
  });
  const statuses: NodeStatus[] = found.flat();
  const errors = [
    ...plan.failures.map(({ error }) => error as SipctlError),
    ...statuses.flatMap(({ error }) => (error === null ? [] : [error])),
  ];
  return {
    data: { nodes: statuses.map(({ error, ...status }) => ({ ...status, errors: error?.problems ?? [] })) },
    text: (style) => statusText(statuses, style),
    ...endedBy(errors),
  };
};

export const status: VerbSpec = {
  name: 'status',
  summary: 'database against delivered against running',
  options: [['--node <names>', 'only these nodes, separated by commas, or @<label>'], concurrencyOption],
  run,
};

import type { SipctlError } from '../errors.ts';
import { type NodeStatus, statusOf } from '../pipeline/status.ts';
import { statusText } from '../report/status.ts';
import { gravest } from './apply.ts';
import type { Run, VerbSpec } from './command.ts';
import { planned } from './plan.ts';

const run: Run = async (app, { options }) => {
  const nodes = typeof options.node === 'string' ? options.node.split(',') : [];
  const { plan, targets } = await planned(app, { nodes, refresh: false, confirmed: null });
  const statuses: NodeStatus[] = [];
  for (const nodePlan of plan.nodes) {
    const target = targets.find((one) => one.target.node === nodePlan.node)?.target;
    if (target !== undefined) statuses.push(await statusOf(target, nodePlan));
  }
  const errors = [
    ...plan.failures.map(({ error }) => error as SipctlError),
    ...statuses.flatMap(({ error }) => (error === null ? [] : [error])),
  ];
  return {
    data: { nodes: statuses.map(({ error, ...status }) => ({ ...status, errors: error?.problems ?? [] })) },
    text: (style) => statusText(statuses, style),
    ...(errors.length > 0
      ? { outcome: gravest(errors), errors: errors.flatMap((error) => error.problems) }
      : {}),
  };
};

export const status: VerbSpec = {
  name: 'status',
  summary: 'database against delivered against running',
  options: [['--node <names>', 'only these nodes, separated by commas']],
  run,
};

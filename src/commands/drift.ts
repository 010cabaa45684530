import { driftOf, type NodeDrift } from '../pipeline/drift.ts';
import { driftText } from '../report/drift.ts';
import { nodeNames, type Run, type VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';

const run: Run = async (app, input) => {
  const asked = input.options.check === true || input.options.detailedExitcode === true;
  const drifts: NodeDrift[] = [];
  for (const { target } of await app.targets(nodeNames(input)))
    drifts.push(await driftOf(target, app.signal));
  const errors = drifts.flatMap(({ error }) => (error === null ? [] : [error]));
  const found = drifts.some(({ findings }) => findings.length > 0);
  return {
    data: {
      drift: found,
      nodes: drifts.map(({ error, ...drift }) => ({ ...drift, errors: error?.problems ?? [] })),
    },
    text: (style) => driftText(drifts, style),
    ...(found && asked ? { outcome: 'pending' as const } : {}),
    ...endedBy(errors),
  };
};

export const drift: VerbSpec = {
  name: 'drift',
  summary: 'what nodes hold or run that sipctl did not put there',
  options: [
    ['--node <names>', 'only these nodes, separated by commas'],
    ['--check', 'exit 2 when there is drift, for cron'],
    ['--detailed-exitcode', 'the same as --check'],
  ],
  run,
};

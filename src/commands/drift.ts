import { driftOf, type NodeDrift } from '../pipeline/drift.ts';
import { driftText } from '../report/drift.ts';
import { gravest } from './apply.ts';
import type { Run, VerbSpec } from './command.ts';

const run: Run = async (app, { options }) => {
  const names = typeof options.node === 'string' ? options.node.split(',') : [];
  const drifts: NodeDrift[] = [];
  for (const { target } of await app.targets(names)) drifts.push(await driftOf(target));
  const errors = drifts.flatMap(({ error }) => (error === null ? [] : [error]));
  const found = drifts.some(({ findings }) => findings.length > 0);
  return {
    data: {
      drift: found,
      nodes: drifts.map(({ error, ...drift }) => ({ ...drift, errors: error?.problems ?? [] })),
    },
    text: (style) => driftText(drifts, style),
    ...(errors.length > 0
      ? { outcome: gravest(errors), errors: errors.flatMap((error) => error.problems) }
      : found && (options.check === true || options.detailedExitcode === true)
        ? { outcome: 'pending' as const }
        : {}),
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

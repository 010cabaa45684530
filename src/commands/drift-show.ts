import { concurrently } from '../pipeline/concurrently.ts';
import { driftOf } from '../pipeline/drift.ts';
import { sharedRendering } from '../pipeline/shared-rendering.ts';
import { driftText, remedyOf } from '../report/drift.ts';
import { serviceDriftData, serviceDriftText } from '../report/hosted-services.ts';
import { nodeNames, type Run, type VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';
import { concurrencyOf, concurrencyOption } from './roll-out-flags.ts';
import { driftOfServices } from './service-run.ts';

const run: Run = async (app, input) => {
  const asked = input.options.check === true || input.options.detailedExitcode === true;
  const targets = await app.targets(nodeNames(input));
  const render = sharedRendering(
    await app.rendering(),
    targets.map(({ target }) => target),
  );
  const site = { store: await app.store(), render };
  const drifts = await concurrently(targets, concurrencyOf(input), (planned) =>
    driftOf(site, planned, app.signal),
  );
  const services = nodeNames(input).length > 0 ? [] : await driftOfServices(app, await app.services());
  const errors = [...drifts, ...services].flatMap(({ error }) => (error === null ? [] : [error]));
  const found =
    drifts.some(({ findings }) => findings.length > 0) || services.some(({ differs }) => differs.length > 0);
  return {
    data: {
      drift: found,
      nodes: drifts.map(({ error, findings, ...drift }) => ({
        ...drift,
        findings: findings.map((one) => ({ ...one, remedy: remedyOf(drift.node, one.differs) })),
        errors: error?.problems ?? [],
      })),
      services: services.map(serviceDriftData),
    },
    text: (style) => driftText(drifts, style) + serviceDriftText(services, style),
    ...(found && asked ? { outcome: 'pending' as const } : {}),
    ...endedBy(errors),
  };
};

export const driftShow: VerbSpec = {
  name: 'show',
  summary: 'where database, files and running system are apart',
  options: [
    ['--node <names>', 'only these nodes, separated by commas, or @<label>, and no services'],
    ['--check', 'exit 2 when there is drift, for cron'],
    ['--detailed-exitcode', 'the same as --check'],
    concurrencyOption,
  ],
  examples: ['sipctl drift --check', 'sipctl drift --node pbx1'],
  run,
};

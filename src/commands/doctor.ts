import type { App } from '../app.ts';
import { chosenNodes, isChosen, labelIn } from '../model/chosen-nodes.ts';
import type { Node } from '../model/nouns.ts';
import * as nouns from '../model/nouns.ts';
import { type Check, failedCheck } from '../platforms/target.ts';
import { checks, failures, worst } from '../report/checks.ts';
import type { Run, VerbSpec } from './command.ts';
import { examineTwilio, hasTwilio } from './doctor-twilio.ts';

interface Examined {
  node: string;
  checks: Check[];
}

const run: Run = async (app, input) => {
  const store = await app.store();
  const nodes = (await store.records.list(nouns.node)) as unknown as Node[];
  const [wanted] = input.args;
  const isTwilio = wanted === 'twilio' && !nodes.some(({ name }) => name === wanted);
  const isLabel = wanted !== undefined && labelIn(wanted) !== null;
  if (wanted !== undefined && !isTwilio && !isLabel)
    await store.records.get(nouns.node, { tenant: null, name: wanted });
  if (isLabel) chosenNodes(nodes, [wanted]);
  const examined: Examined[] = [{ node: 'sipctl', checks: await ownChecks(app) }];
  for (const node of nodes.filter((one) => wanted === undefined || isChosen(one, wanted))) {
    examined.push({ node: node.name, checks: await examine(app, node, input.options.features === true) });
    app.signal.throwIfAborted();
  }
  if (isTwilio || (wanted === undefined && (await hasTwilio(app))))
    examined.push({ node: 'twilio', checks: await examineTwilio(app) });
  const failed = examined.flatMap(({ node, checks: found }) => failures(found, `${node}: `));
  return {
    data: { nodes: examined, worst: worst(examined.flatMap((one) => one.checks)) },
    text: (style) => examined.map(({ node, checks: found }) => checks(node, found, style)).join('\n'),
    ...(failed.length > 0 ? { outcome: 'failed' as const, errors: failed } : {}),
  };
};

async function ownChecks(app: App): Promise<Check[]> {
  const store = await app.store();
  const tenants = await store.tenantStates();
  return [
    { name: 'database', status: 'ok', message: `${app.config.db}, ${tenants.length} tenants` },
    keyCheck(app, () => store.keyring().id),
  ];
}

function keyCheck(app: App, read: () => string): Check {
  try {
    return { name: 'key', status: 'ok', message: `${app.config.keyFile} (${read()})` };
  } catch (error) {
    return failedCheck('key', error);
  }
}

async function examine(app: App, node: Node, features: boolean): Promise<Check[]> {
  try {
    const { target } = await app.target(node);
    const checks = await target.examine({ write: false, signal: app.signal });
    return features ? [...checks, ...(await target.examineFeatures(app.signal))] : checks;
  } catch (error) {
    return [failedCheck('node', error)];
  }
}

export const doctor: VerbSpec = {
  name: 'doctor',
  summary: 'check nodes, rights, include lines, Twilio; say the remedy',
  args: '[node]',
  options: [['--features', 'also what works of live calls: monitor, listen, record, conferences']],
  examples: ['sipctl doctor', 'sipctl doctor pbx1', 'sipctl doctor @east', 'sipctl doctor twilio'],
  run,
};

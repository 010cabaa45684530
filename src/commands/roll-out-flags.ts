import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { usualConcurrency } from '../pipeline/make-plan.ts';
import type { RollOutRules } from '../pipeline/roll-out.ts';
import type { Plan } from '../plan/site-plan.ts';
import { type Input, integerOption, type OptionSpec, separated } from './command.ts';

/** What a roll-out is told on the command line. */
export interface RollOutRequest {
  concurrency?: number;
  /** Names of nodes, or labels: `@east`. */
  canary?: readonly string[];
  maxFailures?: number | null;
}

/** For every command that goes over many nodes. */
export const concurrencyOption: OptionSpec = [
  '--concurrency <nodes>',
  `nodes that are worked on at once (default: ${usualConcurrency})`,
];

/** For commands that change nodes. */
export const rollOutOptions: readonly OptionSpec[] = [
  ['--canary <names>', 'these nodes first, the others only when they are verified; @<label> too'],
  ['--max-failures <count>', 'begin no further node after so many that failed'],
];

/** The nodes at once that were asked for. @throws SipctlError `invalid` */
export const concurrencyOf = (input: Input): number =>
  integerOption(input, 'concurrency', 1, 'give a number of nodes, for example 8') ?? usualConcurrency;

/** @throws SipctlError `invalid` */
export const rollOutRequest = (input: Input): RollOutRequest => ({
  concurrency: concurrencyOf(input),
  canary: separated(input.options.canary),
  maxFailures: integerOption(input, 'maxFailures', 1, 'give a number of nodes, for example 1'),
});

/** The rules for the nodes of a plan. @throws SipctlError `notFound`, or `invalid` for a canary that is not planned */
export async function rollOutRules(app: App, plan: Plan, request: RollOutRequest): Promise<RollOutRules> {
  const { concurrency = usualConcurrency, canary = [], maxFailures = null } = request;
  const named = canary.length === 0 ? [] : await app.targets(canary);
  const canaries = named.map(({ target }) => target.node);
  const planned = new Set([...plan.nodes, ...plan.failures].map(({ node }) => node));
  const strange = canaries.filter((node) => !planned.has(node));
  if (strange.length > 0)
    throw new SipctlError('invalid', {
      code: 'invalid_canary',
      message: `canary: ${strange.join(', ')} is not among the nodes of this plan`,
      field: 'canary',
      hint: 'name it in --node, too, or enable it',
    });
  return { concurrency, canaries, maxFailures, signal: app.signal };
}

import { plain } from '../report/style.ts';
import { table } from '../report/table.ts';
import type { DeliveryOutcome } from '../store/deliveries.ts';
import { type Input, integerOption, type Run, type VerbSpec } from './command.ts';
import { leaseView } from './lease.ts';

const defaultLimit = 20;

/** `--limit`, as every listing of the past takes it. */
export const limitOf = (input: Input): number =>
  integerOption(input, 'limit', 1, 'give a number of rows') ?? defaultLimit;

const tones: Partial<Record<DeliveryOutcome, 'good' | 'warn'>> = {
  verified: 'good',
  delivered: 'warn',
  started: 'warn',
};

const run: Run = async (app, input) => {
  const store = await app.store();
  const [node] = input.args;
  const filter = { limit: limitOf(input), ...(node === undefined ? {} : { node }) };
  const deliveries = await store.listDeliveries(filter, leaseView(app));
  return {
    data: { deliveries, count: deliveries.length },
    text: (style = plain) =>
      deliveries.length === 0
        ? 'nothing was applied yet\n'
        : table(
            deliveries,
            [
              { title: 'AT', value: ({ at }) => at },
              { title: 'NODE', value: (delivery) => delivery.node },
              {
                title: 'GENERATION',
                value: ({ base, generation }) => `${base} → ${generation}`,
                align: 'right',
              },
              {
                title: 'OUTCOME',
                value: ({ outcome }) => outcome,
                style: ({ outcome }) => style[tones[outcome] ?? 'bad'],
              },
              {
                title: 'CHANGES',
                value: ({ changes }) => `+${changes.create} ~${changes.update} -${changes.delete}`,
              },
              { title: 'BY', value: ({ actor }) => actor },
              { title: 'DETAIL', value: ({ detail }) => detail ?? '' },
            ],
            style,
          ),
  };
};

export const history: VerbSpec = {
  name: 'history',
  summary: 'what was applied where, and how it ended',
  args: '[node]',
  options: [['--limit <rows>', `newest first (default: ${defaultLimit})`]],
  run,
};

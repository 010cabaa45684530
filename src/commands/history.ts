import { plain } from '../report/style.ts';
import { table } from '../report/table.ts';
import { type Input, integerOption, type Run, type VerbSpec } from './command.ts';

const defaultLimit = 20;

/** `--limit`, as every listing of the past takes it. */
export const limitOf = (input: Input): number =>
  integerOption(input, 'limit', 1, 'give a number of rows') ?? defaultLimit;

const run: Run = async (app, input) => {
  const store = await app.store();
  const [node] = input.args;
  const deliveries = await store.listDeliveries({
    limit: limitOf(input),
    ...(node === undefined ? {} : { node }),
  });
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
                style: ({ outcome }) =>
                  outcome === 'verified' ? style.good : outcome === 'delivered' ? style.warn : style.bad,
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

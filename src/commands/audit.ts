import { table } from '../report/table.ts';
import type { Run, VerbSpec } from './command.ts';
import { limitOf } from './history.ts';

const run: Run = async (app, input) => {
  const store = await app.store();
  const { allTenants, noun } = input.options;
  const entries = await store.listAudit({
    limit: limitOf(input),
    ...(allTenants === true ? {} : { tenant: app.config.tenant }),
    ...(typeof noun === 'string' ? { noun } : {}),
  });
  return {
    data: { entries, count: entries.length },
    text: (style) =>
      entries.length === 0
        ? `nothing was changed yet in tenant '${app.config.tenant}': --all-tenants shows everything\n`
        : table(
            entries,
            [
              { title: 'AT', value: ({ at }) => at },
              { title: 'BY', value: ({ actor }) => actor },
              { title: 'ACTION', value: ({ action }) => action },
              { title: 'OBJECT', value: ({ noun: kind, name }) => `${kind} ${name}` },
              { title: 'TENANT', value: ({ tenant }) => tenant ?? '-' },
              { title: 'FIELDS', value: ({ detail }) => Object.keys(detail).join(',') },
            ],
            style,
          ),
  };
};

export const audit: VerbSpec = {
  name: 'audit',
  summary: 'who changed what',
  options: [
    ['--all-tenants', 'of every tenant, and what belongs to none'],
    ['--noun <noun>', 'only changes of one noun'],
    ['--limit <rows>', 'newest first (default: 20)'],
  ],
  run,
};

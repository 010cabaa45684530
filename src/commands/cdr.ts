import { recordsText, recordText, reportLines, reportText } from '../report/call-records.ts';
import type { StoredCallRecord } from '../store/call-records.ts';
import { oneOf } from './call-list.ts';
import { cdrExport } from './cdr-export.ts';
import { cdrImport } from './cdr-import.ts';
import { olderThan, pickRecord, recordFilter, recordFilterOptions } from './cdr-scope.ts';
import { type CommandSpec, integerOption, type Run } from './command.ts';
import { assertConfirmed, confirm } from './confirm.ts';
import { limitOf } from './history.ts';

const list: Run = async (app, input) => {
  const filter = await recordFilter(app, input);
  const store = await app.store();
  const records: StoredCallRecord[] = [];
  for await (const one of store.readCallRecords(filter, { limit: limitOf(input) })) records.push(one);
  const withTenant = filter.tenant === undefined;
  return {
    data: { cdrs: records, count: records.length },
    text: (style) =>
      records.length === 0
        ? `no calls were kept${withTenant ? '' : ` of tenant '${app.config.tenant}'`}: sipctl monitor --save and sipctl cdr import keep them\n`
        : recordsText(records, style, withTenant),
  };
};

const show: Run = async (app, input) => {
  const cdr = await pickRecord(app, input.args[0] ?? '', input.options.allTenants === true);
  return { data: { cdr }, text: (style) => recordText(cdr, style) };
};

const report: Run = async (app, input) => {
  const by = oneOf(input.options.by, ['tenant', 'trunk', 'user', 'day'], 'by') ?? 'day';
  const filter = await recordFilter(app, input);
  const lines = reportLines(await (await app.store()).summarizeCalls(filter, by));
  return {
    data: { by, lines, count: lines.length },
    text: (style) => (lines.length === 0 ? 'no calls\n' : reportText(by, lines, style)),
  };
};

const prune: Run = async (app, input) => {
  const before = olderThan(String(input.options.olderThan ?? ''), app.now()).toISOString();
  const everywhere = input.options.allTenants === true;
  const filter = { tenant: everywhere ? undefined : app.config.tenant, before };
  const store = await app.store();
  const found = await store.countCallRecords(filter);
  const whose = everywhere ? 'all tenants' : `tenant ${app.config.tenant}`;
  const calls = `${found} ${found === 1 ? 'call' : 'calls'} of ${whose} from before ${before.slice(0, 16)}Z`;
  if (input.options.dryRun === true || found === 0) {
    const data = { removed: 0, found, before };
    return { data, text: () => (found === 0 ? 'nothing is that old\n' : `${calls} would be removed\n`) };
  }
  const confirmed = integerOption(input, 'confirm', 0, 'give the number of calls that go');
  const all = await store.countCallRecords({ tenant: filter.tenant });
  assertConfirmed(found, all, confirmed, 'calls');
  if (confirmed !== found) await confirm(app, `Remove ${calls}?`);
  const removed = await store.removeCallRecords(filter);
  return { changed: removed > 0, data: { removed, found, before }, text: () => `${calls} were removed\n` };
};

export const cdrCommand: CommandSpec = {
  name: 'cdr',
  summary: 'calls that ended: list, export, report, import',
  verbs: [
    {
      name: 'list',
      summary: 'list kept calls, the newest first',
      options: [...recordFilterOptions, ['--limit <rows>', 'how many (default: 20)']],
      examples: ['sipctl cdr list --tenant acme --from 2026-05-04 --direction inbound --unanswered'],
      run: list,
    },
    {
      name: 'show',
      summary: 'show one kept call',
      args: '<cdr>',
      options: [['--all-tenants', 'of every tenant, and of nobody']],
      run: show,
    },
    cdrExport,
    {
      name: 'report',
      summary: 'calls, answered ones, ASR, minutes and ACD',
      options: [...recordFilterOptions, ['--by <group>', 'tenant, trunk, user or day; day where not given']],
      examples: ['sipctl cdr report --all-tenants --by tenant --from 2026-05-01'],
      run: report,
    },
    cdrImport,
    {
      name: 'prune',
      summary: 'remove old calls; asks first',
      options: [
        ['--older-than <age>', 'days, 90d, weeks, 12w, or a day, 2026-05-04'],
        ['--all-tenants', 'of every tenant, and of nobody'],
        ['--dry-run', 'only say how many'],
        ['--confirm <count>', 'the exact count, where many would go'],
      ],
      examples: ['sipctl cdr prune --all-tenants --older-than 180d --yes'],
      run: prune,
    },
  ],
};

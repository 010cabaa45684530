import { planMarkdown } from '../report/plan-markdown.ts';
import type { Result, Run, VerbSpec } from './command.ts';
import { siteChangeOf } from './foresee.ts';
import { reportAsked } from './plan-verb.ts';
import { namesSources, noSources, sourceOptions } from './site-source.ts';

/** What site files and the database differ in. */
const run: Run = async (app, input) => {
  if (!namesSources(input)) throw noSources('diff');
  const asMarkdown = reportAsked(input);
  const { change, result } = await siteChangeOf(app, input);
  const { warnings = [] } = result;
  const shown: Result = asMarkdown
    ? { ...result, text: () => planMarkdown({ change, plan: null, diffs: new Map(), warnings }) }
    : result;
  return change.edits.length === 0 ? shown : { ...shown, outcome: 'pending' };
};

export const diff: VerbSpec = {
  name: 'diff',
  summary: 'compare site files with the database; exit 2 where they differ',
  options: [...sourceOptions, ['--report <format>', 'md: as Markdown, for a comment on a change request']],
  examples: ['sipctl diff -f site.yaml', 'sipctl diff -f site/ --prune --json'],
  run,
};

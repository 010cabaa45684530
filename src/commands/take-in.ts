import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import type { Declared } from '../model/declared.ts';
import type { ChangeOptions } from '../pipeline/declared-site.ts';
import { planSiteChange, writeSiteChange } from '../pipeline/site-change.ts';
import { countEdits, type SiteChange } from '../plan/edits.ts';
import { siteChangeData, siteChangeText } from '../report/site-change.ts';
import { applyAfterWrite } from './apply-after-write.ts';
import { type Input, integerOption, type OptionSpec, type Result } from './command.ts';
import { assertConfirmed, confirm } from './confirm.ts';

/** What a reader made of its source. */
export interface Intake {
  declared: readonly Declared[];
  /** What could not be read: nothing is written while there is any. */
  problems: readonly Problem[];
  warnings: readonly Problem[];
}

/** What a command adds to the taking in. */
export interface TakeInSteps {
  /** More for the answer's `data`. */
  data?: object;
  /** Done when the change is approved, before it is written; the answer undoes it where the change cannot be written. */
  beforehand?: (change: SiteChange) => Promise<() => void>;
}

export const checkOptions: readonly OptionSpec[] = [
  ['--check', 'only show what would change; exit 2 where something would'],
  ['--dry-run', 'the same as --check'],
];

/** The flags of every command that takes a source in. */
export const takeInOptions: readonly OptionSpec[] = [
  ...checkOptions,
  ['--confirm <count>', 'confirm that many removals'],
];

export const isCheck = ({ options }: Input): boolean => options.check === true || options.dryRun === true;

/**
 * The end of every command that takes a source in: shows what it would change, asks, and writes all of it or nothing.
 * `--apply` then brings the nodes up to date. More for `data` may come along, such as what a reader did not understand.
 */
export async function takeIn(
  app: App,
  input: Input,
  intake: Intake,
  options: ChangeOptions & TakeInSteps = {},
): Promise<Result> {
  const change = await foundChange(app, intake, options);
  const result = changeResult(change, intake, options.data);
  if (isCheck(input) || change.edits.length === 0) return settled(app, input, change, result);
  guardRemovals(input, change);
  await approveChange(app, siteChangeText(change), 'Write this to the database?');
  const undo = await options.beforehand?.(change);
  try {
    await writeSiteChange(await app.store(), change);
  } catch (error) {
    undo?.();
    throw error;
  }
  return applyAfterWrite(app, input, writtenResult(change, result));
}

// What is there already may still wait for its delivery.
const settled = async (app: App, input: Input, { edits }: SiteChange, result: Result): Promise<Result> => {
  if (!isCheck(input)) return applyAfterWrite(app, input, result);
  return edits.length === 0 ? result : { ...result, outcome: 'pending' };
};

/** Every difference between a source and the database. @throws SipctlError `invalid` with every complaint */
export async function foundChange(app: App, intake: Intake, options: ChangeOptions): Promise<SiteChange> {
  const change = await planSiteChange(await app.store(), await app.catalog(), intake.declared, options);
  const problems = [...intake.problems, ...change.problems];
  if (problems.length > 0) throw new SipctlError('invalid', problems.toSorted(byPlace));
  return change;
}

// As an editor goes through a file; what has no place comes first, as it speaks of a whole file.
function byPlace({ place: one }: Problem, { place: other }: Problem): number {
  if (one === undefined || other === undefined)
    return Number(one !== undefined) - Number(other !== undefined);
  if (one.source !== other.source) return one.source < other.source ? -1 : 1;
  return one.line - other.line || one.column - other.column;
}

/** The change as the answer of a command. */
export const changeResult = (change: SiteChange, intake: Intake, data: object = {}): Result => ({
  changed: false,
  data: { ...data, ...siteChangeData(change) },
  text: (style) => siteChangeText(change, style),
  warnings: [...intake.warnings, ...change.warnings],
});

/** The answer once the change is written. */
export const writtenResult = (change: SiteChange, result: Result): Result => ({
  ...result,
  changed: change.edits.length > 0,
  text: (style) => siteChangeText(change, style, true),
});

/** @throws SipctlError `refused` where so much would be removed that it is more likely a mistake */
export function guardRemovals(input: Input, change: SiteChange): void {
  const confirmed = integerOption(input, 'confirm', 1, 'give the number of removals that the change names');
  assertConfirmed(countEdits(change).delete, change.held, confirmed, 'objects');
}

/** Shows what is about to be done where somebody can be asked. @throws SipctlError `refused` */
export async function approveChange(app: App, text: string, question: string): Promise<void> {
  if (app.terminal.interactive && !app.config.yes) app.terminal.err(text);
  await confirm(app, question);
}

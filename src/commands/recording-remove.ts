import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { Tenant } from '../model/nouns.ts';
import * as nouns from '../model/nouns.ts';
import { dayBefore } from '../model/recording.ts';
import { assertEnded, oneRecording, type Recording } from '../pipeline/recordings.ts';
import { type Removed, removeRecordings } from '../pipeline/remove-recordings.ts';
import { sizeText } from '../report/size.ts';
import { type Input, integerOption, type Result, type Run, type VerbSpec } from './command.ts';
import { assertConfirmed, confirm } from './confirm.ts';
import { endedBy } from './ended.ts';
import { placeFlags, recordingData, recordingsAsked, warningsOf } from './recordings-asked.ts';

const remove: Run = async (app, input) => {
  const found = await recordingsAsked(app, input);
  const meant = [...new Set(wordsOf(input).map((text) => oneRecording(found.recordings, text)))];
  for (const one of meant) {
    assertEnded(one);
    if (one.facts?.hold != null) throw held(one);
  }
  await confirm(app, `Remove ${counted(meant)}?`);
  const done = await removeRecordings(meant, await app.store(), 'asked for');
  return { ...ended(done), warnings: warningsOf(found) };
};

const wordsOf = ({ args }: Input): string[] => args.flatMap((one) => (one === undefined ? [] : one));

const prune: Run = async (app, input) => {
  const found = await recordingsAsked(app, input);
  const days = await daysOf(app, input);
  const isOld = ({ tenant, day, writing }: Recording): boolean => {
    const limit = days.get(tenant);
    return limit !== undefined && !writing && day < dayBefore(app.now(), limit);
  };
  const old = found.recordings.filter(isOld);
  const heldOnes = old.filter(({ facts }) => facts?.hold != null);
  const due = old.filter(({ facts }) => facts?.hold == null);
  if (input.options.dryRun === true || due.length === 0) {
    return {
      data: { due: due.map(recordingData), held: heldOnes.map(recordingData), removed: [] },
      warnings: warningsOf(found),
      text: () => `${counted(due)} to be removed, ${heldOnes.length} held\n`,
      ...endedBy(found.errors),
    };
  }
  const confirmed = integerOption(input, 'confirm', 0, 'give the number of recordings that go');
  assertConfirmed(due.length, found.recordings.length, confirmed, 'recordings');
  if (confirmed !== due.length) await confirm(app, `Remove ${counted(due)}?`);
  const done = await removeRecordings(due, await app.store(), 'retention');
  const result = ended({ ...done, kept: [...done.kept, ...heldOnes] });
  return { ...result, warnings: warningsOf(found), ...endedBy([...done.errors, ...found.errors]) };
};

/** Days that recordings are kept, by tenant; those of no other tenant are ever removed. */
async function daysOf(app: App, input: Input): Promise<Map<string, number>> {
  const { records } = await app.store();
  const given = integerOption(input, 'olderThan', 1, 'give a number of days');
  const all = input.options.allTenants === true;
  if (!all) await records.get(nouns.tenant, { tenant: null, name: app.config.tenant });
  const tenants = ((await records.list(nouns.tenant)) as unknown as Tenant[]).filter(
    ({ name }) => all || name === app.config.tenant,
  );
  const days = new Map(
    tenants.flatMap(({ name, recordingDays }) => {
      const kept = given ?? recordingDays;
      return kept === null ? [] : [[name, kept] as const];
    }),
  );
  if (days.size === 0 && !all) throw keptForEver(app.config.tenant);
  return days;
}

function ended({ removed, kept, errors }: Removed): Result {
  return {
    changed: removed.length > 0,
    data: { removed: removed.map(recordingData), held: kept.map(recordingData) },
    text: () => `${counted(removed)} removed${kept.length === 0 ? '' : `, ${kept.length} held`}\n`,
    ...endedBy(errors),
  };
}

const counted = (recordings: readonly Recording[]): string => {
  const size = sizeText(recordings.reduce((sum, one) => sum + one.size, 0));
  return `${recordings.length} recording${recordings.length === 1 ? '' : 's'} (${size})`;
};

const held = ({ id, facts }: Recording): SipctlError =>
  new SipctlError('refused', {
    code: 'recording_held',
    message: `recording '${id}' is held: ${facts?.hold}`,
    field: 'id',
    hint: `sipctl recording release ${id} lets it go`,
  });

const keptForEver = (tenant: string): SipctlError =>
  new SipctlError('refused', {
    code: 'no_retention',
    message: `tenant '${tenant}' does not say for how many days recordings are kept`,
    field: 'recordingDays',
    hint: `sipctl tenant set ${tenant} --recording-days <days>, or --older-than <days>`,
  });

export const recordingRemove: VerbSpec = {
  name: 'remove',
  summary: 'remove recordings for good; none that is held',
  args: '<id...>',
  options: placeFlags,
  run: remove,
};

export const recordingPrune: VerbSpec = {
  name: 'prune',
  summary: 'remove what is older than the tenant keeps recordings',
  options: [
    ...placeFlags,
    ['--older-than <days>', 'instead of what the tenant says'],
    ['--dry-run', 'only say what would go'],
    ['--confirm <count>', 'the exact count, where many would go'],
  ],
  examples: ['sipctl recording prune --all-tenants --yes'],
  run: prune,
};

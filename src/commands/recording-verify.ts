import { sealRecordings, type Verified, verifyRecordings } from '../pipeline/seal-recordings.ts';
import { table } from '../report/table.ts';
import type { Result, Run, VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';
import { placeFlags, recordingData, recordingsAsked, warningsOf } from './recordings-asked.ts';

const seal: Run = async (app, input) => {
  const found = await recordingsAsked(app, input);
  const { sealed, emptied } = await sealRecordings(found, await app.store(), app.now());
  const left = found.recordings.filter(({ writing }) => writing).length;
  return {
    changed: sealed.length + emptied.length > 0,
    data: { sealed: sealed.map(recordingData), empty: emptied.map(recordingData), writing: left },
    text: () => `${sealed.length} sealed, ${emptied.length} without sound removed, ${left} still written\n`,
    warnings: warningsOf(found),
    ...endedBy(found.errors),
  };
};

const verify: Run = async (app, input) => {
  const found = await recordingsAsked(app, input);
  const { recordings } = await app.store();
  const tenant = input.options.allTenants === true ? {} : { tenant: app.config.tenant };
  const verified = await verifyRecordings(found, await recordings.list(tenant));
  return { ...verdictOn(verified), warnings: warningsOf(found), ...endedBy(found.errors) };
};

function verdictOn({ intact, findings }: Verified): Result {
  const wrong = findings.filter(({ code }) => code === 'missing' || code === 'changed');
  const verdict: Result = {
    data: { intact, findings },
    text: (style) =>
      `${intact} recordings are what they were${findings.length === 0 ? '\n' : '\n\n'}${
        findings.length === 0
          ? ''
          : table(
              findings,
              [
                { title: 'NODE', value: ({ node }) => node },
                { title: 'FINDING', value: ({ code }) => code },
                { title: 'PATH', value: ({ path }) => JSON.stringify(path).slice(1, -1) },
              ],
              style,
            )
      }`,
  };
  if (wrong.length === 0) return verdict;
  const error = {
    code: 'recordings_differ',
    message: `${wrong.length} recordings are missing or not what they were`,
    hint: 'look who could write there; the checksums in the database are those of the day they were sealed',
  };
  return { ...verdict, outcome: 'failed', errors: [error] };
}

export const recordingSeal: VerbSpec = {
  name: 'seal',
  summary: 'note checksums of new recordings, and take the rights of others away',
  options: placeFlags,
  examples: ['sipctl recording seal --all-tenants'],
  run: seal,
};

export const recordingVerify: VerbSpec = {
  name: 'verify',
  summary: 'compare recordings with their checksums: what is missing, changed, unknown',
  options: placeFlags,
  run: verify,
};

import { resolve } from 'node:path';
import type { App } from '../app.ts';
import { type Fetched, fetchRecording, fetchToFile } from '../pipeline/fetch-recording.ts';
import { assertEnded, oneRecording, type Recording } from '../pipeline/recordings.ts';
import { sizeText } from '../report/size.ts';
import type { Result, Run, VerbSpec } from './command.ts';
import { placeFlags, recordingsAsked, warningsOf } from './recordings-asked.ts';

const get: Run = async (app, input) => {
  const found = await recordingsAsked(app, input);
  const one = oneRecording(found.recordings, input.args[0] ?? '');
  assertEnded(one);
  const { output, force } = input.options;
  if (output === '-') return toStandardOutput(app, one);
  const file = resolve(typeof output === 'string' ? output : `${one.id}.wav`);
  await auditFetch(app, one, file);
  const fetched = await fetchToFile(one, file, { replace: force === true, signal: app.signal });
  return {
    changed: false,
    data: { ...dataOf(one, fetched), file },
    warnings: warningsOf(found),
    text: (style) => `${style.bold(file)}: ${sizeText(fetched.bytes)}, sha256 ${fetched.sha256}\n`,
  };
};

async function toStandardOutput(app: App, one: Recording): Promise<Result> {
  await auditFetch(app, one, '-');
  const { gone } = app.terminal;
  const streamed: Result = { data: null, text: () => '', streamed: true };
  try {
    const take = (chunk: Buffer): Promise<void> => app.terminal.outBytes(chunk);
    const fetched = await fetchRecording(one, take, AbortSignal.any([app.signal, gone]));
    return { ...streamed, data: dataOf(one, fetched) };
  } catch (error) {
    // A reader that has heard enough is no failure.
    if (gone.aborted) return streamed;
    throw error;
  }
}

const dataOf = ({ node, tenant, id, path }: Recording, { bytes, sha256 }: Fetched) => ({
  ...{ node, tenant, id, path, bytes, sha256 },
});

/** Before the first byte leaves: whoever ends the command in the middle has heard it all the same. */
const auditFetch = async (app: App, { node, tenant, id, path, size }: Recording, to: string): Promise<void> =>
  (await app.store()).audit({
    ...{ action: 'fetch', noun: 'recording', tenant, name: id },
    detail: { node, path, size, to },
  });

export const recordingGet: VerbSpec = {
  name: 'get',
  summary: 'copy a recording here, or to standard output; an audit row tells of it',
  args: '<id>',
  options: [
    ...placeFlags,
    ['-o, --output <file>', 'where to; <id>.wav when not given, - for standard output'],
    ['--force', 'replace a file that is there'],
  ],
  examples: [
    'sipctl recording get 1763755659.12 -o call.wav',
    'sipctl recording get 1763755659.12 -o - | aplay',
  ],
  run: get,
};

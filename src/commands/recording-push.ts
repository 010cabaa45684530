import { SipctlError } from '../errors.ts';
import { commandLine, type Pushed, type Pushing, pushRecording } from '../pipeline/push-recordings.ts';
import type { Recording } from '../pipeline/recordings.ts';
import { removeRecordings } from '../pipeline/remove-recordings.ts';
import { type Input, integerOption, type Run, type VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { endedBy } from './ended.ts';
import { placeFlags, recordingData, recordingsAsked, warningsOf } from './recordings-asked.ts';

/** Seconds. */
const usualTimeout = 600;

const push: Run = async (app, input) => {
  const { options } = input;
  const { to, copy } = destinationOf(input);
  const readBack = typeof options.readBack === 'string' ? commandLine(options.readBack, 'read-back') : null;
  if (options.remove === true && readBack === null) throw unproven();
  const pushing: Pushing = {
    ...{ to, copy, readBack, env: app.env, signal: app.signal, now: app.now },
    timeoutMs: 1000 * (integerOption(input, 'timeout', 1, 'give whole seconds') ?? usualTimeout),
  };
  const found = await recordingsAsked(app, input, placeFlags);
  const due = found.recordings.filter((one) => isDue(one, to));
  if (options.remove === true && due.length > 0)
    await confirm(app, `Copy ${due.length} recordings to ${to}, and remove them from the PBX?`);
  const store = await app.store();
  const pushed: Pushed[] = [];
  const errors: SipctlError[] = [...found.errors];
  for (const one of due) {
    try {
      pushed.push(await pushRecording(one, store, pushing));
    } catch (error) {
      if (!(error instanceof SipctlError)) throw error;
      errors.push(error);
      // What fails once mostly fails for all of them: the first failure is told at once.
      break;
    }
  }
  const copies = pushed.map(({ recording }) => recording);
  const gone = options.remove === true ? await removeRecordings(copies, store, `pushed to ${to}`) : null;
  errors.push(...(gone?.errors ?? []));
  const removed = gone?.removed.length ?? 0;
  return {
    changed: pushed.length > 0,
    data: {
      pushed: pushed.map((one) => ({
        ...recordingData(one.recording),
        pushedTo: one.to,
        sha256: one.sha256,
      })),
      ...{ removed, left: due.length - pushed.length, verified: readBack !== null },
    },
    warnings: warningsOf({ ...found, errors: [] }),
    text: () =>
      `${pushed.length} of ${due.length} recordings copied to ${to}${readBack === null ? '' : ', and read back'}${
        options.remove === true ? `; ${removed} removed` : ''
      }\n`,
    ...endedBy(errors),
  };
};

/** Whole, and not there yet. */
const isDue = ({ writing, empty, facts }: Recording, to: string): boolean =>
  !writing && !empty && facts?.pushedTo?.startsWith(`${to.replace(/\/+$/, '')}/`) !== true;

function destinationOf({ options }: Input): { to: string; copy: Pushing['copy'] } {
  const { to, with: client } = options;
  if (typeof to === 'string' && to !== '' && typeof client === 'string')
    return { to, copy: commandLine(client, 'with') };
  throw new SipctlError('usage', {
    code: 'usage',
    message: '--to and --with are needed',
    hint: "for example --to s3://bucket/calls --with 'aws s3 cp {file} {to}'",
  });
}

const unproven = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: '--remove needs --read-back: an exit code does not prove that a copy is whole',
    hint: "for example --read-back 'aws s3 cp {to} -'",
  });

export const recordingPush: VerbSpec = {
  name: 'push',
  summary: 'copy recordings to a storage with your own client, and note that',
  options: [
    ...placeFlags,
    ['--to <place>', 'where to; <tenant>/<day>/<id>.wav is added'],
    ['--with <command>', 'copies {file} to {to}; runs without a shell'],
    ['--read-back <command>', 'prints {to}, so that it can be compared'],
    ['--timeout <s>', `seconds for each command; ${usualTimeout} where not given`],
    ['--remove', 'remove each from the PBX that was read back and compared; none that is held'],
  ],
  examples: ["sipctl recording push --to s3://bucket/calls --with 'aws s3 cp {file} {to}'"],
  run: push,
};

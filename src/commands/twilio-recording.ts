import { resolve } from 'node:path';
import { Complaints, SipctlError } from '../errors.ts';
import { twilioTrunk } from '../model/service-nouns.ts';
import { intoFile } from '../pipeline/fetch-recording.ts';
import { sizeText } from '../report/size.ts';
import { shown, table } from '../report/table.ts';
import { integerOption, type Result, type Run, type VerbGroup } from './command.ts';
import { fieldOptions, readPatch } from './noun-input.ts';
import { provision, provisionedResult } from './twilio-provision.ts';
import { accountAsked, accountOption, type StoredTrunk, trunkAsked } from './twilio-scope.ts';

const usualLimit = 50;

/** What Twilio records of a trunk's calls. */
const set: Run = async (app, input) => {
  const trunk = await trunkAsked(app, input, input.args[0]);
  const complaints = new Complaints();
  const { mode, ...options } = input.options;
  const given = { ...input, options: { ...options, ...(mode === undefined ? {} : { recording: mode }) } };
  const values = await readPatch(twilioTrunk, given, app, complaints);
  if (Object.keys(values).length === 0)
    complaints.add({
      code: 'missing_mode',
      message: 'mode: what is to be recorded',
      field: 'mode',
      hint: 'give --mode, --trim, or both',
    });
  complaints.throwIfAny();
  const store = await app.store();
  const ref = { tenant: trunk.tenant, name: trunk.name };
  await store.write((writer) => writer.set(twilioTrunk, ref, values));
  const changed = (await store.records.get(twilioTrunk, ref)) as StoredTrunk;
  const verb = changed.recording === 'do-not-record' ? 'is not recorded' : 'is recorded';
  return provisionedResult(app, await provision(app, changed), verb);
};

const list: Run = async (app, input) => {
  const account = await accountAsked(app, input);
  const limit = integerOption(input, 'limit', 1, 'give a number of rows') ?? usualLimit;
  const view = await app.twilioView(account);
  const recordings = await view.recordings({ call: callOf(input.options.call), limit }, app.signal);
  return {
    data: { account: account.name, recordings, count: recordings.length },
    text: (style) =>
      recordings.length === 0
        ? `no recordings in Twilio account '${account.name}'\n`
        : table(
            recordings,
            [
              { title: 'STARTED', value: ({ startedAt }) => shown(startedAt) },
              { title: 'ID', value: ({ id }) => id, style: () => style.bold },
              { title: 'CALL', value: ({ call }) => call },
              { title: 'SECONDS', value: ({ seconds }) => shown(seconds), align: 'right' },
              { title: 'CHANNELS', value: ({ channels }) => shown(channels), align: 'right' },
              { title: 'STATUS', value: ({ status }) => status },
            ],
            style,
          ),
  };
};

function callOf(given: unknown): string | null {
  if (typeof given !== 'string') return null;
  if (/^CA[0-9a-fA-F]{32}$/.test(given)) return given;
  throw new SipctlError('invalid', {
    code: 'invalid_call',
    message: `call: '${given}' is no SID of a call`,
    field: 'call',
    hint: 'it is CA and 32 hexadecimal digits',
  });
}

/** Copies a recording here. It is somebody's conversation: an audit row is there before the first byte. */
const get: Run = async (app, input) => {
  const [id = ''] = input.args;
  if (!/^RE[0-9a-fA-F]{32}$/.test(id)) throw noRecordingId(id);
  const account = await accountAsked(app, input);
  const { output, force } = input.options;
  const view = await app.twilioView(account);
  const toOutput = output === '-';
  const file = toOutput ? '-' : resolve(typeof output === 'string' ? output : `${id}.wav`);
  await (await app.store()).audit({
    ...{ action: 'fetch', noun: 'recording', tenant: app.config.tenant, name: id },
    detail: { account: account.name, to: file },
  });
  const fetched = (take: (chunk: Buffer) => Promise<void>): Promise<number> =>
    view.fetchRecording(id, take, AbortSignal.any([app.signal, ...(toOutput ? [app.terminal.gone] : [])]));
  if (toOutput) {
    const streamed: Result = { data: null, text: () => '', streamed: true };
    // A reader that has heard enough is no failure.
    return fetched((chunk) => app.terminal.outBytes(chunk)).then(
      () => streamed,
      (error: unknown) => {
        if (app.terminal.gone.aborted) return streamed;
        throw error;
      },
    );
  }
  const bytes = await intoFile(file, force === true, fetched);
  return {
    changed: false,
    data: { id, account: account.name, file, bytes },
    text: (style) => `${style.bold(file)}: ${sizeText(bytes)}\n`,
  };
};

const noRecordingId = (id: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_id',
    message: `id: '${id}' is no SID of a recording`,
    field: 'id',
    hint: 'it is RE and 32 hexadecimal digits: see sipctl twilio recording list',
  });

const modes = fieldOptions(twilioTrunk).flatMap(([flags, help]) => {
  if (flags.startsWith('--recording ')) return [['--mode <value>', help] as const];
  return flags.startsWith('--trim ') ? [[flags, help] as const] : [];
});

export const twilioRecording: VerbGroup = {
  name: 'recording',
  summary: 'recordings that Twilio makes of a trunk’s calls',
  verbs: [
    {
      name: 'set',
      summary: 'say what Twilio records; Twilio charges for recordings and their storage',
      args: '[name]',
      options: modes,
      examples: ['sipctl twilio recording set --tenant acme --mode record-from-answer-dual'],
      run: set,
    },
    {
      name: 'list',
      summary: 'recordings of the account, the newest first',
      options: [
        accountOption,
        ['--call <sid>', 'of this call: CA…'],
        ['--limit <rows>', `so many at most; ${usualLimit} when not given`],
      ],
      run: list,
    },
    {
      name: 'get',
      summary: 'copy a recording here, or to standard output; an audit row tells of it',
      args: '<id>',
      options: [
        accountOption,
        ['-o, --output <file>', 'where to; <id>.wav when not given, - for standard output'],
        ['--force', 'replace a file that is there'],
      ],
      run: get,
    },
  ],
};

import { SipctlError } from '../errors.ts';
import { oneRecording } from '../pipeline/recordings.ts';
import type { Run, VerbSpec } from './command.ts';
import { placeFlags, recordingData, recordingsAsked, warningsOf } from './recordings-asked.ts';

const change =
  (verb: 'hold' | 'release'): Run =>
  async (app, input) => {
    const found = await recordingsAsked(app, input);
    const one = oneRecording(found.recordings, input.args[0] ?? '');
    const before = one.facts?.hold ?? null;
    const hold = verb === 'release' ? null : reasonOf(input.options.reason);
    const facts = { hold, heldAt: hold === null ? null : app.now().toISOString() };
    if (hold !== before) {
      const { recordings } = await app.store();
      const detail = { node: one.node, path: one.path, hold: [before, hold] };
      await recordings.note(
        [{ of: one, facts }],
        [{ action: 'set', noun: 'recording', tenant: one.tenant, name: one.id, detail }],
      );
    }
    return {
      changed: hold !== before,
      data: { ...recordingData(one), hold },
      warnings: warningsOf(found),
      text: (style) =>
        hold === null
          ? `${style.bold(one.id)} ${before === null ? 'was not held' : 'is no longer held'}\n`
          : `${style.bold(one.id)} is held: ${hold}\n`,
    };
  };

function reasonOf(given: unknown): string {
  const reason = typeof given === 'string' ? given.trim() : '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey
  if (reason !== '' && reason.length <= 500 && !/[\u0000-\u001f\u007f-\u009f]/.test(reason)) return reason;
  throw new SipctlError('invalid', {
    code: 'invalid_reason',
    message: reason === '' ? 'a hold needs a reason' : 'the reason is too long, or holds control characters',
    field: 'reason',
    hint: 'say who wants it, for example --reason "court order 4 C 12/26"',
  });
}

export const recordingHold: VerbSpec = {
  name: 'hold',
  summary: 'keep a recording, whatever its age: nothing removes it',
  args: '<id>',
  options: [...placeFlags, ['--reason <text>', 'why']],
  run: change('hold'),
};

export const recordingRelease: VerbSpec = {
  name: 'release',
  summary: 'let a held recording go its way again',
  args: '<id>',
  options: placeFlags,
  run: change('release'),
};

import type { CommandSpec } from './command.ts';
import { recordingGet } from './recording-get.ts';
import { recordingHold, recordingRelease } from './recording-hold.ts';
import { recordingList, recordingShow } from './recording-list.ts';
import { liveRecordingVerbs } from './recording-live.ts';
import { recordingPush } from './recording-push.ts';
import { recordingPrune, recordingRemove } from './recording-remove.ts';
import { recordingSeal, recordingVerify } from './recording-verify.ts';

export const recordingCommand: CommandSpec = {
  name: 'recording',
  summary: 'recordings of calls: list, fetch, keep, remove',
  verbs: [
    recordingList,
    recordingShow,
    recordingGet,
    recordingRemove,
    recordingPrune,
    recordingHold,
    recordingRelease,
    recordingSeal,
    recordingVerify,
    recordingPush,
    ...liveRecordingVerbs,
  ],
};

import { canRecord } from '../../../model/flow/recording.ts';
import { recordingPath } from '../../../model/recording.ts';
import { word } from '../words.ts';
import { type Action, action, always, type Context, condition, extension, set, share } from './dialplan.ts';
import type { Plan } from './plan.ts';

/**
 * Who says that a call is recorded sets what is done on the caller's leg when it is bridged, and nothing takes that back.
 * Legs that the call brings forth have it, too: it does nothing there until one of them is transferred, and calls others.
 */

/** Where a recording stands; no caller has a say in it. */
export const recordingFile = (tenant: string, id: string): string =>
  `\${recordings_dir}/${recordingPath(tenant, '${strftime_tz(Etc/UTC %Y-%m-%d)}', id)}`;

/** The call is recorded. */
export const recorded = (plan: Plan, record: boolean): Action[] =>
  record
    ? [
        share('bridge_pre_execute_aleg_app', 'execute_extension'),
        share('bridge_pre_execute_aleg_data', `record XML ${plan.names.context('record')}`),
        share('recording_follow_transfer', 'true'),
        ...consent(plan).map((sound) => share('bridge_pre_execute_bleg_app', sound.application)),
        ...consent(plan).map((sound) => share('bridge_pre_execute_bleg_data', sound.data)),
      ]
    : [];

/** Nobody on an emergency call waits for a tone. */
export const silent = ({ flow }: Plan): Action[] =>
  flow.record && flow.recordTone !== null ? [share('bridge_pre_execute_bleg_app', '')] : [];

// Each party hears it on the own leg: both at once.
function consent({ flow: { recordTone } }: Plan): Action[] {
  if (recordTone === null) return [];
  return [action('playback', recordTone === 'tone' ? tone : `${word(recordTone)}.wav`)];
}

/** 0.4 seconds of 1400 Hz, as telephone networks tell that somebody records. */
const tone = 'tone_stream://%(400,0,1400)';

/** Where a call is bridged again after a transfer, it stays on the file that there is. */
export const recording = (plan: Plan): Context[] => (canRecord(plan.flow) ? [routine(plan)] : []);

const routine = (plan: Plan): Context => ({
  name: plan.names.context('record'),
  extensions: [
    ...consent(plan).map((sound) =>
      extension('consent', [condition('${SIPCTL_DIRECTION}', '^(?!emergency$)', [sound])], true),
    ),
    extension(
      'a file',
      [
        condition('${sipctl_recording}', '^$', [
          set('sipctl_recording', recordingFile(plan.names.tenant, '${uuid}')),
        ]),
      ],
      true,
    ),
    // The talk, and nothing before it: not the menu, which answers the call, nor what a carrier plays before an answer.
    extension('record', [
      always([
        set('RECORD_ANSWER_REQ', 'true'),
        set('RECORD_BRIDGE_REQ', 'true'),
        action('record_session', '${sipctl_recording}'),
      ]),
    ]),
  ],
});

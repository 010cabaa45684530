import { canRecord } from '../../../model/flow/recording.ts';
import { recordingPath } from '../../../model/recording.ts';
import type { Plan } from './destinations.ts';
import { type Context, gosub, gotoIf, routine, type Step, set, step, when, word } from './dialplan.ts';

/**
 * Who says that a call is recorded sets a variable, which all channels of the call inherit and nothing takes back. The talk
 * is recorded on one channel of the call: on the one of the outside where there is one, since that one stays when a user
 * transfers the call; else on the phone that answers. (Nothing but its own dialplan can start it on a channel: on a caller
 * from outside it has to wait from before the answer, and leaves an empty file where none comes.)
 */

const wish = '__SIPCTL_RECORD';
const wished = '"${SIPCTL_RECORD}" = "yes"';

/** The call is recorded. */
export const wanted = (record: boolean): Step[] => (record ? [set(wish, 'yes')] : []);

/** The call is recorded where an expression holds. */
export const wantedWhen = (expression: string): Step => when(expression, set(wish, 'yes'));

/** An emergency call is recorded only where all calls of the tenant are. */
export const emergencyWish = ({ flow }: Plan): Step[] =>
  !flow.record && canRecord(flow) ? [set(wish, '')] : [];

/** Records the talk of this channel, where that is wanted. */
export const recorded = ({ flow, names }: Plan): Step[] =>
  canRecord(flow) ? [gosub(names.routine('record'))] : [];

/** Records the talk of this channel once phones answer it, where that is wanted and it comes from outside. */
export const recordedFromOutside = (plan: Plan): Step[] =>
  recorded(plan).map((step) => when('"${SIPCTL_DIRECTION}" = "inbound"', step));

/** What Dial does on a called channel that answers: records its talk, where that is wanted. */
export const recordedAtAnswer = ({ flow, names }: Plan): string =>
  canRecord(flow) ? `U(${names.routine('record')})` : '';

/**
 * What Dial plays to both parties before they talk. The caller is answered first: else it would be played before the answer,
 * which not every phone lets hear. A file that is not there keeps nobody from talking.
 */
export function consent({ flow }: Plan): string {
  if (flow.recordTone === null || !canRecord(flow)) return '';
  const sound = flow.recordTone === 'tone' ? 'beep' : word(flow.recordTone);
  return `\${IF($[${wished} & "\${SIPCTL_DIRECTION}" != "emergency"]?aA(${sound}:${sound}))}`;
}

/** Where a recording stands below Asterisk's monitor folder; no caller has a say in it. */
export const recordingFile = (tenant: string, id: string): string =>
  recordingPath(tenant, '${STRFTIME(,UTC,%Y-%m-%d)}', id);

// A call has one name, its Linkedid; a file of a channel that is not the call's first has that channel's name, too.
const callAndChannel = '${CHANNEL(linkedid)}${IF($["${CHANNEL(linkedid)}" = "${UNIQUEID}"]?:--${UNIQUEID})}';

/** Where a call is transferred, it comes here again: it stays on the recording that there is. */
export const recording = ({ flow, names }: Plan): Context[] =>
  canRecord(flow)
    ? [
        routine(names.routine('record'), 'Records the talk where that is wanted, and nothing before it.', [
          gotoIf(`"\${SIPCTL_RECORD}" != "yes" | "\${SIPCTL_RECORDED}" = "yes"`, 'done'),
          gotoIf('${GROUP_COUNT(${SIPCTL_CALL}@sipctl_recorded)} > 0', 'done'),
          set('SIPCTL_RECORDED', 'yes'),
          set('GROUP(sipctl_recorded)', '${SIPCTL_CALL}'),
          step('MixMonitor', `${recordingFile(names.tenant, callAndChannel)},b`),
          step('Return', '', 'done'),
        ]),
      ]
    : [];

import { canRecord } from '../../../model/flow/recording.ts';
import type { Plan } from './destinations.ts';
import { type Context, gosub, gotoIf, routine, type Step, set, step, when, word } from './dialplan.ts';

/**
 * Who says that a call is recorded sets a variable, which all channels of the call inherit and nothing takes back. When
 * phones or a trunk are about to be called, the talk is recorded on one channel of the call: on the one of the outside
 * where there is one, since that one stays when a user transfers the call.
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

/** What Dial plays to both parties before they talk. A file that is not there keeps nobody from talking. */
export function consent({ flow }: Plan): string {
  if (flow.recordTone === null || !canRecord(flow)) return '';
  const sound = flow.recordTone === 'tone' ? 'beep' : word(flow.recordTone);
  return `\${IF($[${wished} & "\${SIPCTL_DIRECTION}" != "emergency"]?A(${sound}:${sound}))}`;
}

/** Where recordings stand below Asterisk's monitor folder; the day is that of UTC, and no caller has a say in it. */
export const recordingPath = (tenant: string, id: string): string =>
  `sipctl/${tenant}/\${STRFTIME(,UTC,%Y-%m-%d)}/${id}.wav`;

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
          step('MixMonitor', `${recordingPath(names.tenant, callAndChannel)},b`),
          step('Return', '', 'done'),
        ]),
      ]
    : [];

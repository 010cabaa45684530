import type { CallRecord } from '../model/call-record.ts';
import { clock, visible } from './calls.ts';
import type { Style } from './style.ts';
import { listing, shown, table } from './table.ts';

type Listed = CallRecord & { id: number };

/** Kept calls, one a line. */
export const recordsText = (records: readonly Listed[], style: Style, withTenant: boolean): string =>
  table(
    records,
    [
      { title: 'CDR', value: ({ id }) => String(id), align: 'right' },
      { title: 'STARTED', value: ({ startedAt }) => startedAt.slice(0, 19).replace('T', ' ') },
      ...(withTenant ? [{ title: 'TENANT', value: ({ tenant }: Listed) => tenant ?? '-' }] : []),
      { title: 'DIRECTION', value: ({ direction }) => direction },
      { title: 'FROM', value: ({ from }) => visible(from ?? '-') },
      { title: 'TO', value: ({ to }) => visible(to ?? '-') },
      { title: 'USER', value: ({ user }) => user ?? '-' },
      { title: 'TRUNK', value: ({ trunk }) => trunk ?? '-' },
      { title: 'TALK', value: ({ talkSeconds }) => clock(talkSeconds), align: 'right' },
      {
        title: 'END',
        value: ({ cause, sip }) => visible(sip === null ? cause : `${cause} (${sip})`),
        style: ({ answeredAt }) => (answeredAt === null ? style.warn : style.dim),
      },
    ],
    style,
  );

/** One kept call with everything that is known of it. */
export const recordText = (record: Listed, style: Style): string =>
  listing(
    Object.entries(record).map(([name, value]) => [name, visible(shown(value))] as const),
    style,
  );

/** One line of a report, with what is worked out. */
export interface ReportLine {
  group: string | null;
  calls: number;
  answered: number;
  /** Answer-seizure ratio: answered ones of a hundred calls. */
  asr: number;
  minutes: number;
  /** Average call duration: seconds of those that were answered. */
  acd: number;
}

/** Numbers of calls with what follows from them; ASR in per cent, minutes with one decimal, ACD in seconds. */
export function reportLines(
  sums: readonly { group: string | null; calls: number; answered: number; talkSeconds: number }[],
): ReportLine[] {
  return sums.map(({ group, calls, answered, talkSeconds }) => ({
    group,
    calls,
    answered,
    asr: calls === 0 ? 0 : Math.round((answered / calls) * 1000) / 10,
    minutes: Math.round(talkSeconds / 6) / 10,
    acd: answered === 0 ? 0 : Math.round(talkSeconds / answered),
  }));
}

export const reportText = (by: string, lines: readonly ReportLine[], style: Style): string =>
  table(
    lines,
    [
      { title: by.toUpperCase(), value: ({ group }) => group ?? '-' },
      { title: 'CALLS', value: ({ calls }) => String(calls), align: 'right' },
      { title: 'ANSWERED', value: ({ answered }) => String(answered), align: 'right' },
      { title: 'ASR %', value: ({ asr }) => asr.toFixed(1), align: 'right' },
      { title: 'MINUTES', value: ({ minutes }) => minutes.toFixed(1), align: 'right' },
      { title: 'ACD', value: ({ acd }) => clock(acd), align: 'right' },
    ],
    style,
  );

import type { FlowSchedule } from './call-flow.ts';

/** What a schedule says of a moment. */
export interface ScheduleState {
  result: 'open' | 'closed' | 'holiday';
  /** `sat 2026-11-21 10:05`, in the schedule's zone. */
  localTime: string;
}

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

export function scheduleAt({ timeZone, open, holidays }: FlowSchedule, at: Date): ScheduleState {
  const { weekday, date, time } = wallClock(at, timeZone);
  const localTime = `${weekday} ${date} ${time}`;
  if (holidays.includes(date) || holidays.includes(date.slice(5))) return { result: 'holiday', localTime };
  const day = days.indexOf(weekday) + 1;
  const minute = Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const isOpen = open.some((hours) => hours.days.includes(day) && minute >= hours.from && minute < hours.to);
  return { result: isOpen ? 'open' : 'closed', localTime };
}

function wallClock(at: Date, timeZone: string): { weekday: string; date: string; time: string } {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    weekday: (part.weekday ?? '').toLowerCase(),
    date: `${part.year}-${part.month}-${part.day}`,
    time: `${part.hour}:${part.minute}`,
  };
}

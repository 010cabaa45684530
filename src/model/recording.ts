import { ok, type Parsed, wrong } from './field.ts';

/** Names of recordings: one rule for what the engines write, what sipctl starts, and what it finds again. */

/** The folder of sipctl in an engine's folder of recordings. */
export const recordingsFolder = 'sipctl';

/**
 * Where a recording stands below the engine's folder. `day` is that of UTC. `id` is the call's, as the engine names it; a
 * further file of the same call has two dashes and a word of its own behind it. The parts may be expressions of a dialplan.
 */
export const recordingPath = (tenant: string, day: string, id: string): string =>
  `${recordingsFolder}/${tenant}/${day}/${id}.wav`;

/** A recording, as its path tells it. */
export interface RecordingName {
  tenant: string;
  /** `2026-11-21`, of UTC. */
  day: string;
  /** File name without its ending: what people name it by. */
  id: string;
  /** The call's id at the engine. */
  callId: string;
}

const shape = /^([a-z0-9][a-z0-9_-]*)\/(\d{4}-\d{2}-\d{2})\/([A-Za-z0-9][A-Za-z0-9._:-]*)\.wav$/;

/** What a path below the folder of sipctl says; null for what no engine of sipctl wrote. */
export function parseRecordingPath(path: string): RecordingName | null {
  const [, tenant = '', day = '', id = ''] = shape.exec(path) ?? [];
  if (id === '' || id.length > 200) return null;
  return { tenant, day, id, callId: id.split('--')[0] as string };
}

/** `2026-11-21`, a day of UTC. */
export function calendarDay(text: string): Parsed<string> {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
  return isDay && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text)
    ? ok(text)
    : wrong(`'${text}' is no day`, 'write it as 2026-11-21');
}

/** The day so many days before another; none before 1970. */
export const dayBefore = (at: Date, days: number): string =>
  new Date(Math.max(0, at.getTime() - days * 86_400_000)).toISOString().slice(0, 10);

/** What is known of a recording's sound. */
export interface WaveFacts {
  /** Of the sound; null where the file is not finished, or no WAV. */
  seconds: number | null;
  /** The header says as much as there is: whoever wrote it has closed it. */
  finished: boolean;
}

/** Bytes of a file's beginning that `waveFacts` needs. */
export const waveHeaderBytes = 512;

/** Reads the beginning of a WAV file of so many bytes. (Engines write the length of the data when they close the file.) */
export function waveFacts(head: Buffer, size: number): WaveFacts {
  const open: WaveFacts = { seconds: null, finished: false };
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE') return open;
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= head.length; ) {
    const length = head.readUInt32LE(at + 4);
    const name = head.toString('latin1', at, at + 4);
    if (name === 'fmt ' && at + 20 <= head.length) bytesPerSecond = head.readUInt32LE(at + 16);
    if (name === 'data') {
      // What stands behind the data are chunks of a few bytes.
      const finished = length > 0 && at + 8 + length <= size && bytesPerSecond > 0;
      return finished ? { seconds: length / bytesPerSecond, finished } : open;
    }
    at += 8 + length + (length % 2);
  }
  return open;
}

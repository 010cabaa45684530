import type { Reading } from '../model/reading.ts';
import { plain, type Style } from './style.ts';

/** Renamings shown one by one; the rest are counted. */
const mostShown = 20;

/** What a configuration that was taken over leaves to its operator: new names, and what stays in own files. */
export function readingText({ renamings, left }: Reading, style: Style = plain): string {
  const called = renamings.filter(({ kind }) => kind === 'endpoint' || kind === 'gateway' || kind === 'user');
  const lines = called
    .slice(0, mostShown)
    .map(({ kind, from, to }) => `${kind} ${from} is called ${style.bold(to)} now`);
  if (called.length > mostShown) lines.push(`and ${called.length - mostShown} more`);
  if (called.length > 0)
    lines.push(style.dim('a dialplan of your own that dials the old names has to name the new ones'));
  if (left.length > 0) lines.push(style.dim(`stays in your own files: ${left.join(', ')}`));
  return lines.map((line) => `${line}\n`).join('');
}

import { displayWidth } from '../table.ts';

// C0, DEL and C1 controls, line and paragraph separators, and the marks that reorder what a reader sees.
const disturbing = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Longer than any terminal is wide: callers choose their names. */
const mostCharacters = 300;

/** The text with nothing in it that could steer a terminal: names and numbers of callers are theirs to choose. */
export const neutral = (text: string): string => text.slice(0, mostCharacters).replace(disturbing, '·');

/** The text in exactly so many columns: cut with an ellipsis, or filled with blanks. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const width = displayWidth(text);
  if (width > columns) return cut(text, columns);
  const blanks = ' '.repeat(columns - width);
  return align === 'right' ? blanks + text : text + blanks;
}

function cut(text: string, columns: number): string {
  if (columns <= 0) return '';
  let kept = '';
  let width = 0;
  for (const character of text) {
    const more = displayWidth(character);
    if (width + more > columns - 1) break;
    kept += character;
    width += more;
  }
  return `${kept}…${' '.repeat(columns - 1 - width)}`;
}

/** `0:07`, `12:30`, `1:02:03` */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = String(seconds % 60).padStart(2, '0');
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, '0')}:${rest}`;
}

import { visible } from '../calls.ts';
import { displayWidth } from '../table.ts';

/** Longer than any terminal is wide: callers choose their names. */
const mostCharacters = 300;

/** The text with nothing in it that could steer a terminal: names and numbers of callers are theirs to choose. */
export const neutral = (text: string): string => visible(text.slice(0, mostCharacters));

/** The text in exactly so many columns: cut with an ellipsis, or filled with blanks. */
export function fitted(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
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

import { plain, type Style } from './style.ts';

export interface Column<T> {
  title: string;
  value: (row: T) => string;
  align?: 'right';
  style?: (row: T, style: Style) => (text: string) => string;
}

/** Rows under a line of titles, in columns as wide as their content; nothing is cut or wrapped. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], style: Style = plain): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const widths = columns.map((column, at) =>
    cells.reduce(
      (widest, row) => Math.max(widest, displayWidth(row[at] as string)),
      displayWidth(column.title),
    ),
  );
  const line = (texts: readonly string[], paint: (text: string, at: number) => string): string =>
    texts
      .map((text, at) => pad(text, widths[at] as number, columns[at]?.align, (padded) => paint(padded, at)))
      .join('  ')
      .trimEnd();
  const titles = line(
    columns.map((column) => column.title),
    (text) => style.dim(text),
  );
  const body = cells.map((row, index) =>
    line(row, (text, at) => columns[at]?.style?.(rows[index] as T, style)(text) ?? text),
  );
  return `${[titles, ...body].join('\n')}\n`;
}

function pad(
  text: string,
  width: number,
  align: 'right' | undefined,
  paint: (text: string) => string,
): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? blanks + paint(text) : paint(text) + blanks;
}

// Unicode Standard Annex #11: wide and fullwidth characters take two columns, combining marks none.
const wide =
  /[\u1100-\u115f\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const none = /[\p{Mn}\p{Me}\u200b\u200d]/u;

/** Terminal columns that a text takes. */
export function displayWidth(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += none.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** `name: value` lines for one object. */
export function listing(entries: readonly (readonly [string, string])[], style: Style = plain): string {
  const widest = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${style.dim(`${name}:`.padEnd(widest + 1))} ${value}\n`).join('');
}

/** How a value is shown to a person. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(',');
  return String(value);
}

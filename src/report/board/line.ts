/** How a piece of a line looks; the terminal's own way where none is said. */
export type Look = 'good' | 'bad' | 'warn' | 'info' | 'dim' | 'bold' | 'chosen';

export interface Span {
  text: string;
  look?: Look | undefined;
}

/** One line of the screen, no wider than it. */
export type Line = readonly Span[];

// ECMA-48, Select Graphic Rendition. Bold and reverse are no colours: they stay where no colours are wanted.
const colors: Readonly<Record<Look, string>> = {
  ...{ good: '32', bad: '31', warn: '33', info: '36', dim: '2', bold: '1', chosen: '7' },
};
const isColor = (look: Look): boolean => ['good', 'bad', 'warn', 'info'].includes(look);

const painted = (line: Line, color: boolean): string =>
  line
    .map(({ text, look }) =>
      look === undefined || (isColor(look) && !color) ? text : `\u001b[${colors[look]}m${text}\u001b[0m`,
    )
    .join('');

/** What was painted, so that the next frame need only say what differs. */
export type Frame = readonly string[];

/** The frame of these lines, and what makes the screen show it where it shows `before`; null: it shows nothing of ours. */
export function paint(
  lines: readonly Line[],
  before: Frame | null,
  color: boolean,
): { frame: Frame; output: string } {
  const frame = lines.map((line) => painted(line, color));
  const changed = frame.flatMap((text, at) =>
    text === before?.[at] ? [] : [`\u001b[${at + 1};1H${text}\u001b[K`],
  );
  return { frame, output: (before === null ? '\u001b[2J' : '') + changed.join('') };
}

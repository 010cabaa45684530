import { diffLines } from 'diff';
import { maskSecrets } from './mask.ts';
import { plain, type Style } from './style.ts';

/** Lines of context around a change. */
const around = 3;

/** The lines that differ between two texts, with a little context; the values of secrets are hidden, not that they differ. */
export function textDiff(title: string, before: string, after: string, style: Style = plain): string {
  const parts = diffLines(before, after);
  const lines: { sign: ' ' | '+' | '-'; text: string }[] = parts.flatMap((part) =>
    part.value
      .replace(/\n$/, '')
      .split('\n')
      .map((text) => ({
        sign: part.added ? ('+' as const) : part.removed ? ('-' as const) : (' ' as const),
        text: maskSecrets(text),
      })),
  );
  const shown = new Set<number>();
  lines.forEach(({ sign }, at) => {
    for (let near = at - around; sign !== ' ' && near <= at + around; near++) shown.add(near);
  });
  let text = `  ${style.bold(title)}\n`;
  let skipped = false;
  lines.forEach((line, at) => {
    if (!shown.has(at)) {
      skipped = true;
      return;
    }
    if (skipped) text += `  ${style.dim('…')}\n`;
    skipped = false;
    const paint = line.sign === '+' ? style.good : line.sign === '-' ? style.bad : style.dim;
    text += `  ${paint(`${line.sign} ${line.text}`.trimEnd())}\n`;
  });
  return text;
}

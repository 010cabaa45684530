/** Colours as functions of text, so that reports are pure and a pipe gets plain words. */
export interface Style {
  good: (text: string) => string;
  bad: (text: string) => string;
  warn: (text: string) => string;
  dim: (text: string) => string;
  bold: (text: string) => string;
}

const same = (text: string): string => text;

export const plain: Style = { good: same, bad: same, warn: same, dim: same, bold: same };

import { parseConf } from '../conf/parse.ts';
import { escapeValue } from '../conf/write.ts';

/** One section of voicemail.conf or confbridge.conf. */
export interface ConfSection {
  name: string;
  /** As sipctl names whom it belongs to; empty where each entry has an owner of its own. */
  owner: string;
  entries: readonly ConfEntry[];
}

export interface ConfEntry {
  key: string;
  value: string;
  owner: string;
}

/** The lines of a section, each with its line break. */
export function sectionText({ name, owner, entries }: ConfSection): string {
  let text = `[${name}]${comment(owner)}\n`;
  for (const { key, value, owner: whose } of entries) {
    text += `${key} = ${escapeValue(value, whose === '' ? name : whose, key)}${comment(whose)}\n`;
  }
  return text;
}

const comment = (owner: string): string => (owner === '' ? '' : ` ; ${owner}`);

/** The sections of a rendered text, read back from it. */
export function parseSections(text: string): ConfSection[] {
  const { items, comments } = parseConf(text);
  const onLine = new Map(comments.map((one) => [one.line, one.text]));
  const sections: (ConfSection & { entries: ConfEntry[] })[] = [];
  for (const item of items) {
    const owner = onLine.get(item.line) ?? '';
    if (item.kind === 'section') sections.push({ name: item.name, owner, entries: [] });
    if (item.kind === 'entry') sections.at(-1)?.entries.push({ key: item.key, value: item.value, owner });
  }
  return sections;
}

/** @throws Error, as a bug, where a rendered text does not hold exactly these sections */
export function checkSections(text: string, intended: readonly ConfSection[]): void {
  if (JSON.stringify(parseSections(text)) !== JSON.stringify(intended)) {
    throw new Error('the rendered text does not hold exactly the intended sections');
  }
}

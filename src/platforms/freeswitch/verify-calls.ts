import type { Artifact } from '../../plan/generation.ts';
import type { Finding } from '../target.ts';
import { deliveredElements, outermostNames } from './delivered.ts';
import { callsFile, deliveredPath, menusFile, publicFile, roomsFile } from './delivered-files.ts';
import type { Ask } from './esl/replies.ts';
import { runningElement } from './running-xml.ts';
import { attributeOf, childrenNamed, type Element, isSame } from './xml/element.ts';

/** What is wrong with a whole delivered file, or with what belongs to no single object. */
export const fileFinding = (artifact: Artifact, code: Finding['code'], message: string): Finding => ({
  object: `file ${deliveredPath(artifact)}`,
  tenant: artifact.tenant,
  file: deliveredPath(artifact),
  code,
  message,
});

/** Where menus, rooms and extensions stand in FreeSWITCH's tree. Each place is asked for once. */
export class Places {
  readonly #ask: Ask;
  readonly #known = new Map<string, Promise<readonly Element[]>>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** What runs in the place of a delivered element; null where nothing of its name does. */
  async find(file: string, { name: tag, attributes }: Element): Promise<Element | null> {
    const name = attributes.find(([key]) => key === 'name')?.[1] ?? '';
    if (file === callsFile) return runningElement(this.#ask, 'dialplan', tag, name);
    const all = await this.#in(file);
    return all.find((one) => one.name === tag && attributeOf(one, 'name') === name) ?? null;
  }

  async hasContext(name: string): Promise<boolean> {
    return (await runningElement(this.#ask, 'dialplan', 'context', name)) !== null;
  }

  /** The neighbours of the delivered elements, in the order in which they count. */
  #in(file: string): Promise<readonly Element[]> {
    const known = this.#known.get(file) ?? this.#look(file);
    this.#known.set(file, known);
    return known;
  }

  async #look(file: string): Promise<readonly Element[]> {
    if (file === publicFile)
      return (await runningElement(this.#ask, 'dialplan', 'context', 'public'))?.children ?? [];
    const [settings, list] = file === menusFile ? ['ivr.conf', 'menus'] : ['conference.conf', 'profiles'];
    const root = await runningElement(this.#ask, 'configuration', 'configuration', settings as string);
    return root === null ? [] : childrenNamed(root, list as string).flatMap(({ children }) => children);
  }
}

/**
 * Whether the contexts, menus and rooms of an artifact run as they were delivered; of other artifacts, nothing. Contexts
 * are asked for one by one: where not all are wanted, the last one stands for its file.
 */
export async function verifyCalls(places: Places, artifact: Artifact, all: boolean): Promise<Finding[]> {
  const what = words[artifact.file];
  if (what === undefined) return [];
  if (!all && artifact.file === callsFile) {
    const name = outermostNames(artifact.text).at(-1);
    if (name === undefined || (await places.hasContext(name))) return [];
    return [fileFinding(artifact, 'not-included', `FreeSWITCH has no ${what} ${name}`)];
  }
  const findings: Finding[] = [];
  for (const delivered of deliveredElements(artifact.text)) {
    const name = attributeOf(delivered, 'name') ?? '';
    const running = await places.find(artifact.file, delivered);
    if (running === null)
      findings.push(fileFinding(artifact, 'not-included', `FreeSWITCH has no ${what} ${name}`));
    else if (!isSame(delivered, running))
      findings.push(fileFinding(artifact, 'differs', `FreeSWITCH has another ${what} ${name}`));
  }
  return findings;
}

const words: Readonly<Record<string, string>> = {
  [callsFile]: 'context',
  [menusFile]: 'menu',
  [roomsFile]: 'conference profile',
  [publicFile]: 'extension of the context public',
};

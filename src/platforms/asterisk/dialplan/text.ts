import { type ConfItem, parseConf } from '../conf/parse.ts';
import { longestLine, refuseLength } from '../conf/write.ts';
import type { Context, Extension, Step } from './dialplan.ts';

/** The lines of one context, without the comment above it, each with its line break. */
export function contextText(context: Context): string {
  let text = `[${context.name}]${ownerComment(context.owner)}\n`;
  for (const name of context.includes) text += `include => ${name}\n`;
  for (const one of context.extensions) text += extensionText(one);
  return text;
}

function extensionText({ pattern, owner, steps }: Extension): string {
  let text = '';
  for (const [at, { label, application, data }] of steps.entries()) {
    const mark = label === '' ? '' : `(${label})`;
    const call = `${application}(${data.includes(';') ? data.replaceAll(';', '\\;') : data})`;
    const line =
      at === 0
        ? `exten => ${pattern},1${mark},${call}${ownerComment(owner)}\n`
        : ` same => n${mark},${call}\n`;
    if (line.length > longestLine) refuseLength(`extension ${pattern}`, application);
    text += line;
  }
  return text;
}

const ownerComment = (owner: string): string => (owner === '' ? '' : ` ; ${owner}`);

/** The contexts of a rendered text, read back from it. What does not have the form that sipctl writes is left out. */
export function parseDialplan(text: string): Context[] {
  const { items, comments } = parseConf(text);
  const onLine = new Map(comments.map((comment) => [comment.line, comment.text]));
  const contexts: OpenContext[] = [];
  for (const item of items) {
    const owner = onLine.get(item.line) ?? '';
    if (item.kind === 'section') {
      contexts.push({
        name: item.name,
        about: onLine.get(item.line - 1) ?? '',
        owner,
        includes: [],
        extensions: [],
      });
    } else if (item.kind === 'entry') addTo(contexts.at(-1), item, owner);
  }
  return contexts;
}

interface OpenContext extends Context {
  includes: string[];
  extensions: (Extension & { steps: Step[] })[];
}

type Entry = Extract<ConfItem, { kind: 'entry' }>;

const firstStep = /^([^,]+),1(?:\(([a-z]+)\))?,([A-Za-z]+)\((.*)\)$/;
const nextStep = /^n(?:\(([a-z]+)\))?,([A-Za-z]+)\((.*)\)$/;

function addTo(context: OpenContext | undefined, { key, value }: Entry, owner: string): void {
  if (context === undefined) return;
  if (key === 'include') context.includes.push(value);
  if (key === 'exten') {
    const [, pattern, label = '', application = '', data = ''] = firstStep.exec(value) ?? [];
    if (pattern !== undefined)
      context.extensions.push({ pattern, owner, steps: [{ label, application, data }] });
  }
  if (key === 'same') {
    const [, label = '', application, data = ''] = nextStep.exec(value) ?? [];
    if (application !== undefined) context.extensions.at(-1)?.steps.push({ label, application, data });
  }
}

/**
 * Reads a rendered text back: it must hold exactly these contexts, extensions and steps.
 * @throws Error where it does not, which is a bug: what a value could do to its place was refused before
 */
export function checkText(text: string, intended: readonly Context[]): void {
  const found = parseDialplan(text);
  const differs =
    found.length !== intended.length ||
    found.some((context, at) => !isSameContext(context, intended[at] as Context));
  if (differs) throw new Error('the rendered dialplan does not hold exactly what was intended');
}

const isSameContext = (one: Context, other: Context): boolean =>
  one.name === other.name &&
  one.owner === other.owner &&
  one.includes.join() === other.includes.join() &&
  one.extensions.length === other.extensions.length &&
  one.extensions.every((extension, at) => isSameExtension(extension, other.extensions[at] as Extension));

const isSameExtension = (one: Extension, other: Extension): boolean =>
  one.pattern === other.pattern &&
  one.owner === other.owner &&
  one.steps.length === other.steps.length &&
  one.steps.every((step, at) => isSameStep(step, other.steps[at] as Step));

/** Whether two steps do the same, under whatever label. */
const isSameStep = (one: Step, other: Step): boolean =>
  one.label === other.label && one.application === other.application && one.data === other.data;

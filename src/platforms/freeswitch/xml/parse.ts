import { SaxesParser } from 'saxes';
import { type Element, isSame } from './element.ts';

interface OpenElement extends Element {
  children: OpenElement[];
}

/**
 * The outermost elements of an XML text.
 * @throws Error where it is not well-formed; its message holds nothing of the text
 */
export function parseXml(text: string): Element[] {
  const parser = new SaxesParser({ fragment: true });
  const roots: OpenElement[] = [];
  const open: OpenElement[] = [];
  parser.on('error', () => {
    throw new Error(`line ${parser.line}: not well-formed XML`);
  });
  parser.on('opentag', ({ name, attributes }) => {
    const opened = { name, attributes: Object.entries(attributes), children: [] };
    (open.at(-1)?.children ?? roots).push(opened);
    open.push(opened);
  });
  parser.on('closetag', () => void open.pop());
  parser.write(text).close();
  return roots;
}

/**
 * Reads a rendered text back: it must hold exactly these elements, inside of one `<include>`.
 * @throws Error where it does not, which is a bug: what a value could do to its place was escaped or refused before
 */
export function checkElements(text: string, intended: readonly Element[]): void {
  const [include, ...others] = parseXml(text);
  const found = include?.name === 'include' && others.length === 0 ? include.children : null;
  const same =
    found !== null &&
    found.length === intended.length &&
    found.every((one, at) => isSame(one, intended[at] as Element));
  if (!same) throw new Error('the rendered text does not hold exactly the intended elements');
}

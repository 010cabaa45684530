import { SaxesParser } from 'saxes';
import type { Element } from './element.ts';

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

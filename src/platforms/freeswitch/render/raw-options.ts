import { partsOfOption } from '../../../model/raw-option.ts';
import { attributeOf, type Element } from '../xml/element.ts';

/** Settings with those of the object laid over them: each takes the place of the one of its name, an empty one only takes it away. */
export function withRawOptions(
  settings: readonly Element[],
  options: readonly string[],
  section: string,
  setting: (name: string, value: string) => Element,
): Element[] {
  const own = options.map(partsOfOption).filter((one) => one.section === section);
  if (own.length === 0) return [...settings];
  const names = new Set(own.map(({ option }) => option));
  return [
    ...settings.filter((one) => !names.has(attributeOf(one, 'name') as string)),
    ...own.filter(({ value }) => value !== '').map(({ option, value }) => setting(option, value)),
  ];
}

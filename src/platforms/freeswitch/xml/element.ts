/** An element of FreeSWITCH's configuration. It says everything in attributes: text between tags is never read. */
export interface Element {
  name: string;
  /** In their order. */
  attributes: readonly (readonly [name: string, value: string])[];
  children: readonly Element[];
}

/** `element('param', { name: 'realm', value: 'carrier.example' })` */
export const element = (
  name: string,
  attributes: Readonly<Record<string, string>>,
  children: readonly Element[] = none,
): Element => ({ name, attributes: Object.entries(attributes), children });

export const attributeOf = ({ attributes }: Element, name: string): string | undefined =>
  attributes.find(([key]) => key === name)?.[1];

export const childrenNamed = ({ children }: Element, name: string): Element[] =>
  children.filter((child) => child.name === name);

/** `<param name="…" value="…"/>`, as most of FreeSWITCH's settings are written. */
export const param = (name: string, value: string | number): Element => setting('param', name, String(value));

/** `<variable name="…" value="…"/>`: of the channels of whatever it stands in. */
export const variable = (name: string, value: string): Element => setting('variable', name, value);

// By far the most elements of a large directory are one of these.
const setting = (kind: string, name: string, value: string): Element => ({
  name: kind,
  attributes: [
    ['name', name],
    ['value', value],
  ],
  children: none,
});

const none: readonly Element[] = [];

/** Whether two elements say the same, in the same order. */
export const isSame = (one: Element, other: Element): boolean =>
  one.name === other.name &&
  one.attributes.length === other.attributes.length &&
  one.attributes.every(([name, value], at) => {
    const [otherName, otherValue] = other.attributes[at] as readonly [string, string];
    return name === otherName && value === otherValue;
  }) &&
  one.children.length === other.children.length &&
  one.children.every((child, at) => isSame(child, other.children[at] as Element));

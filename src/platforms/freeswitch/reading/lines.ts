import type { Line } from '../../fit-values.ts';
import type { PlacedElement } from './source.ts';

/** The `<param name="…" value="…"/>` of an element, or its variables, also where they stand in `<params>` or `<variables>`. */
export function settings(element: PlacedElement, kind: 'param' | 'variable'): Line[] {
  return element.children.flatMap((child): Line[] => {
    if (child.name === `${kind}s`) return settings(child, kind);
    const { name, value } = child.attributes;
    if (child.name !== kind || name === undefined) return [];
    return [{ option: name, value: value ?? '', place: child.place }];
  });
}

/** The channel variables of a gateway for one direction; one without a direction is for both. */
export function gatewayVariables(gateway: PlacedElement, direction: 'inbound' | 'outbound'): Line[] {
  const variables = gateway.children.flatMap((child) =>
    child.name === 'variables' ? child.children : child.name === 'variable' ? [child] : [],
  );
  return variables.flatMap(({ attributes: { name, value = '', direction: said }, place }): Line[] => {
    const isMeant = said === undefined || said.toLowerCase() === direction;
    return name === undefined || !isMeant ? [] : [{ option: name, value, place }];
  });
}

/** The value of a setting that counts: the last one of its name. */
export const lastOf = (lines: readonly Line[], option: string): string | null => {
  const value = lines.findLast((line) => line.option === option)?.value ?? '';
  return value === '' ? null : value;
};

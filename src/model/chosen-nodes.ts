import { SipctlError } from '../errors.ts';
import type { Node } from './nouns.ts';

/** The label that a choice means: `@east`; null where it is a name. Names of nodes do not begin so. */
export const labelIn = (chosen: string): string | null => (chosen.startsWith('@') ? chosen.slice(1) : null);

/** True for a node of that name, and for an enabled one that has that label. */
export function isChosen(node: Pick<Node, 'name' | 'enabled' | 'labels'>, chosen: string): boolean {
  const label = labelIn(chosen);
  return label === null ? node.name === chosen : node.enabled && (node.labels ?? []).includes(label);
}

/**
 * The nodes that were asked for, in the order of the list: by name, or all enabled ones that have a label (`@east`).
 * Where nothing was asked for, those that are enabled.
 * @throws SipctlError `notFound` for a label that no enabled node has
 */
export function chosenNodes(all: readonly Node[], choice: readonly string[]): Node[] {
  if (choice.length === 0) return all.filter(({ enabled }) => enabled);
  const unused = choice.filter(
    (chosen) => labelIn(chosen) !== null && !all.some((node) => isChosen(node, chosen)),
  );
  if (unused.length > 0) {
    throw new SipctlError(
      'notFound',
      unused.map((chosen) => ({
        code: 'label_not_found',
        message: `no enabled node has the label '${labelIn(chosen)}'`,
        field: 'node',
        hint: 'sipctl node list shows the labels of nodes',
      })),
    );
  }
  return all.filter((node) => choice.some((chosen) => isChosen(node, chosen)));
}

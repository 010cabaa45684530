import { SipctlError } from '../errors.ts';
import { isChosen } from '../model/chosen-nodes.ts';
import type { HiddenNode } from '../store/access.ts';
import type { Store } from '../store/store.ts';

/**
 * Refuses nodes that serve tenants whom this login does not see: a plan would take what they have there for something to
 * delete. Where no node is named, those count that serve a tenant of the login's, too. @throws SipctlError `refused`
 */
export async function expectVisibleNodes(store: Store, names: readonly string[]): Promise<void> {
  const { access } = store.opened;
  if (access === null) return;
  const hidden = await access.hiddenNodes();
  // By a label one means the nodes of one's own tenants that have it, as one does by nothing.
  const meant = hidden.filter((node) => {
    const isNamed = names.includes(node.name);
    const isAmong = names.length === 0 ? node.enabled : names.some((name) => isChosen(node, name));
    return isNamed || (node.isShared && isAmong);
  });
  if (meant.length === 0) return;
  const { login } = await access.own();
  const problems = meant.map((node) => notAll(node, login));
  throw new SipctlError('refused', problems);
}

const notAll = ({ name, isShared }: HiddenNode, login: string) => ({
  code: 'node_of_others',
  message: isShared
    ? `node '${name}' serves tenants, too, that '${login}' does not see`
    : `node '${name}' serves no tenant that '${login}' sees`,
  field: 'node',
  hint: isShared
    ? 'name your own nodes with --node; a login for all tenants plans and applies this one'
    : 'sipctl node list shows yours; sipctl access list says what you may do',
});

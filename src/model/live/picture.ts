import type { Call } from './call.ts';
import type { LiveEvent, TrunkStanding, UserStanding } from './events.ts';

/** How the connection to a node stands. `opening`: it has not been heard of yet. */
export interface NodeStanding {
  node: string;
  state: 'opening' | 'connected' | 'lost' | 'refused';
  detail: string | null;
  /** Milliseconds since 1970; null before anything was heard. */
  since: number | null;
}

/** What runs on all nodes now, made of what was told of them. Of a lost node it holds what was known last. */
export class Picture {
  readonly calls = new Map<string, Call>();
  readonly trunks = new Map<string, TrunkStanding>();
  readonly users = new Map<string, UserStanding>();
  readonly nodes = new Map<string, NodeStanding>();

  constructor(nodes: readonly string[]) {
    for (const node of nodes) this.nodes.set(node, { node, state: 'opening', detail: null, since: null });
  }

  apply(event: LiveEvent): void {
    if ('call' in event) this.#call(event.call);
    else if ('trunk' in event) this.#trunk(event.trunk, event.event === 'trunk.gone');
    else if ('user' in event) this.#user(event.user);
    else if (event.event !== 'node.restarted')
      this.#node(event.node, event.event === 'node.lost' ? 'lost' : 'connected', event.detail, event.at);
  }

  /** A node whose PBX does not let us in: it is not tried again. */
  refused(node: string, detail: string, at: number): void {
    this.#node(node, 'refused', detail, at);
  }

  /** True where what is held of the node is true now. */
  isKnown(node: string): boolean {
    return this.nodes.get(node)?.state === 'connected';
  }

  #call(call: Call): void {
    const key = callKey(call);
    if (call.state === 'ended') this.calls.delete(key);
    else this.calls.set(key, call);
  }

  #trunk(trunk: TrunkStanding, isGone: boolean): void {
    const key = `${trunk.node} ${trunk.tenant} ${trunk.trunk}`;
    if (isGone) this.trunks.delete(key);
    else this.trunks.set(key, trunk);
  }

  #user(user: UserStanding): void {
    const key = `${user.node} ${user.tenant} ${user.user}`;
    if (user.contacts === 0) this.users.delete(key);
    else this.users.set(key, user);
  }

  #node(node: string, state: NodeStanding['state'], detail: string | null, since: number): void {
    this.nodes.set(node, { node, state, detail, since });
  }
}

/** What a call is found by among those of all nodes. */
export const callKey = ({ node, id }: Pick<Call, 'node' | 'id'>): string => `${node} ${id}`;

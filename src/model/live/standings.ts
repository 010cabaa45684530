import type { LiveChange, TrunkFacts, UserFacts } from './changes.ts';
import type { LiveEvent } from './events.ts';
import type { Parties } from './party.ts';

type StandingChange = Extract<LiveChange, { kind: 'trunk' | 'user' }>;

/** How the trunks and users of one PBX stand; tells what changed. */
export class Standings {
  readonly #node: string;
  readonly #parties: Parties;
  readonly #trunks = new Map<string, TrunkFacts>();
  readonly #users = new Map<string, number>();
  /** What was heard of since `begin`: the snapshot may be older. */
  #heard: Set<string> | null = null;

  constructor(node: string, parties: Parties) {
    this.#node = node;
    this.#parties = parties;
  }

  /** A new connection; see `CallTable`. */
  begin(): void {
    this.#heard = new Set();
  }

  apply(change: StandingChange): LiveEvent[] {
    this.#heard?.add(change.facts.endpoint);
    return change.kind === 'trunk'
      ? this.#trunk(change.facts, change.at)
      : this.#user(change.facts, change.at);
  }

  /** Brings everything to what the PBX says now: every trunk, and the users that have phones registered. */
  settle(trunks: readonly TrunkFacts[], users: readonly UserFacts[], at: number): LiveEvent[] {
    const heard = this.#heard ?? new Set();
    this.#heard = null;
    const isNews = ({ endpoint }: { endpoint: string }): boolean => !heard.has(endpoint);
    const registered = new Set(users.map(({ endpoint }) => endpoint));
    const gone = [...this.#users.keys()].filter((endpoint) => !registered.has(endpoint));
    const there = new Set(trunks.map(({ endpoint }) => endpoint));
    for (const endpoint of this.#trunks.keys()) if (!there.has(endpoint)) this.#trunks.delete(endpoint);
    return [
      ...trunks.filter(isNews).flatMap((facts) => this.#trunk(facts, at)),
      ...[...users, ...gone.map((endpoint) => ({ endpoint, contacts: 0 }))]
        .filter(isNews)
        .flatMap((facts) => this.#user(facts, at)),
    ];
  }

  #trunk(facts: TrunkFacts, at: number): LiveEvent[] {
    const party = this.#parties.find(facts.endpoint);
    if (party?.kind !== 'trunk') return [];
    const before = this.#trunks.get(facts.endpoint);
    this.#trunks.set(facts.endpoint, facts);
    const { registration, reachable, rttMs, detail } = facts;
    const trunk = {
      node: this.#node,
      tenant: party.tenant,
      trunk: party.name,
      registration,
      reachable,
      rttMs,
      detail,
    };
    const told = { at, node: this.#node, previous: before?.registration ?? null, trunk };
    if (before === undefined) return [{ event: 'trunk.present', ...told }];
    const events: LiveEvent[] = [];
    if (before.registration !== registration) events.push({ event: `trunk.${registration}`, ...told });
    if (before.reachable !== reachable && reachable !== null)
      events.push({ event: reachable ? 'trunk.reachable' : 'trunk.unreachable', ...told });
    return events;
  }

  #user({ endpoint, contacts }: UserFacts, at: number): LiveEvent[] {
    const party = this.#parties.find(endpoint);
    if (party?.kind !== 'user') return [];
    const before = this.#users.get(endpoint);
    this.#users.set(endpoint, contacts);
    const user = { node: this.#node, tenant: party.tenant, user: party.name, contacts };
    if (before === undefined) return [{ event: 'user.present', at, node: this.#node, user }];
    if (before > 0 === contacts > 0) return [];
    return [{ event: contacts > 0 ? 'user.registered' : 'user.unregistered', at, node: this.#node, user }];
  }
}

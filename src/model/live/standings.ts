import type { LiveChange, TrunkFacts, UserFacts } from './changes.ts';
import type { LiveEvent, TrunkStanding, UserStanding } from './events.ts';
import type { Parties } from './party.ts';

type StandingChange = Extract<LiveChange, { kind: 'trunk' | 'user' }>;

/** How the trunks and users of one PBX stand; tells what changed. */
export class Standings {
  readonly #node: string;
  readonly #parties: Parties;
  // As they were told last: who is gone from the PBX may be gone from the database, too, and has a name only here.
  readonly #trunks = new Map<string, TrunkStanding>();
  readonly #users = new Map<string, UserStanding>();
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
    const away = [...this.#users.keys()].filter((endpoint) => !registered.has(endpoint));
    const there = new Set([...trunks.map(({ endpoint }) => endpoint), ...heard]);
    const gone = [...this.#trunks.keys()].filter((endpoint) => !there.has(endpoint));
    return [
      ...gone.flatMap((endpoint) => this.#gone(endpoint, at)),
      ...trunks.filter(isNews).flatMap((facts) => this.#trunk(facts, at)),
      ...[...users, ...away.map((endpoint) => ({ endpoint, contacts: 0 }))]
        .filter(isNews)
        .flatMap((facts) => this.#user(facts, at)),
    ];
  }

  #gone(endpoint: string, at: number): LiveEvent[] {
    const trunk = this.#trunks.get(endpoint);
    if (trunk === undefined) return [];
    this.#trunks.delete(endpoint);
    return [{ event: 'trunk.gone', at, node: this.#node, previous: trunk.registration, trunk }];
  }

  #trunk(facts: TrunkFacts, at: number): LiveEvent[] {
    const { endpoint, registration, reachable, rttMs, detail } = facts;
    const before = this.#trunks.get(endpoint);
    const whose = before ?? this.#trunkAt(endpoint);
    if (whose === null) return [];
    const { node, tenant } = whose;
    const trunk = { node, tenant, trunk: whose.trunk, registration, reachable, rttMs, detail };
    this.#trunks.set(endpoint, trunk);
    const told = { at, node, previous: before?.registration ?? null, trunk };
    if (before === undefined) return [{ event: 'trunk.present', ...told }];
    const events: LiveEvent[] = [];
    if (before.registration !== registration) events.push({ event: `trunk.${registration}`, ...told });
    if (before.reachable !== reachable && reachable !== null)
      events.push({ event: reachable ? 'trunk.reachable' : 'trunk.unreachable', ...told });
    return events;
  }

  #trunkAt(endpoint: string): Pick<TrunkStanding, 'node' | 'tenant' | 'trunk'> | null {
    const party = this.#parties.find(endpoint);
    return party?.kind === 'trunk' ? { node: this.#node, tenant: party.tenant, trunk: party.name } : null;
  }

  #user({ endpoint, contacts }: UserFacts, at: number): LiveEvent[] {
    const before = this.#users.get(endpoint);
    const whose = before ?? this.#userAt(endpoint);
    if (whose === null) return [];
    const user = { ...whose, contacts };
    this.#users.set(endpoint, user);
    if (before === undefined) return [{ event: 'user.present', at, node: this.#node, user }];
    if (before.contacts > 0 === contacts > 0) return [];
    return [{ event: contacts > 0 ? 'user.registered' : 'user.unregistered', at, node: this.#node, user }];
  }

  #userAt(endpoint: string): Pick<UserStanding, 'node' | 'tenant' | 'user'> | null {
    const party = this.#parties.find(endpoint);
    return party?.kind === 'user' ? { node: this.#node, tenant: party.tenant, user: party.name } : null;
  }
}

import type { LiveChange, TrunkFacts, TrunkWord, UserFacts } from '../../../model/live/changes.ts';
import type { EslEvent } from '../esl/codec.ts';
import { allGateways, contactsOf, type GatewayStatus, gatewayStatus, show } from '../esl/commands.ts';
import type { Ask } from '../esl/replies.ts';
import { qualifyOf, type Refusal, registrationOf } from '../trunk-state.ts';
import { millis } from './channel.ts';

/** The events that tell how trunks and users stand. */
export const standingEvents = [
  'sofia::gateway_state',
  'sofia::gateway_add',
  'sofia::gateway_delete',
  'sofia::register',
  'sofia::unregister',
  'sofia::expire',
] as const;

/** Contacts of one user that are kept: phones that make a new one each time would fill the memory. */
const mostContacts = 32;

/** How trunks and users of one FreeSWITCH stand. Few words come with its events: what they leave out is asked for. */
export class StandingChanges {
  readonly #ask: Ask;
  /** By gateway: what the carrier said when it refused, until something else is heard of it. */
  readonly #refused = new Map<string, Refusal>();
  /** By gateway: the last that was told. */
  readonly #trunks = new Map<string, TrunkFacts>();
  /** By user: contacts that were seen to be there. */
  readonly #contacts = new Map<string, Set<string>>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** All gateways, and all users with a phone. */
  async now(): Promise<{ trunks: TrunkFacts[]; users: UserFacts[] }> {
    const [gateways, registrations] = await Promise.all([
      allGateways(this.#ask),
      show(this.#ask, 'registrations'),
    ]);
    const trunks = gateways.map((gateway) => this.#trunk(gateway));
    const users = new Map<string, number>();
    for (const { reg_user: user = '', realm = '' } of registrations) {
      const endpoint = `${user}@${realm.toLowerCase()}`;
      users.set(endpoint, (users.get(endpoint) ?? 0) + 1);
    }
    return { trunks, users: [...users].map(([endpoint, contacts]) => ({ endpoint, contacts })) };
  }

  async read(event: EslEvent): Promise<LiveChange[]> {
    const at = millis(event.get('Event-Date-Timestamp')) ?? 0;
    const kind = event.subclass;
    if (kind === 'sofia::gateway_delete') {
      this.#trunks.delete(event.get('Gateway') ?? '');
      return [{ kind: 'reloaded', at }];
    }
    if (kind === 'sofia::gateway_state' || kind === 'sofia::gateway_add') {
      const facts = await this.#gateway(event);
      return facts === null ? [] : [{ kind: 'trunk', at, facts }];
    }
    const facts = await this.#user(event, kind);
    return facts === null ? [] : [{ kind: 'user', at, facts }];
  }

  async #gateway(event: EslEvent): Promise<TrunkFacts | null> {
    const name = event.get('Gateway') ?? '';
    const [state, status] = [event.get('State') ?? '', Number(event.get('Status') ?? 0)];
    if (/^(?:REGED|NOREG)$/.test(state)) this.#refused.delete(name);
    else if (status >= 300) this.#refused.set(name, { status, phrase: event.get('Phrase') ?? '' });
    const before = this.#trunks.get(name);
    const isCalm =
      before !== undefined && event.subclass === 'sofia::gateway_state' && state === wordOf(before);
    const ping = event.get('Ping-Status');
    if (isCalm && (ping === 'DOWN') === (before.reachable === false)) return null;
    const gateway = await gatewayStatus(this.#ask, name);
    return gateway === null ? null : this.#trunk(gateway);
  }

  #trunk(gateway: GatewayStatus): TrunkFacts {
    const refused = /^(?:FAILED|FAIL_WAIT|TIMEOUT|TRYING|UNREGED)$/.test(gateway.state)
      ? (this.#refused.get(gateway.name) ?? null)
      : null;
    const { state, detail } = registrationOf(gateway, refused);
    const { state: peer, rttMs } = qualifyOf(gateway);
    const facts: TrunkFacts = {
      endpoint: gateway.name,
      registration: state satisfies TrunkWord,
      reachable: peer === 'reachable' ? true : peer === 'unreachable' ? false : null,
      rttMs,
      detail,
    };
    this.#trunks.set(gateway.name, facts);
    return facts;
  }

  // A renewal tells nothing new: only a contact that was not there, and one that goes, are worth a question.
  async #user(event: EslEvent, kind: string): Promise<UserFacts | null> {
    const isRegister = kind === 'sofia::register';
    const user = event.get(kind === 'sofia::expire' ? 'user' : 'from-user') ?? '';
    const domain = (event.get(kind === 'sofia::expire' ? 'host' : 'from-host') ?? '').toLowerCase();
    const endpoint = `${user}@${domain}`;
    const contact = event.get('contact') ?? '';
    const seen = this.#contacts.get(endpoint) ?? new Set();
    if (isRegister && seen.has(contact)) return null;
    if (isRegister && seen.size < mostContacts) seen.add(contact);
    else seen.clear();
    if (seen.size > 0) this.#contacts.set(endpoint, seen);
    else this.#contacts.delete(endpoint);
    const contacts = await contactsOf(this.#ask, user, domain);
    return { endpoint, contacts: isRegister ? Math.max(1, contacts) : contacts };
  }
}

const wordOf = ({ detail }: TrunkFacts): string => detail.replace(/:.*$/s, '');

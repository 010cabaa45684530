import type { LiveChange, TrunkFacts, TrunkWord, UserFacts } from '../../../model/live/changes.ts';
import type { AmiMessage } from '../ami/codec.ts';
import type { AmiConnection } from '../ami/connection.ts';
import { countIn } from './channel.ts';

/**
 * How trunks and users stand, kept up to date by events: `Registry` names a registration by its URIs only, and
 * `ContactStatus` tells of one phone or carrier.
 */
export class StandingEvents {
  readonly #trunks = new Map<string, TrunkFacts>();
  /** Trunks by client and server URI, by which events name a registration: two may have the same. */
  readonly #accounts = new Map<string, string[]>();
  /** Trunks whose registration is not tried again once it failed. */
  readonly #once = new Set<string>();
  /** Addresses of phones that are registered, by endpoint. */
  readonly #phones = new Map<string, Set<string>>();
  /** What was told before it was known how everything stands; null from then on. */
  #early: AmiMessage[] | null = [];

  /** `at` is in milliseconds since 1970. */
  take(event: AmiMessage, at: number): LiveChange[] {
    const name = event.get('Event');
    if (name === 'Reload') return reloadsSip(event) ? [{ kind: 'reloaded', at }] : [];
    if (name !== 'Registry' && name !== 'ContactStatus') return [];
    if (this.#early !== null) {
      this.#early.push(event);
      return [];
    }
    return name === 'Registry' ? this.#registry(event, at) : this.#contact(event, at);
  }

  /** Asks for everything, in four answers; needs `write=system`. */
  async load(ami: AmiConnection): Promise<{ trunks: TrunkFacts[]; users: UserFacts[] }> {
    this.#early ??= [];
    const registrations = await ami.list('PJSIPShowRegistrationsOutbound');
    const aors = await ami.list('PJSIPShowAors');
    const endpoints = await ami.list('PJSIPShowEndpoints');
    const contacts = await ami.list('PJSIPShowContacts');
    this.#trunks.clear();
    this.#accounts.clear();
    this.#once.clear();
    this.#phones.clear();
    const away = new Set(endpoints.filter(isAway).map(nameOf));
    for (const aor of aors) {
      // Only a trunk's address is written down.
      if (aor.get('MaxContacts') !== '0' || !aor.get('Contacts')) continue;
      const isAsked = countIn(aor, 'QualifyFrequency') !== null;
      const name = nameOf(aor);
      this.#trunks.set(name, trunk(name, isAsked ? !away.has(name) : null));
    }
    for (const shown of registrations)
      if (shown.get('ObjectType') === 'registration') this.#registered(shown);
    for (const contact of contacts) {
      const endpoint = contact.get('Endpoint') ?? '';
      if (!this.#trunks.has(endpoint)) this.#addPhone(endpoint, contact.get('Uri') ?? '');
    }
    const early = this.#early ?? [];
    this.#early = null;
    for (const event of early) this.take(event, 0);
    return {
      trunks: [...this.#trunks.values()],
      users: [...this.#phones].map(([endpoint, phones]) => ({ endpoint, contacts: phones.size })),
    };
  }

  #registered(shown: AmiMessage): void {
    const name = nameOf(shown);
    const word = shown.get('Status') ?? '';
    const before = this.#trunks.get(name) ?? trunk(name, null);
    if (shown.get('MaxRetries') === '0') this.#once.add(name);
    this.#trunks.set(name, {
      ...before,
      registration: this.#wordOf(name, word, before.reachable),
      detail: word,
    });
    const account = `${shown.get('ClientUri')} ${shown.get('ServerUri')}`;
    this.#accounts.set(account, [...(this.#accounts.get(account) ?? []), name]);
  }

  #registry(event: AmiMessage, at: number): LiveChange[] {
    const word = event.get('Status') ?? '';
    const names = this.#accounts.get(`${event.get('Username')} ${event.get('Domain')}`) ?? [];
    return names.map((name) => {
      const before = this.#trunks.get(name) ?? trunk(name, null);
      const facts = { ...before, registration: this.#wordOf(name, word, before.reachable), detail: word };
      this.#trunks.set(name, facts);
      return { kind: 'trunk', at, facts };
    });
  }

  #contact(event: AmiMessage, at: number): LiveChange[] {
    const endpoint = event.get('EndpointName') ?? '';
    const status = event.get('ContactStatus') ?? '';
    const before = this.#trunks.get(endpoint);
    if (before !== undefined) {
      const reachable = reachability[status] ?? null;
      const microseconds = countIn(event, 'RoundtripUsec');
      const rttMs = reachable === true && microseconds !== null ? microseconds / 1000 : null;
      const registration = this.#wordOf(endpoint, before.detail, reachable);
      const facts = { ...before, registration, reachable, rttMs };
      this.#trunks.set(endpoint, facts);
      return [{ kind: 'trunk', at, facts }];
    }
    const uri = event.get('URI') ?? '';
    if (status === 'Removed') this.#removePhone(endpoint, uri);
    else this.#addPhone(endpoint, uri);
    const contacts = this.#phones.get(endpoint)?.size ?? 0;
    return [{ kind: 'user', at, facts: { endpoint, contacts } }];
  }

  /** Asterisk says `Rejected` of a carrier that refuses and of one that never answers: whether it answers OPTIONS tells. */
  #wordOf(name: string, word: string, reachable: boolean | null): TrunkWord {
    if (word === '') return 'none';
    if (word !== 'Rejected') return words[word] ?? 'failed';
    if (this.#once.has(name)) return 'gave-up';
    return reachable === true ? 'rejected' : 'failed';
  }

  #addPhone(endpoint: string, uri: string): void {
    const phones = this.#phones.get(endpoint);
    if (phones === undefined) this.#phones.set(endpoint, new Set([uri]));
    else phones.add(uri);
  }

  #removePhone(endpoint: string, uri: string): void {
    const phones = this.#phones.get(endpoint);
    phones?.delete(uri);
    if (phones?.size === 0) this.#phones.delete(endpoint);
  }
}

/** A reload of everything names no module. */
const reloadsSip = (event: AmiMessage): boolean => /^(|All|res_pjsip\b.*)$/i.test(event.get('Module') ?? '');

const nameOf = (item: AmiMessage): string => item.get('ObjectName') ?? '';

const isAway = (item: AmiMessage): boolean => /^unavailable$/i.test(item.get('DeviceState') ?? '');

const trunk = (endpoint: string, reachable: boolean | null): TrunkFacts => ({
  ...{ endpoint, registration: 'none', reachable, rttMs: null, detail: '' },
});

const reachability: Readonly<Record<string, boolean>> = {
  Reachable: true,
  Unreachable: false,
  Removed: false,
};

const words: Readonly<Record<string, TrunkWord>> = {
  Registered: 'registered',
  Unregistered: 'unregistered',
  Stopping: 'unregistered',
  Stopped: 'unregistered',
};

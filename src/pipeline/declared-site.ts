import type { Problem } from '../errors.ts';
import type { ObjectValues } from '../model/check-object.ts';
import type { Declared } from '../model/declared.ts';
import { nounNamed } from '../model/every-noun.ts';
import { commandOf, type Field, type Noun, titleOf, type Value } from '../model/field.ts';
import { isLabelled } from '../model/labelled.ts';
import type { Secret } from '../model/secret.ts';
import { generatedSecret } from './generated-secret.ts';

/** What a change may do besides adding and changing. */
export interface ChangeOptions {
  /** Remove what the tenants that are named hold and the source does not declare. */
  prune?: boolean;
  /** Of objects that can have labels, only those with this one are removed; others stay. */
  label?: string | null;
}

export interface HeldObject {
  noun: Noun;
  tenant: string | null;
  name: string;
  values: ObjectValues;
}

/** An object as it is and as it would be; null where it is not there. */
export interface SiteEntry {
  noun: Noun;
  tenant: string | null;
  name: string;
  before: ObjectValues | null;
  after: ObjectValues | null;
  /** Secrets that were made for it. */
  generated: ReadonlySet<string>;
  declared: Declared | null;
}

const keyOf = (noun: string, tenant: string | null, name: string): string =>
  `${noun}\n${tenant ?? ''}\n${name}`;

/** What the tenants of a source hold, with what the source declares laid over it. */
export class DeclaredSite {
  /** Objects that the source says something about, or that follow from what it says. */
  declaredCount = 0;
  readonly heldCount: number;
  readonly problems: { entry: SiteEntry; problem: Problem }[] = [];
  readonly #entries = new Map<string, SiteEntry>();

  constructor(declared: readonly Declared[], held: readonly HeldObject[], options: ChangeOptions) {
    for (const { noun, tenant, name, values } of held)
      this.#entries.set(keyOf(noun.name, tenant, name), {
        ...{ noun, tenant, name, before: values, after: values },
        ...{ generated: new Set<string>(), declared: null },
      });
    this.heldCount = held.filter((one) => isPruned(one, options)).length;
    for (const one of declared) this.#lay(one);
    for (const entry of [...this.#entries.values()]) this.#follow(entry);
    if (options.prune === true) this.#prune(options);
  }

  get entries(): Iterable<SiteEntry> {
    return this.#entries.values();
  }

  get(noun: string, tenant: string | null, name: string): SiteEntry | undefined {
    return this.#entries.get(keyOf(noun, tenant, name));
  }

  #lay(declared: Declared): void {
    const { noun, tenant, name } = declared;
    const known = this.get(noun.name, tenant, name);
    if (known !== undefined && known.declared !== null) {
      // That an object is there may be said more than once.
      if (saysNothing(declared)) return;
      if (!saysNothing(known.declared))
        this.problems.push({ entry: { ...known, declared }, problem: twice(declared, known.declared) });
      if (!saysNothing(known.declared)) return;
      this.declaredCount--;
    }
    this.declaredCount++;
    const before = known?.before ?? null;
    const made = generatedSecrets(declared, before);
    const after = { ...valuesAfter(declared, before), ...made };
    const generated = new Set(Object.keys(made));
    this.#entries.set(keyOf(noun.name, tenant, name), {
      ...{ noun, tenant, name, before, after, generated, declared },
    });
  }

  // What the verbs of single objects write alongside: the number that is a trunk's, the way from Twilio to LiveKit.
  #follow(entry: SiteEntry): void {
    if (entry.declared === null || entry.after === null) return;
    if (entry.noun.name === 'trunk') this.#followDid(entry, entry.after.did ?? null);
    if (entry.noun.name === 'livekit') this.#followLivekit(entry, entry.after);
  }

  #followDid(trunk: SiteEntry, did: Value): void {
    if (typeof did !== 'string') return;
    const number = this.get('number', trunk.tenant, did);
    const arrivesOn = number?.after?.trunk ?? null;
    if (arrivesOn !== null && arrivesOn !== trunk.name) {
      this.problems.push({ entry: trunk, problem: onOtherTrunk(did, String(arrivesOn), trunk.name) });
      return;
    }
    this.#add(trunk, nounNamed('number'), did, { trunk: trunk.name });
  }

  #followLivekit(connection: SiteEntry, { sipUri, twilioTrunk }: ObjectValues): void {
    if (typeof sipUri !== 'string') return;
    for (const name of ['livekit', `livekit-${twilioTrunk}`]) {
      const there = this.get('twilioOrigination', connection.tenant, name);
      if (there?.after && there.after.twilioTrunk !== twilioTrunk) continue;
      if (there?.declared) return;
      this.#add(connection, nounNamed('twilioOrigination'), name, {
        twilioTrunk: twilioTrunk ?? null,
        sipUrl: sipUri,
      });
      return;
    }
  }

  #add(cause: SiteEntry, noun: Noun, name: string, values: ObjectValues): void {
    const known = this.get(noun.name, cause.tenant, name);
    const { place } = cause.declared as Declared;
    const declared = known?.declared ?? {
      ...{ noun, tenant: cause.tenant, name, values, extent: 'given' as const },
      ...{ generated: [], place, places: {} },
    };
    if (known?.declared == null) this.declaredCount++;
    const before = known?.before ?? null;
    const after = { ...(known?.after ?? valuesAfter(declared, before)), ...values };
    const generated = known?.generated ?? new Set<string>();
    this.#entries.set(keyOf(noun.name, cause.tenant, name), {
      ...{ noun, tenant: cause.tenant, name, before, after, generated, declared },
    });
  }

  #prune(options: ChangeOptions): void {
    for (const [key, entry] of this.#entries)
      if (entry.declared === null && isPruned(entry, options))
        this.#entries.set(key, { ...entry, after: null });
  }
}

/** Tenants and nodes are never removed for not being named. */
const isPruned = (
  object: { noun: Noun; before?: ObjectValues | null; values?: ObjectValues },
  { label }: ChangeOptions,
): boolean => object.noun.tenantScoped && isLabelled((object.values ?? object.before)?.labels, label);

function valuesAfter({ noun, values, extent }: Declared, before: ObjectValues | null): ObjectValues {
  const after: Record<string, Value> = {
    enabled: values.enabled ?? (extent === 'given' ? before?.enabled : null) ?? true,
  };
  for (const [name, field] of Object.entries(noun.fields)) {
    const stays = before !== null && (extent === 'given' || field.kind === 'secret');
    const otherwise = stays ? (before[name] ?? null) : (field.initial ?? null);
    // Null says: as if nothing was ever set.
    after[name] = name in values ? (values[name] ?? field.initial ?? null) : otherwise;
  }
  return after;
}

function generatedSecrets(
  { noun, generated }: Declared,
  before: ObjectValues | null,
): Record<string, Secret> {
  const missing = generated.filter((name) => (before?.[name] ?? null) === null);
  return Object.fromEntries(missing.map((name) => [name, generatedSecret(noun.fields[name] as Field)]));
}

const saysNothing = ({ values, extent, generated }: Declared): boolean =>
  extent === 'given' && Object.keys(values).length + generated.length === 0;

function twice(declared: Declared, first: Declared): Problem {
  const { noun, name } = declared;
  const { place } = first;
  return {
    code: 'declared_twice',
    message: `${titleOf(noun)} '${name}' is declared twice${place === null ? '' : `, first at ${place.source}:${place.line}`}`,
    field: noun.key,
    hint: 'keep one of them',
  };
}

const onOtherTrunk = (did: string, on: string, trunk: string): Problem => ({
  code: 'number_on_other_trunk',
  message: `did: number ${did} arrives on trunk '${on}'`,
  field: 'did',
  hint: `declare the number with trunk: ${trunk}, or: sipctl ${commandOf(nounNamed('number'))} set ${did} --trunk ${trunk}`,
});

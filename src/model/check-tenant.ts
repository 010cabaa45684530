import type { Problem } from '../errors.ts';
import type { Emergency, Route } from './call-nouns.ts';
import { nearest } from './check.ts';
import {
  boxOf,
  callBackWarnings,
  checkRoute,
  inboundOnlyProblems,
  keepsVoicemail,
  noBox,
} from './check-calls.ts';
import type { ObjectValues } from './check-object.ts';
import { everyNoun, nounNamed } from './every-noun.ts';
import { commandOf, type Noun, snake, titleOf } from './field.ts';
import { mentionsIn } from './mentions.ts';
import type { Trunk, User } from './nouns.ts';
import type { Catalog } from './template.ts';

/** An object of a tenant as it would be, and as it was; null where it was not there. */
export interface TenantObject {
  noun: Noun;
  name: string;
  values: ObjectValues;
  before: ObjectValues | null;
  /** True where a source changes it. */
  isChanged: boolean;
}

/** A complaint or warning about one object. */
export interface Finding {
  about: TenantObject;
  problem: Problem;
}

/** A tenant as a change would leave it: what its objects mean to one another. */
export class TenantCheck {
  readonly #tenant: string;
  readonly #objects: ReadonlyMap<string, ReadonlyMap<string, TenantObject>>;
  readonly #catalog: Catalog;
  readonly #gone: (noun: string, name: string) => boolean;
  readonly #found: { problems: Finding[]; warnings: Finding[] } = { problems: [], warnings: [] };

  constructor(
    tenant: string,
    objects: Iterable<TenantObject>,
    catalog: Catalog,
    /** Whether the change takes an object away. */
    gone: (noun: string, name: string) => boolean,
  ) {
    this.#tenant = tenant;
    this.#catalog = catalog;
    this.#gone = gone;
    const byNoun = new Map(everyNoun.map(({ name }) => [name, new Map<string, TenantObject>()]));
    for (const object of objects) byNoun.get(object.noun.name)?.set(object.name, object);
    this.#objects = byNoun;
  }

  /** All complaints and warnings about objects that change, or that a change leaves without what they need. */
  findings(): { problems: Finding[]; warnings: Finding[] } {
    this.#dialled();
    this.#defaults();
    for (const objects of this.#objects.values())
      for (const object of objects.values()) {
        this.#references(object);
        this.#mentions(object);
      }
    for (const object of this.#of('route')) this.#route(object);
    for (const object of this.#of('emergency')) this.#emergency(object);
    return this.#found;
  }

  #of(noun: string): TenantObject[] {
    return [...(this.#objects.get(noun)?.values() ?? [])];
  }

  #complain(about: TenantObject, ...problems: Problem[]): void {
    for (const problem of problems) this.#found.problems.push({ about, problem });
  }

  #references(object: TenantObject): void {
    for (const [name, field] of Object.entries(object.noun.fields)) {
      const to = object.values[name];
      if (field.kind !== 'reference' || typeof to !== 'string') continue;
      if (this.#objects.get(field.to as string)?.has(to) !== true)
        this.#missing(object, name, field.to as string, to);
    }
  }

  #mentions(object: TenantObject): void {
    for (const { field, text, mention } of mentionsIn(object.noun, object.values)) {
      const target = this.#objects.get(mention.noun)?.get(mention.name);
      if (target === undefined) this.#missing(object, field, mention.noun, mention.name);
      else if (boxOf(text) !== null) this.#box(object, field, target);
      else if (mention.noun === 'trunk') this.#idleTrunk(object, field, target);
    }
  }

  #missing(object: TenantObject, field: string, to: string, name: string): void {
    const noun = nounNamed(to);
    if (this.#gone(to, name)) {
      this.#complain(object, {
        code: `${snake(to)}_in_use`,
        message: `${field}: ${titleOf(noun)} '${name}' would be removed, and ${titleOf(object.noun)} ${object.name} names it`,
        field,
        hint: `keep it in the source, or change the other: sipctl ${commandOf(object.noun)} set ${object.name} --tenant ${this.#tenant}`,
      });
      return;
    }
    const near = nearest(name, [...(this.#objects.get(to)?.keys() ?? [])]);
    this.#complain(object, {
      code: `${snake(to)}_not_found`,
      message: `${field}: there is no ${titleOf(noun)} '${name}' in tenant '${this.#tenant}', nor does the source declare one`,
      field,
      hint:
        near === null
          ? `declare it, or see sipctl ${commandOf(noun)} list --tenant ${this.#tenant}`
          : `did you mean '${near}'?`,
    });
  }

  // Of its own box a user's own check speaks.
  #box(object: TenantObject, field: string, target: TenantObject): void {
    if (object === target || !(object.isChanged || target.isChanged)) return;
    const owner = target.values as unknown as User;
    if (keepsVoicemail(owner, this.#catalog.users.get(owner.template))) return;
    this.#complain(object, noBox(field, target.name));
  }

  #idleTrunk(object: TenantObject, field: string, target: TenantObject): void {
    const isTaken = target.values.outbound === false && target.before?.outbound === true;
    if (object.isChanged || !isTaken) return;
    this.#found.warnings.push({
      about: target,
      problem: {
        code: 'trunk_not_outbound',
        message: `outbound: ${object.noun.name} ${object.name} names the trunk, and passes it over from now on`,
        field: 'outbound',
        hint: `sipctl ${object.noun.name} set ${object.name} --tenant ${this.#tenant} --${field} … takes it out`,
      },
    });
  }

  #route(object: TenantObject): void {
    if (!object.isChanged) return;
    const around = {
      routes: this.#of('route').map(({ name, values }) => ({ ...values, name }) as unknown as Route),
      trunks: this.#trunks(),
    };
    this.#complain(object, ...checkRoute(object.values as unknown as Route, object.name, around));
  }

  #emergency(object: TenantObject): void {
    if (!object.isChanged) return;
    const { callerId, trunks } = object.values as unknown as Emergency;
    this.#complain(object, ...inboundOnlyProblems(trunks, this.#trunks()));
    const isOwn = this.#objects.get('number')?.has(callerId) === true;
    for (const problem of callBackWarnings(callerId, isOwn))
      this.#found.warnings.push({ about: object, problem });
  }

  #trunks(): Trunk[] {
    return this.#of('trunk').map(({ name, values }) => ({ ...values, name }) as unknown as Trunk);
  }

  #dialled(): void {
    const holders = new Map<string, TenantObject>();
    const all = everyNoun.flatMap(({ name }) => this.#of(name));
    for (const object of all.toSorted((left, right) => Number(left.isChanged) - Number(right.isChanged))) {
      const dialled = object.noun.name === 'emergency' ? object.name : object.values.extension;
      if (typeof dialled !== 'string') continue;
      const holder = holders.get(dialled);
      if (holder === undefined) holders.set(dialled, object);
      else if (object.isChanged) this.#complain(object, taken(dialled, object, holder, this.#tenant));
    }
  }

  #defaults(): void {
    const declared = this.#of('trunk').filter(
      ({ values, isChanged }) => isChanged && values.isDefault === true,
    );
    for (const object of declared.slice(1))
      this.#complain(object, {
        code: 'two_defaults',
        message: `isDefault: trunk ${declared[0]?.name} is the tenant's default already`,
        field: 'isDefault',
        hint: 'there is one default trunk at most',
      });
  }
}

function taken(dialled: string, object: TenantObject, holder: TenantObject, tenant: string): Problem {
  const field = object.noun.name === 'emergency' ? 'number' : 'extension';
  const who =
    holder.noun.name === 'emergency'
      ? `${dialled} is an emergency number`
      : `${titleOf(holder.noun)} '${holder.name}' has extension ${dialled}`;
  return {
    code: 'extension_taken',
    message: `${field}: ${who} in tenant '${tenant}'`,
    field,
    hint: `choose another one; see sipctl ${commandOf(holder.noun)} show ${holder.name} --tenant ${tenant}`,
  };
}

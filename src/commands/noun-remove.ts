import { SipctlError } from '../errors.ts';
import type { Noun } from '../model/field.ts';
import { defaultTenant } from '../model/identity.ts';
import * as nouns from '../model/nouns.ts';
import type { ObjectRef, Records } from '../store/records.ts';
import { applyAfterWrite } from './apply-after-write.ts';
import type { Result, Run } from './command.ts';
import { confirm } from './confirm.ts';
import { refOf } from './object-ref.ts';

const byName: Record<string, Noun> = { trunk: nouns.trunk, user: nouns.user, number: nouns.number };

interface Removal {
  noun: string;
  ref: ObjectRef;
}

/** Removes an object; what refers to it stops that, or goes first with `--cascade`. */
export const remove =
  (noun: Noun): Run =>
  async (app, input) => {
    const ref = refOf(noun, app, input);
    if (noun.name === 'tenant' && ref.name === defaultTenant) throw defaultStays();
    const store = await app.store();
    const dependents = await allDependents(store.records, noun, ref);
    if (dependents.length > 0 && input.options.cascade !== true) throw inUse(noun, ref, dependents);
    await confirm(
      app,
      `Remove ${noun.name} ${ref.name}${dependents.length > 0 ? ` and ${dependents.map(label).join(', ')}` : ''}?`,
    );
    await store.write(async (writer) => {
      for (const dependent of await allDependents(writer, noun, ref)) {
        await writer.remove(byName[dependent.noun] as Noun, dependent.ref);
      }
      await writer.remove(noun, ref);
    });
    const removed = [...dependents.map(label), label({ noun: noun.name, ref })];
    const result: Result = {
      changed: true,
      data: { removed },
      text: (style) => removed.map((one) => `${style.bold(one)} removed\n`).join(''),
    };
    return applyAfterWrite(app, input, result);
  };

// Depth first, so that nothing is removed before what refers to it.
async function allDependents(records: Records, noun: Noun, ref: ObjectRef): Promise<Removal[]> {
  const found: Removal[] = [];
  for (const dependent of await records.dependents(noun, ref)) {
    const deeper = await allDependents(records, byName[dependent.noun] as Noun, dependent.ref);
    for (const one of [...deeper, dependent])
      if (!found.some((known) => label(known) === label(one))) found.push(one);
  }
  return found;
}

const label = ({ noun, ref }: Removal): string => `${noun} ${ref.name}`;

const inUse = (noun: Noun, ref: ObjectRef, dependents: readonly Removal[]): SipctlError =>
  new SipctlError('conflict', {
    code: `${noun.name}_in_use`,
    message: `${noun.name} '${ref.name}' is used by ${dependents.map(label).join(', ')}`,
    hint: 'remove those first, or remove everything together with --cascade',
  });

const defaultStays = (): SipctlError =>
  new SipctlError('refused', {
    code: 'default_tenant',
    message: `the tenant '${defaultTenant}' stays: it is the one that is meant where none is named`,
    hint: `sipctl tenant disable ${defaultTenant} leaves it out of every PBX`,
  });

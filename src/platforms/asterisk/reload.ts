import type { ArtifactChange, ObjectChange, ReloadStep } from '../../plan/plan.ts';
import { deliveredFiles } from './delivered-files.ts';
import type { PjsipGroup, PjsipObject } from './pjsip-object.ts';

/**
 * The smallest reload that makes changes run: nothing for nothing. Registrations that vanish are ended first,
 * because the reload takes their credentials away, and the carrier would keep sending calls until they expire.
 * Those whose credentials change are tried anew afterwards: Asterisk would wait until the next try is due.
 */
export function reloadFor(changes: readonly ArtifactChange[]): ReloadStep[] {
  if (changes.length === 0) return [];
  const objects = changes.flatMap((change) => change.objects);
  const steps = (kind: 'unregister' | 'register', names: readonly string[]): ReloadStep[] =>
    [...names].sort().map((registration) => ({ kind, registration }));
  return [
    ...steps(
      'unregister',
      objects.flatMap(({ unregisters }) => unregisters ?? []),
    ),
    ...reloadsOf(new Set(changes.map(({ key }) => key.slice(key.indexOf('/') + 1)))),
    ...steps(
      'register',
      objects.flatMap(({ registers }) => registers ?? []),
    ),
  ];
}

/** What makes everything that is delivered run. */
export const reloadAll = (): ReloadStep[] => reloadsOf(new Set(deliveredFiles.map(({ file }) => file)));

// One reload of res_pjsip.so reads every PJSIP object again, registrations and identifies included.
function reloadsOf(files: ReadonlySet<string>): ReloadStep[] {
  const modules = deliveredFiles.filter(({ file }) => files.has(file)).map(({ module }) => module);
  return [...new Set(modules)].map((module) => ({ kind: 'reload-module', module }));
}

/** What the change of a trunk means for its registrations at the carrier. */
export function registrationChanges(
  before: PjsipGroup,
  after: PjsipGroup | undefined,
): Pick<ObjectChange, 'unregisters' | 'registers'> {
  const unregisters: string[] = [];
  const registers: string[] = [];
  const kept = new Map(objectsOf(after, 'registration').map((object) => [object.id, object]));
  for (const registration of objectsOf(before, 'registration')) {
    const next = kept.get(registration.id);
    if (next === undefined || isElsewhere(registration, next)) unregisters.push(registration.id);
    else if (textOf(objectsOf(before, 'auth')) !== textOf(objectsOf(after, 'auth')))
      registers.push(registration.id);
  }
  return {
    ...(unregisters.length > 0 ? { unregisters } : {}),
    ...(registers.length > 0 ? { registers } : {}),
  };
}

const objectsOf = (group: PjsipGroup | undefined, type: string): PjsipObject[] =>
  (group?.objects ?? []).filter((object) => object.type === type);

// Another carrier or account: the old one would keep the contact.
const isElsewhere = (one: PjsipObject, other: PjsipObject): boolean =>
  ['server_uri', 'client_uri'].some(
    (option) => textOf(valuesOf(one, option)) !== textOf(valuesOf(other, option)),
  );

const valuesOf = (object: PjsipObject, option: string): string[] =>
  object.options.filter(([name]) => name === option).map(([, value]) => value);

const textOf = (value: unknown): string => JSON.stringify(value);

import { SipctlError } from '../../errors.ts';
import type { Plain, Resource } from '../../plan/service-plan.ts';
import type { TwilioApi } from './client.ts';

/** What is looked for, made, changed or taken away, and where. */
export interface Asked {
  api: TwilioApi;
  signal: AbortSignal | undefined;
  /** Of the things that are there, by key. */
  ids: ReadonlyMap<string, string>;
  name: string;
  /** null where it is to be found by its name. */
  id: string | null;
  /** Answers once what is asked several times within one look: a list of which each thing is one entry. */
  once<T>(what: string, list: () => Promise<T>): Promise<T>;
}

/** What was found. */
export interface Found {
  id: string;
  values: Readonly<Record<string, Plain>>;
}

/** How one kind of thing is dealt with. What it stands in, such as the trunk of an origination, is there already. */
export interface Thing {
  find(asked: Asked): Promise<Found | null>;
  /** Nothing is looked for before. @returns the id */
  make(asked: Asked, resource: Resource): Promise<string>;
  /** @returns the id, which is another one where the thing had to be replaced */
  update(asked: Asked & { id: string }, resource: Resource): Promise<string>;
  /** What is gone already is no error. */
  remove(asked: Asked & { id: string }): Promise<void>;
}

/** The answer, or null where there is no such thing (any more). */
export async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof SipctlError && error.outcome === 'notFound') return null;
    throw error;
  }
}

/** The one that is meant: by its id where that is known, else by its name; of several the first made. */
export function meant<T extends { sid: string; dateCreated: Date }>(
  all: readonly T[],
  { id, name }: Pick<Asked, 'id' | 'name'>,
  nameOf: (one: T) => string,
): T | undefined {
  if (id !== null) return all.find(({ sid }) => sid === id);
  const bearing = all.filter((one) => nameOf(one) === name);
  return bearing.toSorted((one, other) => one.dateCreated.getTime() - other.dateCreated.getTime())[0];
}

/**
 * What has a friendly name of its own: by its id where that is known. Twilio may say for a moment that it is not there, so
 * that it is looked for by its name before that is believed.
 */
export async function byIdOrName<T extends { sid: string; friendlyName: string; dateCreated: Date }>(
  asked: Asked,
  fetch: (id: string) => Promise<T>,
  list: () => Promise<T[]>,
): Promise<T | undefined> {
  const { id, name } = asked;
  const known = id === null ? null : await orNull(fetch(id));
  return known ?? meant(await list(), { id: null, name }, ({ friendlyName }) => friendlyName);
}

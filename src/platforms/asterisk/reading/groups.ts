import type { Place, Problem } from '../../../errors.ts';
import { notTaken } from '../../fit-values.ts';
import type { Marker, ReadOption, ReadSection } from './sections.ts';
import { sipAddress } from './sip-address.ts';
import { expandWizard } from './wizard.ts';

/** An object of Asterisk, with where it was written. */
export interface PlacedObject {
  type: string;
  id: string;
  place: Place;
  /** Without `type`. */
  options: readonly ReadOption[];
  marker: Marker | null;
}

/** The objects that make one trunk or one user. */
export interface ObjectGroup {
  kind: 'trunk' | 'user';
  marker: Marker | null;
  endpoint: PlacedObject;
  /** What phones sign in with. */
  auth: PlacedObject | null;
  outboundAuth: PlacedObject | null;
  aors: readonly PlacedObject[];
  registrations: readonly PlacedObject[];
  identifies: readonly PlacedObject[];
}

export interface Grouped {
  groups: readonly ObjectGroup[];
  /** All objects but those of groups. */
  rest: readonly PlacedObject[];
  problems: readonly Problem[];
}

export const last = (object: PlacedObject | null, option: string): string | null =>
  object?.options.findLast((one) => one.option === option)?.value ?? null;

/** All values of an option that may be repeated, or hold several with commas between them. */
export const listed = (object: PlacedObject | null, option: string): string[] =>
  (object?.options ?? [])
    .filter((one) => one.option === option)
    .flatMap(({ value }) => value.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** Finds the trunks and users in sections. */
export function groupObjects(sections: readonly ReadSection[]): Grouped {
  const problems: Problem[] = [];
  const objects = objectsOf(sections, problems);
  const byKey = new Map(objects.map((object) => [`${object.type} ${object.id}`, object]));
  const taken = new Set<PlacedObject>();
  const named = (type: string, id: string, from: PlacedObject): PlacedObject | null => {
    const found = byKey.get(`${type} ${id}`) ?? null;
    if (found === null)
      problems.push(
        notTaken(
          `endpoint ${from.id}: there is no ${type} '${id}'`,
          placeOf(from, type === 'aor' ? 'aors' : type),
        ),
      );
    else taken.add(found);
    return found;
  };
  const endpoints = objects.filter(({ type }) => type === 'endpoint');
  const identified = new Map<string, PlacedObject[]>();
  for (const one of objects.filter(({ type }) => type === 'identify')) {
    const endpoint = last(one, 'endpoint') ?? '';
    identified.set(endpoint, [...(identified.get(endpoint) ?? []), one]);
  }
  const registrationsOf = ownersOfRegistrations(objects, endpoints);
  const groups = endpoints.map((endpoint): ObjectGroup => {
    taken.add(endpoint);
    const [auth = null] = listed(endpoint, 'auth').map((id) => named('auth', id, endpoint));
    const [outboundAuth = null] = listed(endpoint, 'outbound_auth').map((id) => named('auth', id, endpoint));
    const linked = listed(endpoint, 'aors').flatMap((id) => named('aor', id, endpoint) ?? []);
    // A trunk that is not called out on has one that its endpoint does not name.
    const own = byKey.get(`aor ${endpoint.id}`);
    const aors = linked.length > 0 || own === undefined ? linked : [own];
    for (const one of aors) taken.add(one);
    const registrations = registrationsOf.get(endpoint) ?? [];
    const [registrationAuth = null] = registrations.flatMap((one) =>
      listed(one, 'outbound_auth').map((id) => named('auth', id, one)),
    );
    const identifies = identified.get(endpoint.id) ?? [];
    for (const one of [...registrations, ...identifies]) taken.add(one);
    const peer =
      outboundAuth !== null ||
      registrations.length > 0 ||
      identifies.length > 0 ||
      aors.some((aor) => last(aor, 'contact') !== null);
    const kind = endpoint.marker?.kind ?? (peer ? 'trunk' : 'user');
    return {
      ...{ kind, marker: endpoint.marker, endpoint, auth, outboundAuth: outboundAuth ?? registrationAuth },
      ...{ aors, registrations, identifies },
    };
  });
  return { groups, rest: objects.filter((object) => !taken.has(object)), problems };
}

export const placeOf = (object: PlacedObject, option: string): Place =>
  object.options.findLast((one) => one.option === option)?.place ?? object.place;

function objectsOf(sections: readonly ReadSection[], problems: Problem[]): PlacedObject[] {
  const found = new Map<string, PlacedObject>();
  const typeOf = ({ options }: ReadSection): string =>
    options.findLast(({ option }) => option === 'type')?.value.toLowerCase() ?? '';
  const all = sections.flatMap((section) =>
    typeOf(section) === 'wizard' ? expandWizard(section) : [section],
  );
  for (const section of all) {
    const type = typeOf(section);
    const { name: id, place, marker } = section;
    if (type === '') {
      problems.push(notTaken(`[${id}] has no type: Asterisk passes it over`, place));
      continue;
    }
    const key = `${type} ${id}`;
    if (found.has(key))
      problems.push({
        ...{ code: 'duplicate_object', place },
        message: `${type} ${id} stands a second time: Asterisk would load no ${type} at all`,
        hint: 'remove one of them',
      });
    else
      found.set(key, {
        type,
        id,
        place,
        marker,
        options: section.options.filter(({ option }) => option !== 'type'),
      });
  }
  return [...found.values()];
}

/** By what they say themselves, then by their markers, their auth, their name, and at last by where they register. */
function ownersOfRegistrations(
  objects: readonly PlacedObject[],
  endpoints: readonly PlacedObject[],
): Map<PlacedObject, PlacedObject[]> {
  const byAor = new Map(objects.filter(({ type }) => type === 'aor').map((aor) => [aor.id, aor]));
  const hostsOf = (endpoint: PlacedObject): string[] =>
    listed(endpoint, 'aors').flatMap((id) =>
      listed(byAor.get(id) ?? null, 'contact').flatMap((uri) => sipAddress(uri)?.host ?? []),
    );
  const owned = new Map<PlacedObject, PlacedObject[]>();
  for (const registration of objects.filter(({ type }) => type === 'registration')) {
    const host = sipAddress(last(registration, 'server_uri') ?? '')?.host;
    const auth = last(registration, 'outbound_auth');
    const signs: ((endpoint: PlacedObject) => boolean)[] = [
      ({ id }) => last(registration, 'endpoint') === id,
      ({ marker }) =>
        marker !== null && registration.marker !== null && marker.name === registration.marker.name,
      (endpoint) => auth !== null && listed(endpoint, 'outbound_auth').includes(auth),
      ({ id }) => stem(id) === stem(registration.id),
      (endpoint) => host !== undefined && hostsOf(endpoint).includes(host),
    ];
    const owner = signs.map((sign) => endpoints.filter(sign)).find((found) => found.length === 1)?.[0];
    if (owner !== undefined) owned.set(owner, [...(owned.get(owner) ?? []), registration]);
  }
  return owned;
}

const stem = (id: string): string => id.toLowerCase().replace(/[-_](endpoint|reg(istration)?|peer)$/, '');

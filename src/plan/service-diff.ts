import { masked } from '../model/secret.ts';
import type { OptionChange } from './plan.ts';
import type { HeldResource, Plain, Remembered, Resource, ResourceChange } from './service-plan.ts';

/** What a service is compared with. */
export interface ServiceStates {
  /** In the order in which things are made. */
  desired: readonly Resource[];
  held: readonly HeldResource[];
  remembered: readonly Remembered[];
  /** The digest by which the secrets of a resource are remembered. */
  digestOf(resource: Resource): string | null;
}

/** What has to be made and changed, in the order of what is desired; then what goes, the last made first. */
export function diffResources({ desired, held, remembered, digestOf }: ServiceStates): ResourceChange[] {
  const changes: ResourceChange[] = [];
  for (const resource of desired) {
    const { key, name } = resource;
    const there = held.find((one) => one.key === key);
    const known = remembered.find((one) => one.key === key);
    if (there === undefined) {
      const options = [...optionsOf(key, {}, resource.values), ...secretOptions(resource, null)];
      changes.push({ action: 'create', key, name, id: null, desired: resource, options });
      continue;
    }
    const isStale = resource.secrets !== undefined && known?.digest !== digestOf(resource);
    const options = [
      ...optionsOf(key, there.values, resource.values),
      ...(isStale ? secretOptions(resource, masked) : []),
    ];
    if (options.length > 0)
      changes.push({ action: 'update', key, name, id: there.id, desired: resource, options });
  }
  const wanted = new Set(desired.map(({ key }) => key));
  for (const { key, id } of held.filter((one) => !wanted.has(one.key)).toReversed()) {
    const name = remembered.find((one) => one.key === key)?.name ?? key;
    changes.push({ action: 'delete', key, name, id, desired: null, options: [] });
  }
  return changes;
}

type Values = Readonly<Record<string, Plain>>;

function optionsOf(key: string, before: Values, after: Values): OptionChange[] {
  const options: OptionChange[] = [];
  for (const [option, value] of Object.entries(after)) {
    const [was, is] = [shown(before[option]), shown(value)];
    if (was !== is) options.push({ section: key, option, before: was, after: is });
  }
  return options;
}

const secretOptions = ({ key, secrets = {} }: Resource, before: string | null): OptionChange[] =>
  Object.keys(secrets).map((option) => ({ section: key, option, before, after: masked }));

function shown(value: Plain | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? value.join(', ') : String(value);
}

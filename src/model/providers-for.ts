import type { Value } from './field.ts';
import { network } from './rules.ts';
import type { Catalog, ProviderTemplate } from './template.ts';

type Values = Readonly<Record<string, Value>>;

/** The templates that may be meant, the likeliest first: those of the carrier's own hosts, then those for any. */
export function providersFor(values: Values, { providers }: Catalog): ProviderTemplate[] {
  const host = values.host as string | null;
  const isOf = (template: ProviderTemplate): boolean =>
    template.hosts.some((one) => one.host === host) || fits(template.hostPattern, host);
  const generic = ['custom_credential', 'custom_ip', 'asterisk_peer'];
  const own = [...providers.values()].filter((one) => !generic.includes(one.id) && isOf(one));
  return [...own, ...generic.flatMap((id) => providers.get(id) ?? [])];
}

/** The values as they are given to a trunk of this carrier. */
export function valuesAt(template: ProviderTemplate, values: Values): Values {
  const [first, ...others] = template.hosts;
  const own = { ...values, ...addressOf(values), provider: template.id };
  if (first !== undefined && first.host === values.host) return { ...own, host: null, region: null };
  const region = others.find((one) => one.host === values.host)?.region;
  return region === undefined ? own : { ...own, host: null, region };
}

// Who is known by an address calls from it: FreeSWITCH needs not be told, and takes everybody for it.
function addressOf({ authType, networks, host }: Values): Values {
  const parsed = authType === 'ip' && (networks ?? null) === null ? network(String(host)) : null;
  return parsed?.ok === true ? { networks: [parsed.value] } : {};
}

function fits(pattern: string | null, host: string | null): boolean {
  if (pattern === null || host === null) return false;
  const [start = '', ...ends] = pattern.split(/\{[a-z_]+\}/);
  const tail = ends.at(-1) ?? '';
  return (
    tail.length > 1 &&
    host.startsWith(start) &&
    host.endsWith(tail) &&
    host.length > start.length + tail.length
  );
}

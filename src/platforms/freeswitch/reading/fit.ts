import { optionProblems } from '../../../model/check-options.ts';
import * as nouns from '../../../model/nouns.ts';
import { resolveSite } from '../../../model/resolve.ts';
import type { TenantSite } from '../../../model/site.ts';
import type { Catalog } from '../../../model/template.ts';
import {
  type Difference,
  type Fitting,
  filled,
  type Line,
  type Sections,
  type Values,
} from '../../fit-values.ts';
import { usersOf } from '../delivered.ts';
import { directory } from '../render/directory.ts';
import { gateway } from '../render/gateways.ts';
import { childrenNamed, type Element } from '../xml/element.ts';
import { elementText } from '../xml/write.ts';
import { isTrue } from './values.ts';

interface Named {
  kind: 'trunk' | 'user';
  /** As sipctl is to call the object. */
  name: string;
  tenant: nouns.Tenant;
  catalog: Catalog;
  templateDefaults: boolean;
}

/** How one object is rendered for FreeSWITCH and compared with what was written. */
export function freeSwitchFitting(named: Named): Fitting {
  const { kind, catalog, templateDefaults } = named;
  return {
    ...{ kind, catalog, differences },
    text: (values) => elementText(rendered(named, values)),
    sections: (values) => sectionsOf(rendered(named, values), kind),
    optionsFor: (found, written) => optionsFor(kind, found, written, templateDefaults),
  };
}

function rendered({ kind, name, tenant, catalog }: Named, values: Values): Element {
  const owned = { tenant: tenant.name, enabled: true };
  const site = {
    tenant,
    numbers: [],
    groups: [],
    ivrs: [],
    conferences: [],
    schedules: [],
    routes: [],
    emergencies: [],
  };
  const trunk = { ...filled(nouns.trunk, values), ...owned, name } as unknown as nouns.Trunk;
  const user = { ...filled(nouns.user, values), ...owned, username: name } as unknown as nouns.User;
  const full: TenantSite =
    kind === 'trunk' ? { ...site, trunks: [trunk], users: [] } : { ...site, trunks: [], users: [user] };
  const resolved = resolveSite(full, catalog);
  const [element] = kind === 'trunk' ? resolved.trunks.map(gateway) : directory(resolved).flatMap(usersOf);
  if (element === undefined) throw new TypeError(`${kind} ${name} renders to nothing`);
  return element;
}

function sectionsOf(element: Element, kind: 'trunk' | 'user'): Sections {
  const inside = (parts: readonly Element[], direction?: string): Line[] =>
    parts.flatMap(({ attributes }) => {
      const { name = '', value = '', direction: of } = Object.fromEntries(attributes);
      return direction === undefined || of === direction ? [{ option: name, value }] : [];
    });
  const under = (name: string): Element[] => childrenNamed(element, name).flatMap(({ children }) => children);
  return kind === 'trunk'
    ? new Map([
        ['gateway', inside(childrenNamed(element, 'param'))],
        ['inbound', inside(under('variables'), 'inbound')],
        ['outbound', inside(under('variables'), 'outbound')],
      ])
    : new Map([
        ['param', inside(under('params'))],
        ['variable', inside(under('variables'))],
      ]);
}

/** What FreeSWITCH takes where a gateway says nothing (`parse_gateways` in sofia.c). */
const defaults: Readonly<Record<string, string>> = {
  'gateway.register': 'true',
  'gateway.expire-seconds': '3600',
  'gateway.retry-seconds': '30',
  'gateway.timeout-seconds': '60',
  'gateway.caller-id-in-from': 'false',
  'gateway.extension-in-contact': 'false',
  'gateway.register-transport': 'udp',
  'gateway.scheme': 'Digest',
  'param.allow-empty-password': 'false',
};

const flags = new Set([
  'register',
  'caller-id-in-from',
  'extension-in-contact',
  'contact-in-ping',
  'distinct-to',
  'vm-enabled',
]);
// Of a password FreeSWITCH is given the hash only; and what sipctl's own dialplan lives on.
const ours = /^(param\.(password|a1-hash|vm-password)|inbound\.SIPCTL_.*|variable\.sipctl_.*)$/;

function differences(written: Sections, found: Sections): Difference[] {
  return [...found.keys()].flatMap((section) => {
    const [before, after] = [written.get(section) ?? [], found.get(section) ?? []];
    const options = new Set([...before, ...after].map(({ option }) => option));
    return [...options].flatMap((option) => differenceOf(section, option, before, after) ?? []);
  });
}

function differenceOf(
  section: string,
  option: string,
  before: readonly Line[],
  after: readonly Line[],
): Difference | null {
  const key = `${section}.${option}`;
  if (ours.test(key)) return null;
  const written = meaning(key, option, before);
  const rendered = meaning(key, option, after);
  if (written === rendered) return null;
  const shownBy = (lines: readonly Line[]) => lines.findLast((line) => line.option === option)?.value ?? null;
  const place = before.findLast((line) => line.option === option)?.place ?? before[0]?.place ?? null;
  return { ...{ section, option, place }, written: shownBy(before), rendered: shownBy(after) };
}

function meaning(key: string, option: string, lines: readonly Line[]): string | null {
  const last = (name: string): string | null => lines.findLast((line) => line.option === name)?.value || null;
  const sameAs: Readonly<Record<string, string>> = {
    'from-user': 'username',
    'auth-username': 'username',
    realm: 'proxy',
  };
  const other = key.startsWith('gateway.') ? sameAs[option] : undefined;
  const value = last(option) ?? (other === undefined ? null : last(other)) ?? defaults[key] ?? null;
  if (value === null) return null;
  if (flags.has(option)) return isTrue(value) ? 'true' : 'false';
  return option === 'register-transport' ? value.toLowerCase() : value;
}

function optionsFor(
  kind: 'trunk' | 'user',
  found: readonly Difference[],
  written: Sections,
  templateDefaults: boolean,
): string[] {
  return found.flatMap(({ section, option, written: value }) => {
    if (option === null || (value === null && templateDefaults)) return [];
    const lines = (written.get(section) ?? []).filter((line) => line.option === option);
    const text = `${section}.${option}=${lines.at(-1)?.value ?? ''}`;
    return optionProblems(kind, [text]).length === 0 ? [text] : [];
  });
}

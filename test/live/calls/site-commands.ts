import type { Field, Noun } from '../../../src/model/field.ts';
import { tenant as tenantNoun } from '../../../src/model/nouns.ts';
import { type SiteValues, siteNouns, type Values } from '../../support/calls/site-values.ts';

/** One command line of sipctl; `@carrier` stands for an address. */
export interface SiteCommand {
  argv: readonly string[];
  /** What its `env:…` values lead to. */
  secrets: Readonly<Record<string, string>>;
}

/** The value of a flag, or null. */
export function flagOf({ argv }: SiteCommand, flag: string): string | null {
  const at = argv.indexOf(`--${flag}`);
  return at < 0 ? null : (argv[at + 1] ?? null);
}

/** Splits lines at blanks; double quotes keep them. Users, and trunks with an account, get this password. */
export function textCommands(text: string, secrets: SiteCommand['secrets']): SiteCommand[] {
  return text
    .split('\n')
    .map((line) => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''))
    .filter((argv) => argv.length > 0)
    .map((argv) => {
      const signs = argv[1] === 'add' && (argv[0] === 'user' || argv.includes('--username'));
      return { argv: signs ? [...argv, '--password', 'env:PASSWORD'] : argv, secrets };
    });
}

/** What makes these objects: each is added with what it needs, and completed once all that it may name is there. */
export function valueCommands(site: SiteValues): SiteCommand[] {
  const { name } = site.tenant;
  const first: SiteCommand[] = [];
  const then: SiteCommand[] = [];
  first.push(commandOf(tenantNoun as unknown as Noun, 'add', name, site.tenant, () => true, []));
  for (const [table, noun] of Object.entries(siteNouns) as unknown as [keyof typeof siteNouns, Noun][]) {
    for (const values of site[table] ?? []) {
      const key = String(values[noun.key]);
      const scope = ['--tenant', name];
      const later = (field: Field): boolean => field.mentions !== undefined || field.to !== undefined;
      // A menu may name one that comes after it.
      const early = noun.name === 'ivr' ? { ...values, keys: ['1=hangup'] } : values;
      // A trunk's main number is one of the tenant already.
      const verb = noun.name === 'number' ? 'ensure' : 'add';
      first.push(
        commandOf(noun, verb, key, early, (field) => field.required === true || !later(field), scope),
      );
      const rest = commandOf(noun, 'set', key, values, later, scope);
      if (rest.argv.length > 5) then.push(rest);
      if (values.enabled === false) then.push({ argv: [noun.name, 'disable', key, ...scope], secrets: {} });
    }
  }
  return [...first, ...then];
}

function commandOf(
  noun: Noun,
  verb: string,
  key: string,
  values: Values,
  isMeant: (field: Field) => boolean,
  scope: readonly string[],
): SiteCommand {
  const secrets: Record<string, string> = {};
  const flags = Object.entries(noun.fields).flatMap(([name, field]) => {
    const value = values[name] ?? null;
    if (value === null || !isMeant(field)) return [];
    if (field.kind === 'boolean') return [value === true ? `--${field.flag}` : `--no-${field.flag}`];
    if (field.kind !== 'secret')
      return [`--${field.flag}`, Array.isArray(value) ? value.join(',') : String(value)];
    secrets[name.toUpperCase()] = String(value);
    return [`--${field.flag}`, `env:${name.toUpperCase()}`];
  });
  return { argv: [noun.name, verb, key, ...scope, ...flags], secrets };
}

import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { everyNoun } from '../model/every-noun.ts';
import type { Value } from '../model/field.ts';
import { isLabelled } from '../model/labelled.ts';
import * as nouns from '../model/nouns.ts';
import { type SecretStyle, siteTree, type WrittenObject } from '../site-file/write.ts';
import type { Input, Run, VerbSpec } from './command.ts';
import { labelAsked } from './site-source.ts';

/** Writes what the database holds as a site file: of all tenants and nodes, or of the tenant that is named. */
const run: Run = async (app, input) => {
  const secrets = choice<SecretStyle>(input, 'secrets', ['none', 'env']);
  const format = choice(input, 'format', ['yaml', 'json']);
  const objects = await storedObjects(app, labelAsked(input));
  const site = siteTree(objects, secrets);
  // Loaded late: a site as JSON needs no YAML.
  const yaml = format === 'yaml' && !app.config.json ? await import('../site-file/yaml-text.ts') : null;
  const text = yaml === null ? `${JSON.stringify(site, null, 2)}\n` : yaml.siteYaml(site);
  return { data: { site, count: objects.length }, text: () => text };
};

async function storedObjects(app: App, label: string | null): Promise<WrittenObject[]> {
  const { records } = await app.store();
  const named = app.config.tenantNamed ? app.config.tenant : null;
  if (named !== null) await records.get(nouns.tenant, { tenant: null, name: named });
  const found: WrittenObject[] = [];
  for (const noun of everyNoun) {
    if (noun.name === 'node' && named !== null) continue;
    const all = await records.list(noun, noun.tenantScoped ? { tenant: named } : {});
    for (const object of all) {
      const values = object as unknown as Readonly<Record<string, Value>>;
      const name = values[noun.key] as string;
      const isOther = noun.name === 'tenant' && named !== null && name !== named;
      if (!isOther && isLabelled(values.labels, label))
        found.push({ noun, tenant: object.tenant ?? null, name, values });
    }
  }
  return found;
}

/** One of the words that a flag takes; the first one where it is not given. @throws SipctlError `invalid` */
function choice<T extends string>({ options }: Input, flag: string, words: readonly T[]): T {
  const given = options[flag] ?? words[0];
  const found = words.find((word) => word === given);
  if (found !== undefined) return found;
  throw new SipctlError('invalid', {
    code: `invalid_${flag}`,
    message: `${flag}: '${given}' is not one of ${words.join(', ')}`,
    field: flag,
    hint: `--${flag} ${words.join(' or ')}`,
  });
}

export const exportSite: VerbSpec = {
  name: 'site',
  summary: 'write the database as a site file: what apply -f takes, without secrets',
  options: [
    ['--label <label>', 'only objects that have this label'],
    ['--format <format>', 'yaml or json (default: yaml)'],
    ['--secrets <how>', 'none: leave them out; env: name variables that are to hold them (default: none)'],
  ],
  examples: [
    'sipctl export > site.yaml',
    'sipctl export --tenant acme --secrets env > acme.yaml',
    'sipctl export --format json',
  ],
  run,
};

import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { Declared } from '../model/declared.ts';
import type { Value } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import type { ReadingSettings } from '../model/reading.ts';
import { type Adoption, adoptionOf, type ReadBack } from '../pipeline/adopt.ts';
import { sameValue } from '../plan/edits.ts';
import type { ReadableFile } from '../platforms/target.ts';
import { nodeNames, type Run, type VerbSpec } from './command.ts';
import { takeIn, takeInOptions } from './take-in.ts';

const run: Run = async (app, input) => {
  const asked = new Set(input.args.filter((one) => one !== undefined).map(objectName));
  const site = { store: await app.store(), render: await app.rendering() };
  const readBack = await readerOf(app);
  const found: Adoption[] = [];
  for (const planned of await app.targets(nodeNames(input)))
    found.push(await adoptionOf(site, planned, readBack, asked, app.signal));
  const left = found.flatMap((one) => one.left);
  const isStrict = input.options.strict === true;
  const intake = {
    declared: onceEach(found.flatMap(({ declared }) => declared)),
    problems: [...found.flatMap(({ problems }) => problems), ...(isStrict ? left : [])],
    warnings: isStrict ? [] : left,
  };
  return takeIn(app, input, intake, { data: { notTakenOver: left } });
};

/** `user:ann` or `user ann`. @throws SipctlError `usage` */
function objectName(text: string): string {
  if (/^(?:user|trunk)[: ][^: ]+$/.test(text)) return text.replace(' ', ':');
  throw new SipctlError('usage', {
    code: 'usage',
    message: `'${text}' names no object whose edits can be taken over`,
    field: 'objects',
    hint: 'write user:ann or trunk:main',
  });
}

/** Reads delivered texts back, with those values from the database that no text tells. */
async function readerOf(app: App): Promise<ReadBack> {
  const { records } = await app.store();
  const tenants = (await records.list(nouns.tenant)) as unknown as nouns.Tenant[];
  const catalog = await app.catalog();
  return async (target, tenant, file, text) => {
    const settings: ReadingSettings = {
      ...{ catalog, tenants, tenant, version: target.recipe.version || '22' },
      ...{ contexts: new Map(), except: new Set<string>(), variables: new Map() },
      given: await untoldValues(app, tenant, file),
      ...{ generatePasswords: false, keepNames: false, templateDefaults: true },
    };
    return app.readConfiguration(target.kind as nouns.Node['kind'], [text], { find: () => [] }, settings);
  };
}

/** What a text does not tell of its objects, as the database has it. */
async function untoldValues(
  app: App,
  tenant: string,
  { noun: name, untold }: ReadableFile,
): Promise<Map<string, Record<string, Value>>> {
  const { records } = await app.store();
  const noun = name === 'user' ? nouns.user : nouns.trunk;
  const objects = (await records.list(noun, { tenant })) as unknown as Readonly<Record<string, Value>>[];
  return new Map(
    objects.map((object) => [
      object[noun.key] as string,
      Object.fromEntries(untold.map((field) => [field, object[field] ?? null])),
    ]),
  );
}

/** Several nodes may have been edited alike; where they were not, both are complained of. */
function onceEach(declared: readonly Declared[]): Declared[] {
  const kept: Declared[] = [];
  for (const one of declared) {
    const alike = kept.some(
      ({ noun, tenant, name, values }) =>
        noun === one.noun && tenant === one.tenant && name === one.name && sameValues(values, one.values),
    );
    if (!alike) kept.push(one);
  }
  return kept;
}

const sameValues = (one: Readonly<Record<string, Value>>, other: Readonly<Record<string, Value>>): boolean =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].every(
    (name) => name in one && name in other && sameValue(one[name] ?? null, other[name] ?? null),
  );

export const driftAdopt: VerbSpec = {
  name: 'adopt',
  summary: 'take edits of delivered files into the database',
  args: '[objects...]',
  options: [
    ['--node <names>', 'only the edits on these nodes, separated by commas, or @<label>'],
    ['--strict', 'refuse where something that was edited cannot be taken over'],
    ...takeInOptions,
    ['--apply', 'plan and apply at once'],
  ],
  examples: ['sipctl drift adopt --node pbx1 --check', 'sipctl drift adopt user:ann --node pbx1 --apply'],
  run,
};

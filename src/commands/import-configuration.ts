import type { App } from '../app.ts';
import { Complaints } from '../errors.ts';
import type { Field, Value } from '../model/field.ts';
import type { Node } from '../model/nouns.ts';
import * as nouns from '../model/nouns.ts';
import type { Reading, ReadingSettings, SourceFinder, SourceText } from '../model/reading.ts';
import { readingText } from '../report/reading.ts';
import type { Input, OptionSpec, Result } from './command.ts';
import { takeIn, takeInOptions } from './take-in.ts';

/** The flags of the commands that read the configuration of a PBX. */
export const importOptions: readonly OptionSpec[] = [
  ['--context-tenant <map>', 'whose a dialplan context is: context=tenant,…', 'joined'],
  ['--set <value>', 'object.field=value over what the files say; may be given again', 'lines'],
  ['--except <names>', 'pass these objects over', 'joined'],
  ['--generate-passwords', 'make passwords for users whose own is not told, as where only a hash of it is'],
  ['--keep-names', 'name trunks after their endpoints or gateways, not after markers'],
  ['--template-defaults', 'take the template’s value where the files say nothing'],
  ['--engine-version <version>', 'of the engine that is to run it; 22 when not given'],
  ['--strict', 'fail where something cannot be taken over as it is'],
  ...takeInOptions,
  ['--apply', 'plan and apply at once'],
];

export interface ImportSource {
  kind: Node['kind'];
  files: readonly SourceText[];
  finder: SourceFinder;
}

/** Reads a configuration and takes it in. What will not be the same is told as warnings, or refused with `--strict`. */
export async function importConfiguration(app: App, input: Input, source: ImportSource): Promise<Result> {
  const settings = await settingsOf(app, input);
  const reading = await app.readConfiguration(source.kind, source.files, source.finder, settings);
  const { declared, problems, differences, renamings, left } = reading;
  const isStrict = input.options.strict === true;
  const result = await takeIn(
    app,
    input,
    {
      declared,
      problems: isStrict ? [...problems, ...differences] : problems,
      warnings: differences,
    },
    { data: { renamings, left, notTakenOver: differences.length } },
  );
  return { ...result, text: (style) => `${result.text(style)}${readingText(reading as Reading, style)}` };
}

async function settingsOf(app: App, { options }: Input): Promise<ReadingSettings> {
  const complaints = new Complaints();
  const store = await app.store();
  const settings: ReadingSettings = {
    catalog: await app.catalog(),
    tenants: (await store.records.list(nouns.tenant)) as unknown as nouns.Tenant[],
    tenant: app.config.tenant,
    contexts: new Map(pairs(options.contextTenant, 'context-tenant', complaints)),
    given: givenValues(options.set, complaints),
    variables: new Map(pairs(options.variable, 'variable', complaints)),
    except: new Set(words(options.except)),
    generatePasswords: options.generatePasswords === true,
    keepNames: options.keepNames === true,
    templateDefaults: options.templateDefaults === true,
    version: versionOf(options.engineVersion, complaints),
  };
  complaints.throwIfAny();
  return settings;
}

const words = (given: unknown): string[] =>
  typeof given === 'string' ? given.split(',').map((word) => word.trim()) : [];

function pairs(given: unknown, flag: string, complaints: Complaints): [string, string][] {
  return words(given).flatMap((pair): [string, string][] => {
    const [, name, value] = /^([^=]+)=([^=]+)$/.exec(pair) ?? [];
    if (name !== undefined && value !== undefined) return [[name, value]];
    complaints.add({
      ...{ code: `invalid_${flag.replace('-', '_')}`, field: flag },
      message: `${flag}: '${pair}' is not name=value`,
      hint: `write --${flag} ${flag === 'variable' ? 'local_ip_v4=192.0.2.1' : 'from-internal=acme'}`,
    });
    return [];
  });
}

function versionOf(given: unknown, complaints: Complaints): string {
  const parsed = nouns.node.fields.engineVersion.rule(String(given ?? '22'));
  if (parsed.ok) return parsed.value;
  const hint = parsed.hint ?? 'see --engine-version in --help';
  complaints.add({
    code: 'invalid_engine_version',
    message: `engine-version: ${parsed.message}`,
    field: 'engineVersion',
    hint,
  });
  return '22';
}

function givenValues(given: unknown, complaints: Complaints): Map<string, Record<string, Value>> {
  const found = new Map<string, Record<string, Value>>();
  for (const text of typeof given === 'string' ? given.split('\n') : []) {
    const [, object = '', name = '', value = ''] = /^([^=]+)\.([A-Za-z]+)=(.*)$/.exec(text) ?? [];
    const field = fieldNamed(name);
    const parsed = field?.rule(value);
    if (parsed?.ok === true) found.set(object, { ...found.get(object), [name]: parsed.value });
    else
      complaints.add({
        ...{ code: 'invalid_set', field: 'set' },
        message: `set: ${text.split('=', 1)[0]}: ${parsed?.message ?? 'is no field of a trunk or user that can be given here'}`,
        hint: parsed?.hint ?? 'write --set object.field=value, for example --set ann.extension=1001',
      });
  }
  return found;
}

function fieldNamed(name: string): Field | undefined {
  const fields: Readonly<Record<string, Field>> = { ...nouns.user.fields, ...nouns.trunk.fields };
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return field?.kind === 'secret' ? undefined : field;
}

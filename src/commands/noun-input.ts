import { readFileSync } from 'node:fs';
import type { App } from '../app.ts';
import type { Complaints } from '../errors.ts';
import type { Field, Noun, Value } from '../model/field.ts';
import { fieldProblem, snake, titleOf } from '../model/field.ts';
import { Secret } from '../model/secret.ts';
import { generatedPassword } from '../pipeline/generated-secret.ts';
import type { Patch } from '../store/writer.ts';
import type { Input, OptionSpec } from './command.ts';

/** The flags that a noun's fields make. */
export function fieldOptions(noun: Noun): OptionSpec[] {
  return Object.entries(noun.fields).flatMap(([, field]): OptionSpec[] => {
    if (field.kind === 'boolean')
      return [
        [`--${field.flag}`, field.help],
        [`--no-${field.flag}`, `the opposite of --${field.flag}`],
      ];
    if (field.kind === 'list' && field.separator === '\n')
      return [[`--${field.flag} <value>`, describeField(field), 'lines']];
    if (field.kind === 'list') return [[`--${field.flag} <values>`, describeField(field), 'joined']];
    if (field.kind !== 'secret') return [[`--${field.flag} <value>`, describeField(field)]];
    return [
      [`--${field.flag} <reference>`, `${field.help}, as env:NAME or file:PATH; never the secret itself`],
      [`--${field.flag}-stdin`, `read the ${field.help} from standard input`],
      [`--${field.flag}-file <path>`, `read the ${field.help} from a file`],
      ...(field.flag === 'password'
        ? ([['--generate-password', 'make a strong one; show it with: show <name> --reveal']] as const)
        : []),
    ];
  });
}

function describeField(field: Field): string {
  if (field.required === true) return `${field.help} (needed)`;
  return field.initial === undefined ? field.help : `${field.help} (default: ${field.initial})`;
}

/** The values that the command line gave, parsed by their rules; every complaint lands in `complaints`. */
export async function readPatch(
  noun: Noun,
  input: Input,
  app: App,
  complaints: Complaints,
): Promise<Record<string, Value>> {
  const patch: Record<string, Value> = {};
  for (const [name, field] of Object.entries(noun.fields)) {
    if (field.kind === 'secret') {
      const secret = await readSecret(field, name, input, app, complaints);
      if (secret !== undefined) patch[name] = secret;
      continue;
    }
    const given = input.options[camel(field.flag)];
    if (typeof given === 'boolean') patch[name] = given;
    else if (typeof given === 'string') keep(patch, name, field, given, complaints);
  }
  for (const name of unsetNames(input)) unset(patch, noun, name, complaints);
  return patch;
}

function keep(
  patch: Record<string, Value>,
  name: string,
  field: Field,
  text: string,
  complaints: Complaints,
): void {
  const parsed = field.rule(text);
  if (parsed.ok) patch[name] = parsed.value;
  else complaints.add(fieldProblem(name, field.flag, parsed));
}

const unsetNames = (input: Input): string[] =>
  typeof input.options.unset === 'string' ? input.options.unset.split(',').map((name) => name.trim()) : [];

function unset(patch: Record<string, Value>, noun: Noun, name: string, complaints: Complaints): void {
  const entry = Object.entries(noun.fields).find(([field, { flag }]) => field === name || flag === name);
  if (entry === undefined || entry[1].required === true) {
    const message =
      entry === undefined ? `unset: ${oneOf(noun)} has no field '${name}'` : `unset: ${name} is needed`;
    complaints.add({
      code: 'invalid_unset',
      message,
      field: 'unset',
      hint: `fields: ${Object.keys(noun.fields).join(', ')}`,
    });
    return;
  }
  patch[entry[0]] = entry[1].initial ?? null;
}

async function readSecret(
  field: Field,
  name: string,
  input: Input,
  app: App,
  complaints: Complaints,
): Promise<Secret | undefined> {
  const flag = camel(field.flag);
  const { [flag]: reference, [`${flag}Stdin`]: stdin, [`${flag}File`]: file } = input.options;
  const generate = field.flag === 'password' && input.options.generatePassword === true;
  const given = [reference, stdin, file, generate || undefined].filter((one) => one !== undefined);
  if (given.length === 0) return undefined;
  if (given.length > 1) {
    complaints.add(
      fieldProblem(name, field.flag, { message: 'is given in two ways', hint: 'use one of them' }),
    );
    return undefined;
  }
  if (generate) return new Secret(generatedPassword());
  const text =
    stdin === true
      ? await app.terminal.readInput(`${field.flag}-stdin`)
      : secretText(reference, file, name, field, app, complaints);
  if (text === undefined) return undefined;
  const parsed = field.rule(text);
  if (parsed.ok) return parsed.value as Secret;
  complaints.add(fieldProblem(name, `${field.flag}-stdin`, parsed));
  return undefined;
}

function secretText(
  reference: unknown,
  file: unknown,
  name: string,
  field: Field,
  app: App,
  complaints: Complaints,
): string | undefined {
  const match = typeof file === 'string' ? ['', 'file', file] : /^(env|file):(.+)$/s.exec(String(reference));
  if (match === null) {
    // What was typed may be the secret: it is not repeated.
    const message =
      'secrets are not taken from the command line, where every user of the machine can read them';
    complaints.add(
      fieldProblem(name, field.flag, {
        message,
        hint: `use --${field.flag}-stdin, --${field.flag}-file, or --${field.flag} env:NAME`,
      }),
    );
    return undefined;
  }
  const [, kind, where = ''] = match;
  try {
    const text = kind === 'env' ? app.env[where] : readFileSync(where, 'utf8').replace(/\r?\n$/, '');
    if (text !== undefined) return text;
    complaints.add(
      fieldProblem(name, field.flag, { message: `the environment has no ${where}`, hint: `export ${where}` }),
    );
  } catch (error) {
    const message = `${where} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`;
    complaints.add(fieldProblem(name, field.flag, { message, hint: 'check its path and mode' }));
  }
  return undefined;
}

/** What a new object still lacks, as complaints that name the flags. */
export function missingProblems(noun: Noun, values: Patch, complaints: Complaints): void {
  for (const name of missingFields(noun, values)) {
    if (complaints.problems.some((problem) => problem.field === name)) continue;
    const field = noun.fields[name] as Field;
    const hint =
      field.kind === 'secret'
        ? `give --${field.flag}-stdin, --${field.flag}-file, --${field.flag} env:NAME, or --generate-password`
        : `give --${field.flag}`;
    complaints.add({
      code: `missing_${snake(name)}`,
      message: `${name}: ${oneOf(noun)} needs it`,
      field: name,
      hint,
    });
  }
}

export const missingFields = (noun: Noun, values: Patch): string[] =>
  Object.entries(noun.fields)
    .filter(([name, field]) => field.required === true && (values[name] ?? null) === null)
    .map(([name]) => name);

/** `a user`, `an ivr`: the noun as a sentence speaks of one object. */
export const oneOf = (noun: Noun): string => {
  const title = titleOf(noun);
  return `${/^[aeio]/.test(title) ? 'an' : 'a'} ${title}`;
};

/** `display-name` → `displayName`, as the parser names a flag. */
export const camel = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

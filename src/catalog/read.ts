import {
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import type { z } from 'zod';
import type { Problem } from '../errors.ts';
import { nearest } from '../model/check.ts';
import type { ProviderTemplate, Sections, UserTemplate } from '../model/template.ts';
import type { TemplateFile } from './files.ts';
import { type Fault, relationFaults } from './relations.ts';
import {
  providerBaseSchema,
  providerSchema,
  toProviderTemplate,
  toUserTemplate,
  userBaseSchema,
  userSchema,
} from './schema.ts';
import { inherit, type SectionChanges } from './sections.ts';

/** Reading template files: text → template, or every complaint with its line and column. Loads yaml and zod. */

/** What every template of a kind inherits: defaults of the file's keys, and the sections. */
export interface Base {
  defaults: Readonly<Record<string, unknown>>;
  asterisk: Sections;
}

/** A template, or what keeps the file from being one. Exactly one of both is there. */
export interface Reading<T> {
  template: T | null;
  problems: Problem[];
}

/** A provider file laid over the base of all providers. */
export function readProvider(
  file: TemplateFile,
  base: Base,
  origin: ProviderTemplate['origin'],
): Reading<ProviderTemplate> {
  const source = openFile(file);
  if (source.problems.length > 0) return { template: null, problems: source.problems };
  const raw = { ...base.defaults, ...source.value };
  const parsed = providerSchema.safeParse(raw);
  const faults = [...faultsOf(parsed, providerSchema, raw), ...relationFaults(raw), ...idFaults(file, raw)];
  return {
    template:
      parsed.success && faults.length === 0 ? toProviderTemplate(parsed.data, base.asterisk, origin) : null,
    problems: locate(faults, source),
  };
}

/** A user template file laid over the base of all user templates. */
export function readUser(
  file: TemplateFile,
  base: Base,
  origin: UserTemplate['origin'],
): Reading<UserTemplate> {
  const source = openFile(file);
  if (source.problems.length > 0) return { template: null, problems: source.problems };
  const raw = { ...base.defaults, ...source.value };
  const parsed = userSchema.safeParse(raw);
  const faults = [...faultsOf(parsed, userSchema, raw), ...idFaults(file, raw)];
  return {
    template:
      parsed.success && faults.length === 0 ? toUserTemplate(parsed.data, base.asterisk, origin) : null,
    problems: locate(faults, source),
  };
}

/** The base file of a kind of template. */
export function readBase(file: TemplateFile, kind: 'provider' | 'user'): Reading<Base> {
  const source = openFile(file);
  if (source.problems.length > 0) return { template: null, problems: source.problems };
  const schema = kind === 'provider' ? providerBaseSchema : userBaseSchema;
  const parsed = schema.safeParse(source.value);
  const faults = faultsOf(parsed, schema, source.value);
  const { asterisk, ...defaults } = source.value;
  const checked = parsed.success ? inherit({}, parsed.data.asterisk as SectionChanges) : {};
  return {
    template: parsed.success ? { defaults: { asterisk: {}, ...defaults }, asterisk: checked } : null,
    problems: locate(faults, source),
  };
}

interface Source {
  name: string;
  lines: LineCounter;
  document: Document.Parsed;
  value: Record<string, unknown>;
  problems: Problem[];
}

function openFile(file: TemplateFile): Source {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false });
  const source: Source = { name: file.name, lines, document, value: {}, problems: [] };
  for (const error of [...document.errors, ...document.warnings]) {
    const where = lines.linePos(error.pos[0]);
    source.problems.push({
      code: 'template_syntax',
      message: `${file.name}:${where.line}:${where.col}: ${error.message}`,
      hint: 'the file is not well-formed YAML there',
    });
  }
  if (source.problems.length > 0) return source;
  if (!isMap(document.contents)) {
    source.problems.push({
      code: 'template_syntax',
      message: `${file.name}:1:1: the file does not hold keys and values`,
      hint: 'start from what sipctl provider new prints',
    });
    return source;
  }
  return readValue(source);
}

// Aliases that multiply, the only thing a well-formed document can still fail on, are refused by yaml itself.
function readValue(source: Source): Source {
  try {
    source.value = source.document.toJS() as Record<string, unknown>;
  } catch (error) {
    const message = `${source.name}:1:1: ${(error as Error).message}`;
    source.problems.push({
      code: 'template_syntax',
      message,
      hint: 'write the values out instead of aliases',
    });
  }
  return source;
}

function idFaults(file: TemplateFile, raw: Record<string, unknown>): Fault[] {
  const stem = (file.name.split('/').at(-1) ?? '').replace(/\.yaml$/, '');
  if (typeof raw.id !== 'string' || raw.id === stem) return [];
  return [
    {
      path: ['id'],
      message: `'${raw.id}' is not the name of the file`,
      hint: `write id: ${stem}, or rename the file to ${raw.id}.yaml`,
    },
  ];
}

type Outcome = { success: true } | { success: false; error: z.core.$ZodError };

function faultsOf(parsed: Outcome, schema: z.ZodType, raw: unknown): Fault[] {
  return parsed.success ? [] : parsed.error.issues.flatMap((issue) => faultsOfIssue(issue, schema, raw));
}

function faultsOfIssue(issue: z.core.$ZodIssue, schema: z.ZodType, raw: unknown): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `there is no key '${key}'`,
      hint: nearHint(key, known),
    }));
  }
  const hint = issue.code === 'custom' ? (issue.params?.hint as string | undefined) : undefined;
  return [{ path: issue.path, message: wording(issue, raw), hint: hint ?? keyHint }];
}

const keyHint = 'sipctl provider new prints every key with its meaning';

const nearHint = (word: string, known: readonly string[]): string => {
  const near = nearest(word, known);
  return near === null ? `known are ${known.join(', ')}` : `did you mean '${near}'?`;
};

// zod speaks of inputs and types; whoever wrote the file thinks of keys and values.
function wording(issue: z.core.$ZodIssue, raw: unknown): string {
  const value = valueAt(raw, issue.path);
  if (issue.code === 'custom') return issue.message;
  if (value === undefined) return 'is missing';
  const shown = typeof value === 'object' && value !== null ? 'this' : `'${String(value)}'`;
  switch (issue.code) {
    case 'invalid_value':
      return `${shown} is not one of ${issue.values.join(', ')}`;
    case 'invalid_type':
      return `${value === null ? 'null' : shown} is not ${article(issue.expected)}`;
    case 'invalid_union':
      return `${value === null ? 'null' : shown} is not a text, a number, true or false`;
    case 'too_small':
      return typeof value === 'object' ? 'must not be empty' : `${shown} is less than ${issue.minimum}`;
    case 'too_big':
      return `${shown} is more than ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const article = (expected: string): string =>
  ({
    string: 'a text',
    array: 'a list',
    object: 'a block of keys',
    record: 'a block of keys',
    boolean: 'true or false',
    int: 'a whole number',
  })[expected] ?? `a ${expected}`;

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], raw);
}

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const key of [...path, null]) {
    at = bare(at);
    if (key === null) break;
    const { shape, element, valueType } = at as {
      shape?: Record<PropertyKey, unknown>;
      element?: unknown;
      valueType?: unknown;
    };
    at = shape?.[key] ?? element ?? valueType;
  }
  return Object.keys((at as { shape?: object } | undefined)?.shape ?? {});
}

function bare(schema: unknown): unknown {
  const wrapped = schema as { unwrap?: () => unknown; shape?: unknown; element?: unknown } | undefined;
  return wrapped?.unwrap !== undefined && wrapped.element === undefined ? bare(wrapped.unwrap()) : schema;
}

/** Turns faults of a file that could be read into problems with line and column. */
export function locator(file: TemplateFile): (fault: Fault) => Problem {
  const source = openFile(file);
  return (fault) => locate([fault], source)[0] as Problem;
}

function locate(faults: readonly Fault[], source: Source): Problem[] {
  return faults
    .map((fault) => ({ fault, offset: offsetOf(source.document, fault.path) }))
    .sort((one, other) => one.offset - other.offset)
    .map(({ fault, offset }) => {
      const { line, col } = source.lines.linePos(offset);
      const key = fault.path.map(String).join('.');
      const problem: Problem = {
        code: 'invalid_template',
        message: `${source.name}:${line}:${col}: ${key}: ${fault.message}`,
        field: key,
      };
      return fault.hint === undefined ? problem : { ...problem, hint: fault.hint };
    });
}

// Where the last key of the path stands, or the item of a list; for a key that is missing, the block it is missing
// in.
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let at: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (!isCollection(at)) break;
    const pair = isMap(at) ? at.items.find((one) => isScalar(one.key) && one.key.value === step) : undefined;
    const next = isPair(pair) ? pair.value : at.get(step, true);
    const node = (isPair(pair) ? pair.key : next) as Node | undefined;
    if (node?.range === undefined || node.range === null) break;
    offset = node.range[0];
    at = next;
  }
  return offset;
}

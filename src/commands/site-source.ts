import { execFileSync } from 'node:child_process';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { type Parsed, wrong } from '../model/field.ts';
import { label as labelRule } from '../model/rules.ts';
import type { SourceText } from '../site-file/documents.ts';
import type { ReadOptions } from '../site-file/read.ts';
import { readBounded, unreadBecause } from './bounded-read.ts';
import type { Input, OptionSpec } from './command.ts';
import type { Intake } from './take-in.ts';

/** The flags of commands that read site files. */
export const sourceOptions: readonly OptionSpec[] = [
  [
    '-f, --file <path>',
    'site file (YAML, JSON), folder of such files, or - for standard input; repeatable',
    'lines',
  ],
  ['--label <label>', 'with -f: only objects that have this label'],
  ['--prune', 'with -f: also remove what the tenants in the files hold and the files do not name'],
  ['--allow-commands', 'with -f: run the commands that secrets name as cmd:…'],
];

/** Whether site files are named. */
export const namesSources = ({ options }: Input): boolean => typeof options.file === 'string';

/** @throws SipctlError `usage` where flags of site files stand without one */
export function expectSources({ options }: Input): void {
  const named = ['label', 'prune', 'allowCommands', 'check', 'dryRun'].find(
    (name) => options[name] !== undefined,
  );
  const alone = options.apply === false ? 'noApply' : named;
  if (alone === undefined || typeof options.file === 'string') return;
  const flag = alone.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw noSources(`--${flag}`);
}

export const noSources = (what: string): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: `${what} goes with -f`,
    hint: 'name a site file: -f site.yaml',
  });

/** The label that the command line names; null: none. @throws SipctlError `invalid` */
export function labelAsked({ options }: Input): string | null {
  if (options.label === undefined) return null;
  const parsed = labelRule(String(options.label));
  if (parsed.ok) return parsed.value;
  throw new SipctlError('invalid', {
    code: 'invalid_label',
    message: `label: ${parsed.message}`,
    field: 'label',
    hint: 'use letters and digits',
  });
}

/** Reads the site files that `-f` names: what they declare, and every complaint about them. */
export async function readSources(app: App, input: Input): Promise<Intake> {
  const sources = await sourceTexts(app, String(input.options.file).split('\n'));
  const { readSite } = await import('../site-file/read.ts');
  const label = labelAsked(input);
  const tenant = app.config.tenantNamed ? app.config.tenant : null;
  const reading = readSite(sources.texts, { tenant, label, reveal: revealer(app, input) });
  const problems = [...sources.problems, ...reading.problems];
  if (problems.length === 0 && reading.declared.length === 0)
    problems.push(nothing(sources.texts, reading.passedOver, label));
  return { declared: reading.declared, problems, warnings: overlooked(reading.passedOver, tenant) };
}

const nothing = (
  texts: readonly SourceText[],
  passedOver: readonly string[],
  label: string | null,
): Problem => ({
  code: 'nothing_declared',
  message:
    passedOver.length > 0
      ? `the source declares nothing of this tenant, but ${passedOver.slice(0, 5).join(', ')}`
      : label === null
        ? `${texts.map(({ source }) => source).join(', ')} declares nothing`
        : `the source declares nothing with label '${label}'`,
  field: 'file',
  hint:
    passedOver.length > 0 ? 'check --tenant and SIPCTL_TENANT' : 'sipctl export shows how a site file looks',
});

const overlooked = (passedOver: readonly string[], tenant: string | null): Problem[] =>
  passedOver.length === 0
    ? []
    : [
        {
          code: 'passed_over',
          message: `${passedOver.slice(0, 5).join(', ')}${passedOver.length > 5 ? ` and ${passedOver.length - 5} more` : ''} passed over: tenant '${tenant}' is named`,
          hint: 'leave --tenant and SIPCTL_TENANT out to take in all',
        },
      ];

interface Texts {
  texts: SourceText[];
  problems: Problem[];
}

async function sourceTexts(app: App, names: readonly string[]): Promise<Texts> {
  if (names.filter((name) => name === '-').length > 1) throw inputTwice();
  const found: Texts = { texts: [], problems: [] };
  const seen = new Set<string>();
  for (const name of names) {
    if (name === '-') keepText(found, name, await app.terminal.readDocument());
    else
      for (const file of filesAt(name)) {
        const path = real(file);
        if (!seen.has(path)) keepText(found, file, contentOf(file));
        seen.add(path);
      }
  }
  return found;
}

const siteFileName = /^[^.].*\.(ya?ml|json)$/i;

/** The file itself, or all site files of a folder and the folders below it, in the order of their names. */
function filesAt(name: string): string[] {
  const kind = statOf(name);
  if (!kind.isDirectory()) return [name];
  const files = walk(name);
  if (files.length > 0) return files;
  throw new SipctlError('notFound', {
    code: 'no_site_files',
    message: `there is no site file in ${name}`,
    field: 'file',
    hint: 'their names end in .yaml, .yml or .json',
  });
}

// A link to a folder is not followed: it may lead back.
function walk(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).toSorted((one, other) =>
    one.name < other.name ? -1 : 1,
  );
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') ? [] : walk(path);
    return siteFileName.test(entry.name) && statOf(path).isFile() ? [path] : [];
  });
}

function statOf(name: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(name);
  } catch (error) {
    throw unreadable(name, error);
  }
}

function contentOf(name: string): Uint8Array {
  try {
    return readBounded(name, largest);
  } catch (error) {
    throw unreadable(name, error);
  }
}

const real = (name: string): string => {
  try {
    return realpathSync(name);
  } catch {
    return resolve(name);
  }
};

function unreadable(name: string, error: unknown): SipctlError {
  const { code } = error as NodeJS.ErrnoException;
  return new SipctlError(code === 'ENOENT' ? 'notFound' : 'invalid', {
    code: code === 'ENOENT' ? 'no_file' : 'file_unreadable',
    message:
      code === 'ENOENT' ? `there is no file ${name}` : `${name} cannot be read: ${unreadBecause(error)}`,
    field: 'file',
    hint: 'check its path and mode',
  });
}

function keepText({ texts, problems }: Texts, source: string, bytes: Uint8Array): void {
  const text = textOf(bytes);
  if (text !== null) texts.push({ source, text });
  else
    problems.push({
      code: 'not_text',
      message: `${source} is not a text in UTF-8`,
      field: 'file',
      hint: 'write YAML or JSON, saved as UTF-8',
    });
}

function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

const inputTwice = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: '-f - is given twice: standard input can be read once',
    hint: 'name one - and files, or put several documents into one',
  });

/** Bytes of a site file at most; standard input has the same bound. */
const largest = 64 * 1024 * 1024;

/** Bytes of a secret at most. */
const longestSecret = 64 * 1024;

/** Milliseconds until a command that gives a secret is given up. */
const commandTime = 30_000;

/** Comes by secrets: from the environment, from files beside the site file, from commands where that is allowed. */
function revealer(app: App, { options }: Input): ReadOptions['reveal'] {
  const told = new Map<string, Parsed<string>>();
  return (reference, source) => {
    if (reference.kind === 'env') {
      const value = app.env[reference.name];
      return value === undefined
        ? wrong(`the environment has no ${reference.name}`, `export ${reference.name}`)
        : { ok: true, value };
    }
    if (reference.kind === 'file')
      return fromFile(resolve(source === '-' ? '.' : dirname(source), reference.path));
    if (options.allowCommands !== true)
      return wrong(
        'a command would be run for it',
        'read the command in the file, then say --allow-commands',
      );
    const folder = resolve(source === '-' ? '.' : dirname(source));
    const key = `${folder}\n${reference.command}`;
    const known = told.get(key) ?? fromCommand(reference.command, folder);
    told.set(key, known);
    return known;
  };
}

function fromFile(path: string): Parsed<string> {
  try {
    return {
      ok: true,
      value: readBounded(path, longestSecret)
        .toString('utf8')
        .replace(/\r?\n$/, ''),
    };
  } catch (error) {
    return wrong(`${path} cannot be read: ${unreadBecause(error)}`, 'check its path and mode');
  }
}

// What it prints may be a secret also where it fails: nothing of it is shown.
function fromCommand(command: string, folder: string): Parsed<string> {
  const [program, ...args] = commandWords(command);
  if (program === undefined) return wrong('cmd: has a quote that does not end', 'close it');
  try {
    const output = execFileSync(program, args, {
      ...{
        encoding: 'utf8',
        timeout: commandTime,
        maxBuffer: 64 * 1024,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
      cwd: folder,
    });
    return { ok: true, value: output.replace(/\r?\n$/, '') };
  } catch (error) {
    const { status, code } = error as { status?: number | null; code?: string };
    const how =
      code === 'ENOENT'
        ? 'is not there'
        : code === 'ETIMEDOUT'
          ? 'did not end in 30 seconds'
          : `ended with ${status ?? code ?? 'a signal'}`;
    return wrong(
      `the command ${program} ${how}`,
      'run it by hand; it is run without a shell, in the folder of the file',
    );
  }
}

/** Words as a shell would part them, without anything else that a shell does; none where a quote does not end. */
function commandWords(command: string): string[] {
  const words: string[] = [];
  const shape = /\s*((?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)/sy;
  while (shape.lastIndex < command.length) {
    const match = shape.exec(command);
    if (match === null) return [];
    words.push(
      (match[1] as string).replace(
        /\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)"/gs,
        (_, escaped, single, double) => escaped ?? single ?? (double as string).replace(/\\(["\\])/g, '$1'),
      ),
    );
  }
  return words;
}

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { App } from '../app.ts';
import type { ImportedProvider } from '../catalog/panel-provider.ts';
import { type Problem, SipctlError } from '../errors.ts';
import options from '../platforms/asterisk/pjsip-options.json' with { type: 'json' };
import type { Style } from '../report/style.ts';
import type { Input, Result, VerbSpec } from './command.ts';
import { readSourceFile } from './source-file.ts';
import { checkOptions, isCheck } from './take-in.ts';

/** What writing a template does to the user's own folder. */
interface WrittenTemplate {
  id: string;
  file: string;
  state: 'new' | 'replaced' | 'unchanged';
  /** Whether sipctl comes with a template of this id, which is not used any more then. */
  hidesShipped: boolean;
  text: string;
  /** What stands there now. */
  before: string | null;
}

async function run(app: App, input: Input): Promise<Result> {
  const source = input.args[0] as string;
  const { imported, left } = await readTemplates(app, source);
  const isStrict = input.options.strict === true;
  const problems = [...imported.flatMap((one) => one.problems), ...(isStrict ? left : [])];
  if (problems.length > 0) throw new SipctlError('invalid', problems);
  const templates = await placedTemplates(app, imported);
  const taken = input.options.force === true ? [] : templates.flatMap(conflictsOf);
  const warnings = [...left, ...imported.flatMap((one) => one.warnings), ...hidden(templates, taken)];
  const result = answer(templates, left, warnings, isCheck(input));
  const changes = templates.filter(({ state }) => state !== 'unchanged');
  if (taken.length > 0) return { ...result, outcome: 'conflict', errors: taken };
  if (isCheck(input)) return changes.length === 0 ? result : { ...result, outcome: 'pending' };
  writeAll(changes);
  return { ...result, changed: changes.length > 0 };
}

async function readTemplates(
  app: App,
  source: string,
): Promise<{ imported: ImportedProvider[]; left: Problem[] }> {
  const bytes = await readSourceFile(app, source);
  const { readPanelFile } = await import('../catalog/panel-file.ts');
  const { importProviders } = await import('../catalog/panel-provider.ts');
  const file = readPanelFile(new TextDecoder().decode(bytes), source);
  const { bases } = await app.shippedCatalog();
  const today = app.now().toISOString().slice(0, 10);
  const request = { kind: 'provider', base: bases.provider, options: options as never, today } as const;
  const imported = importProviders(file, source, request);
  const others = file.others.map(
    ({ key, path }): Problem => ({
      code: 'not_taken_over',
      message: `${key}: only carriers are taken over`,
      field: key,
      hint: 'sipctl user-template list shows the kinds of users that there are',
      place: file.placeOf(path),
    }),
  );
  return { imported, left: [...others, ...imported.flatMap((one) => one.left)] };
}

async function placedTemplates(app: App, imported: readonly ImportedProvider[]): Promise<WrittenTemplate[]> {
  const shipped = new Set((await app.shippedCatalog()).providers.map(({ id }) => id));
  return imported.map(({ id, text }) => {
    const file = join(app.config.templates, 'providers', `${id}.yaml`);
    const before = textAt(file);
    const isSame = before !== null && undated(before) === undated(text);
    const state = before === null ? 'new' : isSame ? 'unchanged' : 'replaced';
    return { id, file, state, hidesShipped: shipped.has(id), text, before };
  });
}

// The day of the import alone makes no other template.
const undated = (text: string): string => text.replaceAll(/^( *(?:verified|read): ).*$/gm, '$1');

function textAt(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unwritable(file, error);
  }
}

function conflictsOf({ id, file, state, hidesShipped }: WrittenTemplate): Problem[] {
  if (state === 'unchanged') return [];
  const problem = (code: string, message: string, hint: string): Problem => ({
    code,
    message,
    field: id,
    hint,
  });
  if (state === 'replaced')
    return [
      problem('template_exists', `${file} exists already, and says something else`, '--force replaces it'),
    ];
  if (!hidesShipped) return [];
  const message = `${id}: sipctl comes with a template of this name, which would not be used any more`;
  return [problem('template_shipped', message, 'rename it in the file to have both, or --force')];
}

// Where it is refused already, the refusal says it.
const hidden = (templates: readonly WrittenTemplate[], refused: readonly Problem[]): Problem[] =>
  templates
    .filter(({ id, hidesShipped }) => hidesShipped && !refused.some(({ field }) => field === id))
    .map(({ id, file }) => ({
      code: 'template_hides_shipped',
      message: `${id}: your own template takes the place of the one that sipctl comes with`,
      field: id,
      hint: `remove ${file} to have that one back`,
    }));

function answer(
  templates: readonly WrittenTemplate[],
  notTakenOver: readonly Problem[],
  warnings: readonly Problem[],
  isShown: boolean,
): Result {
  const told = ({ state, file, text }: WrittenTemplate, style: Style): string =>
    `${style.bold(state.padEnd(9))} ${file}\n${isShown && state !== 'unchanged' ? `${text}\n` : ''}`;
  return {
    data: {
      templates: templates.map(({ before: _, ...one }) => one),
      count: templates.length,
      notTakenOver,
    },
    changed: false,
    text: (style) => templates.map((one) => told(one, style)).join(''),
    warnings,
  };
}

/** All of them, or none: each is whole beside its place before the first one takes it. */
function writeAll(templates: readonly WrittenTemplate[]): void {
  const placed: WrittenTemplate[] = [];
  try {
    for (const { file, text } of templates) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(draftOf(file), text, { flag: 'wx' });
    }
    for (const template of templates) {
      renameSync(draftOf(template.file), template.file);
      placed.push(template);
    }
  } catch (error) {
    for (const { file } of templates) rmSync(draftOf(file), { force: true });
    for (const { file, before } of placed) {
      if (before === null) rmSync(file, { force: true });
      else writeFileSync(file, before);
    }
    throw unwritable(dirname(templates[0]?.file ?? ''), error);
  }
}

// Files that start with a dot are no templates to any run that looks into the folder meanwhile.
const draftOf = (file: string): string =>
  join(dirname(file), `.${process.pid}.${file.split('/').at(-1)}.new`);

const unwritable = (path: string, cause: unknown): SipctlError =>
  new SipctlError(
    'failed',
    {
      code: 'templates_unwritable',
      message: `${path}: ${(cause as NodeJS.ErrnoException).code ?? 'error'}; no template was written`,
      hint: 'make the folder readable and writable for the user who runs sipctl',
    },
    { cause },
  );

export const providerImport: VerbSpec = {
  name: 'import',
  summary: 'make templates of your own of the carriers in a panel’s provider_templates.json',
  args: '<file>',
  options: [
    ...checkOptions,
    ['--strict', 'refuse where something of the file has no place in a template'],
    ['--force', 'replace templates of your own, and hide those that sipctl comes with'],
  ],
  examples: ['sipctl provider import provider_templates.json --check'],
  run,
};

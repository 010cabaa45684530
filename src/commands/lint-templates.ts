import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../app.ts';
import { lintTemplate } from '../catalog/lint.ts';
import { type Problem, SipctlError } from '../errors.ts';
import options from '../platforms/asterisk/pjsip-options.json' with { type: 'json' };

export interface LintedFile {
  file: string;
  errors: Problem[];
  warnings: Problem[];
}

/** Checks template files; without a list, all of the user's own folder. */
export async function lintTemplates(app: App, files: readonly string[]): Promise<LintedFile[]> {
  const { bases } = await app.shippedCatalog();
  const today = app.now().toISOString().slice(0, 10);
  return (files.length > 0 ? files : ownFiles(app)).map((file) => {
    if (!existsSync(file)) {
      throw new SipctlError('notFound', {
        code: 'no_file',
        message: `there is no file ${file}`,
        field: 'files',
        hint: 'check the path',
      });
    }
    const kind = /(^|\/)users\/[^/]*$/.test(file) ? 'user' : 'provider';
    const found = lintTemplate(readFileSync(file, 'utf8'), file, {
      kind,
      base: bases[kind],
      options: options as never,
      today,
    });
    return { file, errors: found.errors, warnings: found.warnings };
  });
}

const ownFiles = (app: App): string[] =>
  ['providers', 'users'].flatMap((kind) => {
    const folder = join(app.config.templates, kind);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(folder, name));
  });

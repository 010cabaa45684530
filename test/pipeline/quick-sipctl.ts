import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from '../../src/app.ts';
import { compileShipped, type ShippedCatalog } from '../../src/catalog/compile.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { parse } from '../../src/commands/parse.ts';
import { compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { exitCodes, type Problem, SipctlError } from '../../src/errors.ts';
import type { Catalog } from '../../src/model/template.ts';
import type { Terminal } from '../../src/terminal.ts';

/** What a command line came to, before anything is printed. */
export interface Answer {
  code: number;
  changed: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse gives it
  data: any;
  errors: readonly Problem[];
}

export interface QuickSipctl {
  dir: string;
  env: Record<string, string>;
  /** Never throws for what a user can cause. */
  run(...argv: string[]): Promise<Answer>;
  /** @throws Error where the command does not succeed */
  ok(...argv: string[]): Promise<Answer>;
}

let shipped: Promise<ShippedCatalog> | null = null;
const shippedOnce = (): Promise<ShippedCatalog> => {
  shipped ??= Promise.resolve(compileShipped(fileURLToPath(new URL('../../templates', import.meta.url))));
  return shipped;
};

/** Where a database, its key and its templates stand below one folder. */
export const environmentIn = (dir: string): Record<string, string> => ({
  SIPCTL_DB: join(dir, 'site.db'),
  XDG_CONFIG_HOME: join(dir, 'config'),
  XDG_DATA_HOME: join(dir, 'data'),
});

/**
 * The commands themselves in this process, for tests that call thousands: the shipped templates are read once
 * instead of by each command, and an unchanged overlay is compiled once.
 */
export function quickSipctl(dir: string): QuickSipctl {
  const env = environmentIn(dir);
  const read = new Map<string, Catalog>();
  const catalogOf = async (overlay: string): Promise<Catalog> => {
    const texts = textsBelow(overlay);
    const known = read.get(texts);
    if (known !== undefined) return known;
    const fresh = await loadCatalog({ shipped: await shippedOnce(), overlay });
    read.set(texts, fresh);
    return fresh;
  };
  const run = async (...argv: string[]): Promise<Answer> => {
    let app: App | null = null;
    try {
      const parsed = await parse(argv, '0.0.0-test');
      if (parsed.help !== null) throw new Error(`help for ${argv.join(' ')}`);
      const composed = compose({
        config: readConfig(parsed.flags, env, dir),
        terminal: deaf,
        version: '0.0.0-test',
        env,
        signal: new AbortController().signal,
      });
      composed.catalog = () => catalogOf(composed.config.templates);
      app = composed;
      const { data, changed = false, outcome = 'done', errors = [] } = await parsed.run(app, parsed.input);
      return { code: exitCodes[outcome].code, changed, data: JSON.parse(JSON.stringify(data)), errors };
    } catch (error) {
      if (!(error instanceof SipctlError)) throw error;
      return { code: exitCodes[error.outcome].code, changed: false, data: null, errors: error.problems };
    } finally {
      await app?.close();
    }
  };
  const ok = async (...argv: string[]): Promise<Answer> => {
    const answer = await run(...argv);
    if (answer.code !== 0)
      throw new Error(`sipctl ${argv.join(' ')} ended with ${answer.code}: ${JSON.stringify(answer.errors)}`);
    return answer;
  };
  return { dir, env, run, ok };
}

/** All that decides what an overlay means. */
function textsBelow(overlay: string): string {
  if (!existsSync(overlay)) return '';
  const paths = (readdirSync(overlay, { recursive: true }) as string[]).filter((path) =>
    path.endsWith('.yaml'),
  );
  return JSON.stringify(paths.sort().map((path) => [path, readFileSync(join(overlay, path), 'utf8')]));
}

const deaf: Terminal = {
  interactive: false,
  stdoutColor: false,
  stderrColor: false,
  columns: null,
  animated: false,
  out: async () => undefined,
  err: () => undefined,
  readInput: async () => 'secret-from-stdin',
};

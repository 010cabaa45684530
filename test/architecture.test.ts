import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import {
  findCycle,
  type Import,
  reachable,
  readSources,
  root,
  type Source,
  visit,
} from './support/source-graph.ts';

const require = createRequire(import.meta.url);
const sources = readSources();
const all = [...sources.values()];

/** A folder of `src/`, or a file directly in it; each back-end is one of its own, as no other may know it. */
function roomOf(path: string): string {
  return /^src\/(platforms\/[^/]+(?=\/)|[^/]+)/.exec(path)?.[1] ?? path;
}

const concreteBackEnd = 'platforms/*';

/** Who may import whom, besides itself and `errors.ts`. Imports point one way: from what acts to what is true. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['*'],
  'compose.ts': ['*'],
  'render-thread.ts': ['*'],
  'app.ts': ['config.ts', 'terminal.ts', 'pipeline', 'store', 'catalog', 'plan', 'model'],
  'config.ts': ['model'],
  commands: [
    'app.ts',
    'config.ts',
    'terminal.ts',
    'pipeline',
    'report',
    'store',
    'catalog',
    'csv',
    'platforms',
    'plan',
    'model',
    'site-file',
    'sip',
  ],
  serve: [
    'app.ts',
    'config.ts',
    'terminal.ts',
    'pipeline',
    'report',
    'store',
    'catalog',
    'platforms',
    'plan',
    'model',
    'sip',
  ],
  pipeline: ['catalog', 'csv', 'platforms', 'files', 'store', 'plan', 'model', 'diagnosis', 'sip'],
  diagnosis: ['model', 'sip'],
  platforms: ['files', 'plan', 'model'],
  // What the control connections of all engines have in common; the one folder of `platforms/` that is no back-end.
  'platforms/control': ['model'],
  [concreteBackEnd]: ['platforms', 'platforms/control', 'files', 'plan', 'model'],
  report: ['plan', 'model'],
  store: ['model'],
  plan: ['model'],
  'site-file': ['model'],
  catalog: ['model'],
  csv: ['model'],
  // Nothing of ours: these could be packages of their own.
  'terminal.ts': [],
  'errors.ts': [],
  model: [],
  sip: [],
  files: [],
};

function isAllowed(from: string, { target }: Import): boolean {
  const [importer, imported] = [roomOf(from), roomOf(target)];
  const rule =
    mayImport[importer] ?? (importer.startsWith('platforms/') ? mayImport[concreteBackEnd] : undefined);
  // A table of an engine's options is data, which says nothing about who acts on whom.
  if (target.endsWith('.json')) return true;
  return (
    imported === importer ||
    imported === 'errors.ts' ||
    !!rule?.some((room) => room === '*' || room === imported)
  );
}

const ours = ({ target }: Import): boolean => target.startsWith('src/');

/** `src/a.ts:12` for a place in a source. */
const place = (source: Source, node: ts.Node): string =>
  `${source.path}:${source.syntax.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;

describe('imports', () => {
  it('point one way', () => {
    const wrong = all.flatMap(({ path, imports }) =>
      imports
        .filter((step) => ours(step) && !isAllowed(path, step))
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('name only files that exist', () => {
    const missing = all.flatMap(({ path, imports }) =>
      imports
        .filter((step) => ours(step) && !existsSync(join(root, step.target)))
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('form no cycle', () => {
    expect(findCycle(sources)).toBeNull();
  });

  it('reach every file from main.ts, or from the build', () => {
    const builders = readdirSync(join(root, 'bin')).map((name) =>
      readFileSync(join(root, 'bin', name), 'utf8'),
    );
    const entries = builders.flatMap((text) => [...text.matchAll(/src\/[\w/-]+\.ts/g)].map(([path]) => path));
    const reached = new Set(['src/main.ts', ...entries].flatMap((entry) => [...reachable(sources, entry)]));
    expect([...sources.keys()].filter((path) => !reached.has(path))).toEqual([]);
  });
});

describe('the deciding rooms', () => {
  /** Modules of Node that only compute. */
  const computing: Readonly<Record<string, readonly string[]>> = {
    plan: ['node:crypto'],
    model: ['node:net', 'node:util'],
  };
  const pure = all.filter(({ path }) => ['model', 'plan', 'report'].includes(roomOf(path)));

  it('import nothing of Node that touches the world', () => {
    const wrong = pure.flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => target.startsWith('node:') && !computing[roomOf(path)]?.includes(target))
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('read no clock, no environment, no randomness', () => {
    expect(pure.flatMap((source) => impurities(source))).toEqual([]);
  });

  it('are really looked at', () => {
    const text =
      'Date.now(); new Date(); Math.random(); process.env.A; performance.now(); new Date(0); { process: 1 }';
    const syntax = ts.createSourceFile('src/model/x.ts', text, ts.ScriptTarget.Latest, true);
    expect(impurities({ path: 'src/model/x.ts', text, syntax, imports: [] })).toHaveLength(5);
  });

  function impurities(source: Source): string[] {
    const found: string[] = [];
    visit(source.syntax, (node) => {
      if (isImpure(node)) found.push(`${place(source, node)}: ${node.getText()}`);
    });
    return found;
  }

  function isImpure(node: ts.Node): boolean {
    if (ts.isPropertyAccessExpression(node)) {
      const text = node.getText();
      if (text === 'Date.now' || text === 'Math.random' || text.startsWith('crypto.random')) return true;
      return (
        ts.isIdentifier(node.expression) &&
        ['process', 'performance', 'globalThis'].includes(node.expression.text)
      );
    }
    return ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length;
  }
});

describe('every source file', () => {
  it('has at most 400 lines', () => {
    const long = all.filter(({ text }) => text.trimEnd().split('\n').length > 400).map(({ path }) => path);
    expect(long).toEqual([]);
  });

  it('lives with its subject', () => {
    const vague = /(^|\/)(utils?|lib|helpers?|core|services?|common|misc|shared)(\/|\.ts$)/;
    expect([...sources.keys()].filter((path) => vague.test(path))).toEqual([]);
  });

  it('has a kebab-case name', () => {
    const odd = [...sources.keys()].filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(basename(path)));
    expect(odd).toEqual([]);
  });

  it('leaves nothing to be done later', () => {
    const later = all.filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text)).map(({ path }) => path);
    expect(later).toEqual([]);
  });

  it('has named exports only', () => {
    const anonymous = all.filter(({ syntax }) =>
      syntax.statements.some(
        (statement) =>
          ts.isExportAssignment(statement) ||
          (ts.canHaveModifiers(statement) &&
            ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)),
      ),
    );
    expect(anonymous.map(({ path }) => path)).toEqual([]);
  });

  it('exports no function, constant or class that nobody uses', () => {
    const users = new Map(all.map(({ path, text }) => [path, text]));
    for (const folder of ['test', 'bin']) {
      for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile() && /\.(ts|mjs|cjs)$/.test(entry.name)) users.set(path, readFileSync(path, 'utf8'));
      }
    }
    const words = new Map([...users].map(([path, text]) => [path, new Set(text.match(/[\w$]+/g))]));
    const unused = all.flatMap(({ path, syntax }) =>
      exportedValues(syntax)
        .filter((name) => ![...words].some(([user, used]) => user !== path && used.has(name)))
        .map((name) => `${path}: ${name}`),
    );
    expect(unused).toEqual([]);
  });

  function exportedValues(syntax: ts.SourceFile): string[] {
    return syntax.statements.flatMap((statement) => {
      const exported =
        ts.canHaveModifiers(statement) &&
        ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      if (!exported) return [];
      if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement))
        return statement.name?.text ?? [];
      if (!ts.isVariableStatement(statement)) return [];
      return statement.declarationList.declarations.map(({ name }) => name.getText());
    });
  }
});

describe('start-up', () => {
  /** Packages that cost tens of milliseconds to load, and that few commands need. */
  const heavy = [
    'csv-parse',
    'diff',
    'handlebars',
    'inquirer',
    'libphonenumber-js',
    'modesl',
    'ora',
    'pg',
    'twilio',
    'ws',
    'yaml',
    'zod',
  ];
  const isHeavy = (target: string) => heavy.some((name) => target === name || target.startsWith(`${name}/`));

  it('imports no heavy package before a command asks for it', () => {
    const early = reachable(sources, 'src/main.ts', ({ lazy, typeOnly }) => !lazy && !typeOnly);
    const wrong = [...early].flatMap((path) =>
      (sources.get(path)?.imports ?? [])
        .filter(({ target, lazy, typeOnly }) => isHeavy(target) && !lazy && !typeOnly)
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(wrong).toEqual([]);
    expect(early.size).toBeGreaterThan(1);
  });

  const built = existsSync(join(root, 'dist', 'main.cjs'));
  describe.skipIf(!built)(
    built ? 'of the built command' : 'of the built command (skipped: npm run build first)',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'sipctl-loaded-'));
      afterAll(() => rmSync(folder, { recursive: true, force: true }));
      const db = ['--db', join(folder, 'sipctl.db')];

      /** Runs the built command and answers the files it loaded, by their paths below the root. */
      function loadedBy(...argv: string[]): string[] {
        const list = join(folder, 'loaded');
        const options = [
          '--require',
          join(root, 'test/support/list-loaded.cjs'),
          join(root, 'bin/sipctl.cjs'),
        ];
        execFileSync(process.execPath, [...options, ...argv], {
          env: { ...process.env, XDG_CONFIG_HOME: folder, SIPCTL_TEST_LOADED: list },
          timeout: 30_000,
        });
        return (JSON.parse(readFileSync(list, 'utf8')) as string[]).map((file) => file.slice(root.length));
      }
      const heavyOf = (files: string[]) =>
        heavy.filter((name) => files.some((file) => new RegExp(`(^|/)${name}(\\.cjs$|/)`).test(file)));

      it.each(['--version', '--help'])('loads not even the bundle for %s', (flag) => {
        expect(loadedBy(flag).filter((file) => !file.startsWith('bin/'))).toEqual([]);
      });

      it('loads the database and nothing heavy to list users', () => {
        loadedBy('init', ...db);
        const files = loadedBy('user', 'list', ...db);
        expect(heavyOf(files)).toEqual([]);
        expect(files.some((file) => file.includes('better-sqlite3'))).toBe(true);
      });

      it('loads what a command asks for, and this test would see it elsewhere', () => {
        expect(heavyOf(loadedBy('provider', 'lint', ...db))).toEqual(['yaml', 'zod']);
      });

      it('has its compiled code beside it', () => {
        expect(readdirSync(join(root, 'dist'))).toContain('main.v8');
      });

      it('has every heavy package in a form that can be loaded', () => {
        const vendor = join(root, 'dist', 'vendor');
        for (const name of readdirSync(vendor)) expect(() => require(join(vendor, name)), name).not.toThrow();
      });
    },
  );
});

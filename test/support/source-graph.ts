import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** One import of a source file. */
export interface Import {
  /** Path below the root, for example `src/errors.ts`, or the name of a package as it is written: `node:fs`. */
  target: string;
  /** Types only: nothing is left of it when the program runs. */
  typeOnly: boolean;
  /** Written as `import()`, and so loaded only when that line is reached. */
  lazy: boolean;
}

export interface Source {
  /** Path below the root, with `/`. */
  path: string;
  text: string;
  syntax: ts.SourceFile;
  imports: Import[];
}

/** Every TypeScript file of `src/`, by path. */
export function readSources(): Map<string, Source> {
  const sources = new Map<string, Source>();
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = join(entry.parentPath, entry.name);
    const path = relative(root, file).replaceAll('\\', '/');
    const text = readFileSync(file, 'utf8');
    const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    sources.set(path, { path, text, syntax, imports: importsOf(syntax) });
  }
  return sources;
}

/** Path below the root that an import of `from` names; the name itself for a package. */
function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.normalize(posix.join(dirname(from), specifier)) : specifier;
}

function importsOf(source: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, lazy: boolean) => {
    if (specifier && ts.isStringLiteralLike(specifier))
      found.push({ target: resolve(source.fileName, specifier.text), typeOnly, lazy });
  };
  visit(source, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, bringsTypesOnly(node), false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly, false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true, false);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false, true);
  });
  return found;
}

function bringsTypesOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = importClause.namedBindings;
  if (importClause.name || !named || !ts.isNamedImports(named)) return false;
  return named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly);
}

export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

/** All sources that can be reached from one of them over the imports that `follow` accepts, itself included. */
export function reachable(
  sources: ReadonlyMap<string, Source>,
  start: string,
  follow: (step: Import) => boolean = () => true,
): Set<string> {
  const found = new Set<string>();
  const visitPath = (path: string) => {
    const source = sources.get(path);
    if (!source || found.has(path)) return;
    found.add(path);
    for (const step of source.imports) if (follow(step)) visitPath(step.target);
  };
  visitPath(start);
  return found;
}

/** The first import cycle that is found, as the list of its files, or null. */
export function findCycle(sources: ReadonlyMap<string, Source>): string[] | null {
  const done = new Set<string>();
  const search = (path: string, trail: string[]): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const { target } of sources.get(path)?.imports ?? []) {
      const cycle = search(target, [...trail, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return null;
  };
  for (const path of sources.keys()) {
    const cycle = search(path, []);
    if (cycle) return cycle;
  }
  return null;
}

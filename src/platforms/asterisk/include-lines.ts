import { type ConfDirective, parseConf } from './conf/parse.ts';
import { deliveredFiles } from './delivered-files.ts';

/** The files of the configuration folder that include what sipctl delivers. */
export const hostFiles: readonly string[] = deliveredFiles.map(({ file }) => file);
export const mainFile = 'pjsip.conf';
/** The files of Asterisk's own that lead to them, pjsip.conf first. */
export const mainFiles: readonly string[] = [...new Set(deliveredFiles.map(({ main }) => main))];

/** The host files that one main file leads to. */
export const hostFilesOf = (main: string): string[] =>
  deliveredFiles.filter((one) => one.main === main).map(({ file }) => file);

const mainOf = (file: string): string => deliveredFiles.find((one) => one.file === file)?.main ?? mainFile;

/** Where a generation's index file stands, relative to the configuration folder. */
export const indexPath = (file: string): string => `sipctl/current/${file}`;

/**
 * What a host file is: one include, under a comment that says whose it is. Generations from before there were calls
 * have no index file for them, and a missing #include would cut off everything after it.
 */
export function hostFileText(file: string): string {
  const main = mainOf(file);
  return [
    '; Made by sipctl: it includes what sipctl delivers. Objects of your own belong into another file,',
    `; for example ${ownFile(file)}, included from ${main}.`,
    `#${main === mainFile ? 'include' : 'tryinclude'} ${indexPath(file)}`,
    '',
  ].join('\n');
}

/** The name that is advised for objects which sipctl does not keep. */
export const ownFile = (file: string): string => file.replace(/\.conf$/, '_local.conf');

/** Reads a file below the configuration folder; null where it is missing or lies outside. */
export type ReadFile = (path: string) => Promise<string | null>;

/** One file in the order in which Asterisk reads it. */
export interface TracedFile {
  path: string;
  /** Where its include line stands, `file:line`; null for the main file itself. */
  from: string | null;
}

/**
 * A place where Asterisk stops reading a file: an include line whose file is missing, a bracket or comment that is
 * not closed. The file that includes it is read on; only pjsip.conf itself is then no configuration any more, and
 * every object keeps its old state (tried on 16.28 and 22.10).
 */
export interface ReadingFault {
  file: string;
  line: number;
  message: string;
}

/** What reading a main file leads to, as far as it can be told from the files alone. */
export interface IncludeTrace {
  files: TracedFile[];
  faults: ReadingFault[];
  /** Include lines whose files cannot be told from here: patterns, and files outside the folder. */
  opaque: string[];
}

/**
 * Follows the include lines from a main file, which is pjsip.conf unless another is named. Patterns are matched against the host files and our index files only,
 * because the folder cannot be listed. `folder` is the configuration folder, for includes by absolute path.
 */
export async function traceIncludes(
  read: ReadFile,
  folder: string,
  main: string = mainFile,
): Promise<IncludeTrace> {
  const trace: IncludeTrace = { files: [], faults: [], opaque: [] };
  await visit({ path: main, from: null }, [], { read, folder, trace });
  return trace;
}

/** How often reading the main file comes to this file: once is right, twice doubles every section in it. */
export const timesRead = (trace: IncludeTrace, path: string): number =>
  trace.files.filter((file) => file.path === path).length;

interface Walk {
  read: ReadFile;
  folder: string;
  trace: IncludeTrace;
}

async function visit(file: TracedFile, above: readonly string[], walk: Walk): Promise<void> {
  const { trace } = walk;
  trace.files.push(file);
  // What is delivered there is ours, and its syntax is proved before it is written.
  if (file.path.startsWith('sipctl/')) return;
  const content = await walk.read(file.path);
  if (content === null) return;
  for (const item of parseConf(content).items) {
    if (item.kind === 'fault' && item.fatal) {
      trace.faults.push({ file: file.path, line: item.line, message: item.message });
      return;
    }
    if (item.kind === 'directive' && item.name !== 'exec') {
      const isMissing = !(await follow(item, file, above, walk));
      if (isMissing && item.name === 'include') {
        trace.faults.push({ file: file.path, line: item.line, message: `${item.argument} is missing` });
        return;
      }
    }
  }
}

/** Reads what an include line names; false where there is no such file. */
async function follow(
  directive: ConfDirective,
  file: TracedFile,
  above: readonly string[],
  walk: Walk,
): Promise<boolean> {
  const place = `${file.path}:${directive.line}`;
  const found = await resolve(directive.argument, walk);
  if (found === null) walk.trace.opaque.push(`${place}: #${directive.name} ${directive.argument}`);
  for (const path of found ?? []) {
    if (above.includes(path) || path === file.path) {
      walk.trace.faults.push({ file: file.path, line: directive.line, message: `${path} includes itself` });
    } else await visit({ path, from: place }, [...above, file.path], walk);
  }
  return found === null || found.length > 0;
}

/** The files that an include line names; null where that cannot be told from here. */
async function resolve(argument: string, { read, folder }: Walk): Promise<string[] | null> {
  const path = argument.startsWith(`${folder}/`) ? argument.slice(folder.length + 1) : argument;
  if (path.startsWith('/')) return null;
  if (/[*?[]/.test(path)) {
    const pattern = globPattern(path);
    const known = [...hostFiles, ...hostFiles.map(indexPath)].filter((one) => pattern.test(one));
    const present = [];
    for (const one of known) if ((await read(one)) !== null) present.push(one);
    return present.length > 0 ? present : null;
  }
  return (await read(path)) === null ? [] : [path];
}

// glob(3) without flags: a star stops at a slash, and at a leading dot.
function globPattern(glob: string): RegExp {
  const source = glob.replace(/\[!|[*?[\]]|[^*?[\]]+/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part === '[!') return '[^';
    return part === '[' || part === ']' ? part : part.replace(/[\\^$.|+(){}]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return /^$/;
  }
}

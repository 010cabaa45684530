import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { type Problem, SipctlError } from '../errors.ts';
import type { SourceFinder, SourceText } from '../model/reading.ts';

/** The texts of these files. @throws SipctlError `notFound` with every one that cannot be read */
export function filesAt(paths: readonly string[]): SourceText[] {
  const problems: Problem[] = [];
  const files = paths.flatMap((path) => {
    try {
      return [textAt(path)];
    } catch (error) {
      const message = `${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`;
      problems.push({ code: 'unreadable_file', message, hint: 'check its path and mode' });
      return [];
    }
  });
  if (problems.length > 0) throw new SipctlError('notFound', problems);
  return files;
}

const textAt = (path: string): SourceText => ({ source: path, text: readFileSync(path, 'utf8') });

/** Included files, below the folder of a file. */
export const finderOnDisk: SourceFinder = {
  find: (pattern, from) => {
    const path = isAbsolute(pattern) ? pattern : join(dirname(from), pattern);
    return matching(path)
      .filter((one) => statSync(one, { throwIfNoEntry: false })?.isFile() === true)
      .map(textAt);
  },
};

/** The paths that a pattern with `*`, `?` and `[…]` stands for, sorted; a hidden file only where its dot is written. */
function matching(pattern: string): string[] {
  let found = [pattern.startsWith('/') ? '/' : '.'];
  for (const part of pattern.split('/').filter((one) => one !== '' && one !== '.')) {
    if (!/[*?[]/.test(part)) found = found.map((folder) => join(folder, part));
    else {
      const shape = shapeOf(part);
      found = found.flatMap((folder) =>
        namesIn(folder)
          .filter((name) => shape.test(name))
          .map((name) => join(folder, name)),
      );
    }
  }
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function shapeOf(part: string): RegExp {
  const body = part.replace(/\[([!^]?)([^\]]*)\]|[*?.+^${}()|\\\]]/g, (found, not?: string, set?: string) => {
    if (set !== undefined) return `[${not ? '^' : ''}${set.replace(/[\\\]]/g, '\\$&')}]`;
    return found === '*' ? '[^/]*' : found === '?' ? '[^/]' : `\\${found}`;
  });
  return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${body}$`);
}

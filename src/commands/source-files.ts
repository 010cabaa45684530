import { readdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { type Problem, SipctlError } from '../errors.ts';
import type { SourceFinder, SourceText } from '../model/reading.ts';
import { readBounded, unreadBecause } from './bounded-read.ts';

/** A configuration file that is larger was not meant. */
const largest = 64 * 1024 * 1024;

/** The texts of these files. @throws SipctlError `notFound` with every one that cannot be read */
export function filesAt(paths: readonly string[]): SourceText[] {
  const problems: Problem[] = [];
  const files = paths.flatMap((path) => {
    try {
      return [textAt(path)];
    } catch (error) {
      const message = `${path} cannot be read: ${unreadBecause(error)}`;
      problems.push({ code: 'unreadable_file', message, hint: 'check its path and mode' });
      return [];
    }
  });
  if (problems.length > 0) throw new SipctlError('notFound', problems);
  return files;
}

const textAt = (path: string): SourceText => ({
  source: path,
  text: readBounded(path, largest).toString('utf8'),
});

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
      const steps = stepsOf(part);
      found = found.flatMap((folder) =>
        namesIn(folder)
          .filter((name) => (part.startsWith('.') || !name.startsWith('.')) && matches(name, steps))
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

/** One character of a name, or `*`: any number of them. */
type Step = ((character: string) => boolean) | '*';

function stepsOf(pattern: string): Step[] {
  return [...pattern.matchAll(/\[([!^]?)([^\]]+)\]|\*+|./gsu)].map(([found, not, set]): Step => {
    if (set !== undefined) return (character) => inSet(set, character) !== (not !== '');
    if (found.startsWith('*')) return '*';
    return found === '?' ? () => true : (character) => character === found;
  });
}

// A range that runs backwards, such as [z-a], holds nothing.
const inSet = (set: string, character: string): boolean =>
  [...set.matchAll(/(.)-(.)|./gsu)].some(([one, from, to]) =>
    from === undefined || to === undefined ? one === character : from <= character && character <= to,
  );

// Goes back to the last star only, so that a pattern of many stars takes no longer than one of few.
function matches(name: string, steps: readonly Step[]): boolean {
  const characters = [...name];
  let at = 0;
  let step = 0;
  let star = -1;
  let from = 0;
  while (at < characters.length) {
    const next = steps[step];
    if (next === '*') {
      star = step++;
      from = at;
    } else if (next?.(characters[at] as string) === true) {
      at += 1;
      step += 1;
    } else if (star >= 0) {
      step = star + 1;
      at = ++from;
    } else return false;
  }
  return steps.slice(step).every((rest) => rest === '*');
}

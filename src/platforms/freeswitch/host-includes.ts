import { posix } from 'node:path';
import type { Generations } from '../../files/generations.ts';
import type { Check } from '../target.ts';
import { type DeliveredFile, deliveredFiles, indexPath } from './delivered-files.ts';

/** The place that is looked at, and how a person calls it. */
export interface Place {
  node: string;
  files: Generations;
}

/**
 * Whether FreeSWITCH comes to what is delivered. With `write`, adds what is missing: files of ours in the folders that it
 * includes whole, and one line each where it includes none. What somebody else wrote is never changed.
 */
export async function examineIncludes(place: Place, write: boolean): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { file, read } of deliveredFiles)
    checks.push(
      'host' in read
        ? await examineFolder(place, { file, ...read }, write)
        : await examineLine(place, { file, ...read }, write),
    );
  return checks;
}

type Read<Kind> = { file: string } & Extract<DeliveredFile['read'], Kind>;

async function examineFolder(
  { files, node }: Place,
  { file, host, by, pattern }: Read<{ host: string }>,
  write: boolean,
): Promise<Check> {
  const name = `include ${file}`;
  const ok: Check = { name, status: 'ok', message: `${host} leads to ${indexPath(file)}` };
  const init = `sipctl node init ${node} --write`;
  if (!withoutComments(await textOf(files, by)).includes(`"${pattern}"`)) {
    const line = includeLine(pattern);
    return {
      name,
      status: 'failed',
      message: `${by} does not include ${pattern}`,
      hint: `put ${line} on a line of its own into ${by}, where the one that FreeSWITCH ships has it`,
    };
  }
  const found = await textOf(files, host);
  if (found === hostFileText(host, file)) return ok;
  if (found !== '' && !found.includes(indexPath(file))) {
    return {
      name,
      status: 'failed',
      message: `${files.place}/${host} was not made by sipctl and is left alone`,
      hint: `rename it, for example to ${host.replace(/\.xml$/, '_local.xml')}; then: ${init}`,
    };
  }
  if (!write) {
    const how = found === '' ? 'is missing' : 'was changed';
    return { name, status: 'failed', message: `${files.place}/${host} ${how}`, hint: init };
  }
  await files.writeHost(host, hostFileText(host, file));
  return { ...ok, changed: true };
}

async function examineLine(
  { files, node }: Place,
  { file, by, after }: Read<{ after: string }>,
  write: boolean,
): Promise<Check> {
  const name = `include ${file}`;
  const ok: Check = { name, status: 'ok', message: `${by} leads to ${indexPath(file)}` };
  const text = await textOf(files, by);
  if (withoutComments(text).includes(`"${pathFrom(by, file)}"`)) return ok;
  const changed = withLine(text, after, includeLine(pathFrom(by, file)));
  if (changed === null) {
    return {
      name,
      status: 'failed',
      message: `${by} has no <${after}> on a line of its own`,
      hint: `add <${after}> and </${after}> to it, each on a line of its own; then: sipctl node init ${node} --write`,
    };
  }
  if (!write) {
    const hint = `sipctl node init ${node} --write`;
    return { name, status: 'failed', message: `${by} does not include ${pathFrom(by, file)}`, hint };
  }
  await files.writeHost(by, changed);
  return { ...ok, changed: true };
}

/** The text with a line after the first start tag of this name that stands alone on its own; null where there is none. */
function withLine(text: string, tag: string, line: string): string | null {
  // Blanks in the place of comments: everything else stays where it is.
  const bare = text.replace(comments, (comment) => comment.replace(/[^\n]/g, ' '));
  const found = new RegExp(`^([ \\t]*)<${tag}>[ \\t]*\\r?\\n`, 'm').exec(bare);
  if (found === null) return null;
  const at = found.index + found[0].length;
  return `${text.slice(0, at)}${found[1]}  ${line}\n${text.slice(at)}`;
}

const includeLine = (path: string): string => `<X-PRE-PROCESS cmd="include" data="${path}"/>`;

/** An include starts at the folder of the file it stands in. */
const pathFrom = (by: string, file: string): string => posix.relative(posix.dirname(by), indexPath(file));

/** One include under a comment that says whose it is. */
const hostFileText = (host: string, file: string): string =>
  [
    '<include>',
    '  <!-- Made by sipctl: it includes what sipctl delivers. What is your own belongs into another file. -->',
    `  ${includeLine(pathFrom(host, file))}`,
    '</include>',
    '',
  ].join('\n');

const comments = /<!--[\s\S]*?-->/g;

const withoutComments = (text: string): string => text.replace(comments, '');

// Empty where it is missing; a link that leads out of the folder counts as missing.
async function textOf(files: Generations, path: string): Promise<string> {
  try {
    return (await files.readHost(path))?.toString('utf8') ?? '';
  } catch {
    return '';
  }
}

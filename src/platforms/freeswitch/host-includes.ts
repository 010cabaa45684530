import { posix } from 'node:path';
import { SipctlError } from '../../errors.ts';
import type { Generations } from '../../files/generations.ts';
import type { Check } from '../target.ts';
import { type DeliveredFile, deliveredFiles, indexPath } from './delivered-files.ts';
import { hostLines, withLineAfter } from './host-lines.ts';

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
  const drafts = new Map<string, string>();
  const checks: Check[] = [];
  for (const { file, read } of deliveredFiles) {
    const look =
      'host' in read
        ? examineFolder(place, { file, ...read }, write)
        : examineLine(place, { file, ...read }, write, drafts);
    checks.push(await orFailure(file, look));
  }
  // Once for each file, so that there is one backup of it: the file as it was.
  for (const [by, text] of drafts) {
    try {
      await place.files.writeHost(by, Buffer.from(text, 'latin1'));
    } catch (error) {
      const lines = deliveredFiles.filter(({ read }) => !('host' in read) && read.by === by);
      for (const { file } of lines) {
        const at = checks.findIndex(({ name }) => name === `include ${file}`);
        checks[at] = await orFailure(file, Promise.reject(error));
      }
    }
  }
  return checks;
}

/** One file that cannot be read or written says why; the others are looked at all the same. */
async function orFailure(file: string, look: Promise<Check>): Promise<Check> {
  try {
    return await look;
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    const [problem] = error.problems;
    const hint = problem?.hint === undefined ? {} : { hint: problem.hint };
    return { name: `include ${file}`, status: 'failed', message: error.message, ...hint };
  }
}

type Read<Kind> = { file: string } & Extract<DeliveredFile['read'], Kind>;

async function examineFolder(
  { files, node }: Place,
  { file, host, by, pattern }: Read<{ host: string }>,
  write: boolean,
): Promise<Check> {
  const name = `include ${file}`;
  const init = `sipctl node init ${node} --write`;
  const failed = (message: string, hint: string): Check => ({ name, status: 'failed', message, hint });
  const text = await textOf(files, by);
  const stands = includeOf(text ?? '', by, posix.join(posix.dirname(by), pattern), files.folder);
  if (stands === 'in a comment') return failed(...commentedOut(by, pattern));
  if (stands === 'missing') {
    const message = text === null ? `there is no ${by}` : `${by} does not include ${pattern}`;
    return failed(message, `${howToInclude(by, pattern, text)}; then: ${init}`);
  }
  const ok: Check = { name, status: 'ok', message: `${host} leads to ${indexPath(file)}` };
  const folder = posix.dirname(host);
  if ((await files.stat(folder)) === null)
    return failed(`there is no folder ${folder}`, `mkdir ${files.folder}/${folder}; then: ${init}`);
  const found = await textOf(files, host);
  if (found === hostFileText(host, file)) return ok;
  if (found !== null && found.trim() !== '' && !found.includes(indexPath(file))) {
    return failed(
      `${files.place}/${host} was not made by sipctl and is left alone`,
      `rename it, for example to ${host.replace(/\.xml$/, '_local.xml')}; then: ${init}`,
    );
  }
  if (!write) {
    const how = found === null ? 'is missing' : 'was changed';
    return failed(`${files.place}/${host} ${how}`, init);
  }
  await files.writeHost(host, hostFileText(host, file));
  return { ...ok, changed: true };
}

async function examineLine(
  { files, node }: Place,
  { file, by, after }: Read<{ after: string }>,
  write: boolean,
  drafts: Map<string, string>,
): Promise<Check> {
  const name = `include ${file}`;
  const init = `sipctl node init ${node} --write`;
  const failed = (message: string, hint: string): Check => ({ name, status: 'failed', message, hint });
  const text = drafts.get(by) ?? (await textOf(files, by));
  if (text === null)
    return failed(
      `there is no ${by}`,
      `copy the one that FreeSWITCH ships to ${files.folder}/${by}; then: ${init}`,
    );
  const path = pathFrom(by, file);
  const ok: Check = { name, status: 'ok', message: `${by} leads to ${indexPath(file)}` };
  const stands = includeOf(text, by, indexPath(file), files.folder);
  if (stands === 'in a comment') return failed(...commentedOut(by, path));
  if (stands === 'live') return ok;
  const changed = withLineAfter(text, after, includeLine(path));
  if (changed === null) {
    return failed(
      `${by} has no <${after}> on a line of its own`,
      `${howToOpen(by, after, text)}; then: ${init}`,
    );
  }
  if (!write) return failed(`${by} does not include ${path}`, init);
  drafts.set(by, changed);
  return { ...ok, changed: true };
}

/** Whether a file of FreeSWITCH's own includes a path below the configuration folder, and where it puts what it includes. */
function includeOf(
  text: string,
  by: string,
  wanted: string,
  folder: string,
): 'live' | 'in a comment' | 'missing' {
  const found = hostLines(text).filter(
    ({ include }) => include !== null && pathBelow(include, by, folder) === wanted,
  );
  if (found.length === 0) return 'missing';
  return found.some(({ inComment }) => !inComment) ? 'live' : 'in a comment';
}

/** An include starts at the folder of the file it stands in, unless it is absolute. */
function pathBelow(path: string, by: string, folder: string): string {
  const absolute = path.replace(/^\$\$\{conf_dir\}\//, `${folder}/`);
  if (!posix.isAbsolute(absolute)) return posix.join(posix.dirname(by), absolute);
  return posix.relative(folder, posix.normalize(absolute));
}

const commentedOut = (by: string, path: string): [message: string, hint: string] => [
  `${by} includes ${path} between the lines of a comment: FreeSWITCH obeys that, and what it includes is in the comment`,
  `put ${includeLine(path)} on a line of its own outside of every comment`,
];

/** What a configuration without this include takes, for each of the places where the shipped one has it. */
function howToInclude(by: string, pattern: string, text: string | null): string {
  const line = includeLine(pattern);
  const ownLines = 'each on a line of its own';
  const [, section] = /^(directory|dialplan)\//.exec(pattern) ?? [];
  if (by === 'freeswitch.xml' && section !== undefined) {
    if (new RegExp(`<section\\s+name="${section}"`).test(text ?? ''))
      return `put ${line} on a line of its own below <section name="${section}"> in ${by}`;
    return `put these into ${by} before </document>, ${ownLines}: <section name="${section}"> ${line} </section>`;
  }
  if (by === 'autoload_configs/ivr.conf.xml' && text === null) {
    return `make it of these, ${ownLines}: <configuration name="ivr.conf"> <menus> ${line} </menus> </configuration>`;
  }
  return `put ${line} on a line of its own into ${by}, where the one that FreeSWITCH ships has it`;
}

function howToOpen(by: string, tag: string, text: string): string {
  if (new RegExp(`<${tag}\\s*/>`).test(text))
    return `write <${tag}> and </${tag}> on two lines in the place of <${tag}/> in ${by}`;
  if (text.includes(`<${tag}>`)) return `break the lines of ${by} so that <${tag}> stands alone on one`;
  return `put <${tag}> and </${tag}>, each on a line of its own, below <configuration …> in ${by}`;
}

const includeLine = (path: string): string => `<X-PRE-PROCESS cmd="include" data="${path}"/>`;

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

// Each byte as one character: a file of any encoding comes back as it was.
/** null where there is no such file. @throws SipctlError where it is none that can be read */
async function textOf(files: Generations, path: string): Promise<string | null> {
  return (await files.readHost(path))?.toString('latin1') ?? null;
}

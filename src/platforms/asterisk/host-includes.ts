import type { Generations } from '../../files/generations.ts';
import type { Check } from '../target.ts';
import { parseConf } from './conf/parse.ts';
import {
  hostFiles,
  hostFilesOf,
  hostFileText,
  type IncludeTrace,
  indexPath,
  mainFile,
  mainFiles,
  ownFile,
  type ReadFile,
  timesRead,
  traceIncludes,
} from './include-lines.ts';

/** The place that is looked at, and how a person calls it. */
export interface Place {
  node: string;
  files: Generations;
}

/**
 * Whether Asterisk comes to what is delivered: pjsip.conf and the others lead to each of our index files, once. With
 * `write`, adds what is missing and nothing else; a file of somebody else is never changed.
 */
export async function examineIncludes(place: Place, write: boolean): Promise<Check[]> {
  const read = hostReader(place.files);
  if ((await read(mainFile)) === null) return [noMainFile(place, mainFile)];
  const checks: Check[] = [];
  for (const main of mainFiles) checks.push(...(await examineMainFile({ ...place, read, main }, write)));
  return checks;
}

/** One main file of the place, and the way to read it. */
interface MainFile extends Place {
  read: ReadFile;
  main: string;
}

async function examineMainFile(place: MainFile, write: boolean): Promise<Check[]> {
  const { files, read, main } = place;
  if (write) {
    await addHostFiles(place);
    await addIncludeLines(place);
  }
  if ((await read(main)) === null) return [noMainFile(place, main)];
  const trace = await traceIncludes(read, files.folder, main);
  const checks: Check[] = [];
  for (const file of hostFilesOf(main)) {
    checks.push(judge(place, file, timesRead(trace, indexPath(file)), stateOf(await read(file)), trace));
  }
  return [...checks, ...readToTheEnd(trace, main)];
}

/**
 * Reads files of the configuration folder as text, a character for each byte: whatever encoding an operator writes
 * comments in, nothing of it is lost where a line is added. A link that leads out of the folder counts as missing.
 */
export function hostReader(files: Generations): ReadFile {
  return async (path) => {
    try {
      return (await files.readHost(path))?.toString('latin1') ?? null;
    } catch {
      return null;
    }
  };
}

async function addHostFiles({ read, files, main }: MainFile): Promise<void> {
  const trace = await traceIncludes(read, files.folder, main);
  for (const file of hostFilesOf(main)) {
    if (timesRead(trace, indexPath(file)) > 0) continue;
    if (stateOf(await read(file)) === 'missing') await files.writeHost(file, hostFileText(file));
  }
}

// Looked at anew: a pattern in the main file may include a host file from the moment it is there.
async function addIncludeLines({ read, files, main }: MainFile): Promise<void> {
  const trace = await traceIncludes(read, files.folder, main);
  const lines: string[] = [];
  for (const file of hostFilesOf(main)) {
    if (timesRead(trace, file) > 0 || timesRead(trace, indexPath(file)) > 0) continue;
    if (stateOf(await read(file)) === 'ours') lines.push(`#include ${file}`);
  }
  const text = (await read(main)) ?? '';
  if (lines.length === 0 || cutOffAt(text) !== null) return;
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  const added = `${gap}\n; What sipctl delivers:\n${lines.join('\n')}\n`;
  await files.writeHost(main, Buffer.from(`${text}${added}`, 'latin1'));
}

type HostFileState = 'missing' | 'ours' | 'foreign';

// A file of comments only, which is what is left of ours when its include line was taken out, may be made anew.
function stateOf(content: string | null): HostFileState {
  if (content === null) return 'missing';
  const { items } = parseConf(content);
  if (items.length === 0) return 'missing';
  const isOurs = items.some(
    (item) => item.kind === 'directive' && hostFiles.some((file) => item.argument.endsWith(indexPath(file))),
  );
  return isOurs ? 'ours' : 'foreign';
}

// The line from which on nothing that is appended would be read.
function cutOffAt(content: string): number | null {
  const fault = parseConf(content).items.find((item) => item.kind === 'fault' && item.fatal);
  return fault?.line ?? null;
}

function judge(
  { node, files, main }: MainFile,
  file: string,
  times: number,
  state: HostFileState,
  trace: IncludeTrace,
): Check {
  const name = `include ${file}`;
  const path = `${files.place}/${file}`;
  if (times === 1) return { name, status: 'ok', message: `${main} leads to ${indexPath(file)}` };
  if (times > 1) {
    const doubled = timesRead(trace, file) > 1 ? file : indexPath(file);
    const lines = trace.files.filter((one) => one.path === doubled).map((one) => one.from);
    return {
      name,
      status: 'failed',
      message: `${main} leads to ${indexPath(file)} ${times} times, and every object in it would be refused as a duplicate`,
      hint: `keep one of these include lines: ${lines.join(', ')}`,
    };
  }
  if (state === 'foreign') {
    return {
      name,
      status: 'failed',
      message: `${path} was not made by sipctl and is left alone`,
      hint:
        `mv ${files.folder}/${file} ${files.folder}/${ownFile(file)}; put the line '#include ${ownFile(file)}' into ` +
        `${files.folder}/${main}; then: sipctl node init ${node} --write`,
    };
  }
  return {
    name,
    status: 'failed',
    message:
      state === 'missing' ? `${path} is missing, or includes nothing` : `${main} does not include ${file}`,
    hint: `sipctl node init ${node} --write`,
  };
}

// What is cut off in a file of somebody else is theirs to mend; that it matters to us says the check of our include.
function readToTheEnd(trace: IncludeTrace, main: string): Check[] {
  return trace.faults.map(({ file, line, message }) => ({
    name: 'syntax',
    status: file === main ? 'failed' : 'warning',
    message: `${file}:${line}: ${message}; ${
      file === main
        ? 'Asterisk takes no change until it is corrected'
        : 'nothing after it in this file is read'
    }`,
    hint: `correct line ${line} of ${file}`,
  }));
}

const noMainFile = ({ node, files }: Place, main: string): Check => ({
  name: `include ${hostFilesOf(main).join(', ')}`,
  status: 'failed',
  message: `${files.place}/${main} is missing`,
  hint:
    main === mainFile
      ? `is ${files.folder} the folder that Asterisk reads (asterisk -rx 'core show settings')? Otherwise: ` +
        `sipctl node set ${node} --dir <folder>. If so, make ${main} with a transport in it first`
      : `sipctl node init ${node} --write`,
});

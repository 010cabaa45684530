import type { Generations } from '../../files/generations.ts';
import type { Check } from '../target.ts';
import { parseConf } from './conf/parse.ts';
import {
  hostFiles,
  hostFileText,
  type IncludeTrace,
  indexPath,
  mainFile,
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
 * Whether Asterisk comes to what is delivered: pjsip.conf leads to each of our index files, once. With `write`, adds
 * what is missing and nothing else; a file of somebody else is never changed.
 */
export async function examineIncludes(place: Place, write: boolean): Promise<Check[]> {
  const { files } = place;
  const read = hostReader(files);
  if ((await read(mainFile)) === null) return [noMainFile(place)];
  if (write) {
    await addHostFiles(read, files);
    await addIncludeLines(read, files);
  }
  const trace = await traceIncludes(read, files.place);
  const checks: Check[] = [];
  for (const file of hostFiles) {
    checks.push(judge(place, file, timesRead(trace, indexPath(file)), stateOf(await read(file)), trace));
  }
  return [...checks, ...readToTheEnd(trace)];
}

/** Reads files of the configuration folder as text; a link that leads out of it counts as missing. */
export function hostReader(files: Generations): ReadFile {
  return async (path) => {
    try {
      return (await files.readHost(path))?.toString('utf8') ?? null;
    } catch {
      return null;
    }
  };
}

async function addHostFiles(read: ReadFile, files: Generations): Promise<void> {
  const trace = await traceIncludes(read, files.place);
  for (const file of hostFiles) {
    if (timesRead(trace, indexPath(file)) > 0) continue;
    if (stateOf(await read(file)) === 'missing') await files.writeHost(file, hostFileText(file));
  }
}

// Looked at anew: a pattern in pjsip.conf may include a host file from the moment it is there.
async function addIncludeLines(read: ReadFile, files: Generations): Promise<void> {
  const trace = await traceIncludes(read, files.place);
  const lines: string[] = [];
  for (const file of hostFiles) {
    if (timesRead(trace, file) > 0 || timesRead(trace, indexPath(file)) > 0) continue;
    if (stateOf(await read(file)) === 'ours') lines.push(`#include ${file}`);
  }
  const main = (await read(mainFile)) ?? '';
  if (lines.length === 0 || cutOffAt(main) !== null) return;
  const gap = main === '' || main.endsWith('\n') ? '' : '\n';
  await files.writeHost(mainFile, `${main}${gap}\n; What sipctl delivers:\n${lines.join('\n')}\n`);
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
  { node, files }: Place,
  file: string,
  times: number,
  state: HostFileState,
  trace: IncludeTrace,
): Check {
  const name = `include ${file}`;
  const path = `${files.place}/${file}`;
  if (times === 1) return { name, status: 'ok', message: `${mainFile} leads to ${indexPath(file)}` };
  if (times > 1) {
    const doubled = timesRead(trace, file) > 1 ? file : indexPath(file);
    const lines = trace.files.filter((one) => one.path === doubled).map((one) => one.from);
    return {
      name,
      status: 'failed',
      message: `${mainFile} leads to ${indexPath(file)} ${times} times, and every object in it would be refused as a duplicate`,
      hint: `keep one of these include lines: ${lines.join(', ')}`,
    };
  }
  if (state === 'foreign') {
    return {
      name,
      status: 'failed',
      message: `${path} was not made by sipctl and is left alone`,
      hint:
        `mv ${path} ${files.place}/${ownFile(file)}; put the line '#include ${ownFile(file)}' into ` +
        `${files.place}/${mainFile}; then: sipctl node init ${node} --write`,
    };
  }
  return {
    name,
    status: 'failed',
    message:
      state === 'missing'
        ? `${path} is missing, or includes nothing`
        : `${mainFile} does not include ${file}`,
    hint: `sipctl node init ${node} --write`,
  };
}

// What is cut off in a file of somebody else is theirs to mend; that it matters to us says the check of our include.
function readToTheEnd(trace: IncludeTrace): Check[] {
  return trace.faults.map(({ file, line, message }) => ({
    name: 'syntax',
    status: file === mainFile ? 'failed' : 'warning',
    message: `${file}:${line}: ${message}; ${
      file === mainFile
        ? 'Asterisk takes no change until it is corrected'
        : 'nothing after it in this file is read'
    }`,
    hint: `correct line ${line} of ${file}`,
  }));
}

const noMainFile = ({ node, files }: Place): Check => ({
  name: `include ${hostFiles.join(', ')}`,
  status: 'failed',
  message: `${files.place}/${mainFile} is missing`,
  hint:
    `is ${files.place} the folder that Asterisk reads (asterisk -rx 'core show settings')? Otherwise: ` +
    `sipctl node set ${node} --dir <folder>. If so, make ${mainFile} with a transport in it first`,
});

import { posix } from 'node:path';
import type { Generations } from '../../files/generations.ts';
import type { Check } from '../target.ts';
import { type DeliveredFile, deliveredFiles } from './delivered-files.ts';

/** The place that is looked at, and how a person calls it. */
export interface Place {
  node: string;
  files: Generations;
}

/** Where a generation's index file stands, relative to the configuration folder. */
const indexPath = (file: string): string => `sipctl/current/${file}`;

/**
 * Whether FreeSWITCH comes to what is delivered: in each folder that it includes whole stands a file of ours, which
 * includes one index file. With `write`, adds those that are missing; a file of somebody else is never changed.
 */
export async function examineIncludes(place: Place, write: boolean): Promise<Check[]> {
  const checks: Check[] = [];
  for (const delivered of deliveredFiles) checks.push(await examineInclude(place, delivered, write));
  return checks;
}

async function examineInclude(place: Place, delivered: DeliveredFile, write: boolean): Promise<Check> {
  const { files, node } = place;
  const { host, file, readBy } = delivered;
  const name = `include ${file}`;
  const reader = await textOf(files, readBy.file);
  if (reader === null || !withoutComments(reader).includes(`"${readBy.pattern}"`)) {
    return {
      name,
      status: 'failed',
      message: `${readBy.file} does not include ${readBy.pattern}`,
      hint: `put <X-PRE-PROCESS cmd="include" data="${readBy.pattern}"/> on a line of its own into ${readBy.file}, where one that ships has it`,
    };
  }
  const found = await textOf(files, host);
  if (found === hostFileText(delivered))
    return { name, status: 'ok', message: `${host} leads to ${indexPath(file)}` };
  if (found !== null && !found.includes(indexPath(file))) {
    return {
      name,
      status: 'failed',
      message: `${files.place}/${host} was not made by sipctl and is left alone`,
      hint: `rename it, for example to ${host.replace(/\.xml$/, '_local.xml')}; then: sipctl node init ${node} --write`,
    };
  }
  if (!write) {
    const message =
      found === null ? `${files.place}/${host} is missing` : `${files.place}/${host} was changed`;
    return { name, status: 'failed', message, hint: `sipctl node init ${node} --write` };
  }
  await files.writeHost(host, hostFileText(delivered));
  return { name, status: 'ok', message: `${host} leads to ${indexPath(file)}`, changed: true };
}

/** One include under a comment that says whose it is; its path starts at the file's own folder. */
export function hostFileText({ host, file }: Pick<DeliveredFile, 'host' | 'file'>): string {
  const path = posix.relative(posix.dirname(host), indexPath(file));
  return [
    '<include>',
    '  <!-- Made by sipctl: it includes what sipctl delivers. What is your own belongs into another file. -->',
    `  <X-PRE-PROCESS cmd="include" data="${path}"/>`,
    '</include>',
    '',
  ].join('\n');
}

const withoutComments = (text: string): string => text.replace(/<!--[\s\S]*?-->/g, '');

// A link that leads out of the folder counts as missing.
async function textOf(files: Generations, path: string): Promise<string | null> {
  try {
    return (await files.readHost(path))?.toString('utf8') ?? null;
  } catch {
    return null;
  }
}

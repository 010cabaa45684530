import type { Finding } from '../target.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';
import { type Delivered, objectKey } from './delivered.ts';
import {
  hostFiles,
  type IncludeTrace,
  indexPath,
  type ReadFile,
  timesRead,
  traceIncludes,
} from './include-lines.ts';
import { fileSections, sectionNames } from './live-objects.ts';

/**
 * Why Asterisk does not come to our files: an include line is missing, or something before it ends the reading.
 * Asterisk itself says of a file that it cannot be read, but of pjsip.conf, which includes it, always `Success`.
 */
export async function whyNotRead(ami: AmiConnection, read: ReadFile, folder: string): Promise<Finding[]> {
  const trace = await traceIncludes(read, folder);
  const [fault] = trace.faults;
  if (fault !== undefined) return [unreadable(fault.file, `${fault.message} in line ${fault.line}`)];
  const refused = await firstRefused(ami, trace);
  if (refused !== null) return [unreadable(refused, 'Asterisk cannot read it to its end')];
  const unreached = hostFiles.filter((file) => timesRead(trace, indexPath(file)) === 0);
  if (unreached.length > 0) {
    return [
      {
        object: 'file pjsip.conf',
        tenant: null,
        file: 'pjsip.conf',
        code: 'not-included',
        message: `does not lead to ${unreached.map(indexPath).join(', ')}: sipctl node init <node> --write adds the lines`,
      },
    ];
  }
  if (trace.opaque.length === 0) return [];
  return [unreadable('pjsip.conf', `one of these cannot be read to its end: ${trace.opaque.join(', ')}`)];
}

const unreadable = (file: string, message: string): Finding => ({
  object: `file ${file}`,
  tenant: null,
  file,
  code: 'syntax',
  message: `${message}; everything after it is removed from the running system`,
});

async function firstRefused(ami: AmiConnection, trace: IncludeTrace): Promise<string | null> {
  for (const { path } of trace.files) {
    if (hostFiles.some((file) => file === path || indexPath(file) === path)) continue;
    try {
      await sectionNames(ami, path);
    } catch (error) {
      if (!(error instanceof AmiError) || error.outcome === 'refused') throw error;
      return path;
    }
  }
  return null;
}

/**
 * Sections that share type and name with another one: a reload then keeps the old state of the whole type, and after
 * a restart there is no object of that type at all.
 */
export async function duplicateSections(
  ami: AmiConnection,
  objects: readonly Delivered[],
): Promise<Finding[]> {
  const owners = new Map(objects.map((one) => [objectKey(one.object), one]));
  const counts = new Map<string, number>();
  for (const { name, type } of await fileSections(ami)) {
    if (type === null) continue;
    const key = objectKey({ type, id: name });
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const findings: Finding[] = [];
  for (const [key, count] of counts) {
    if (count < 2) continue;
    const [type = '', name = ''] = key.split('\n');
    const owner = owners.get(key);
    findings.push({
      object: owner?.owner ?? `section [${name}] of type ${type}`,
      tenant: owner?.tenant ?? null,
      file: owner === undefined ? 'pjsip.conf' : owner.file,
      code: 'unexpected',
      message:
        `${type} ${name} stands ${count} times in pjsip.conf and its includes: Asterisk takes no change of any ` +
        `${type}, and loads none when it is restarted; ${
          owner === undefined ? 'remove one of them' : 'remove the one that sipctl did not deliver'
        }`,
    });
  }
  return findings;
}

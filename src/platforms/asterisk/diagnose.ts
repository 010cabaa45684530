import type { Finding } from '../target.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';
import { type Delivered, objectKey } from './delivered.ts';
import {
  hostFilesOf,
  type IncludeTrace,
  indexPath,
  mainFile,
  type ReadFile,
  timesRead,
  traceIncludes,
} from './include-lines.ts';
import { fileSections, sectionNames } from './live-objects.ts';

/** Asterisk cannot read pjsip.conf: whatever is delivered, everything keeps its old state. */
export async function brokenMainFile(read: ReadFile, folder: string): Promise<Finding> {
  const fault = (await traceIncludes(read, folder)).faults.find((one) => one.file === mainFile);
  const cause = fault === undefined ? 'Asterisk cannot read it' : `line ${fault.line}: ${fault.message}`;
  return syntax(mainFile, `${cause}; no change is taken, and no object is loaded when Asterisk is restarted`);
}

/**
 * A fault in files that are not ours with which a reload would take no change, or take everything away that sipctl
 * delivered. Found in the files, and believed where Asterisk says so too: it may read what sipctl may not.
 */
export async function reloadObstacles(
  ami: AmiConnection,
  read: ReadFile,
  folder: string,
  main: string = mainFile,
): Promise<Finding[]> {
  const trace = await traceIncludes(read, folder, main);
  const isCutOff = hostFilesOf(main).some((file) => timesRead(trace, indexPath(file)) === 0);
  const inMain = trace.faults.find((one) => one.file === main);
  const fault = inMain ?? (isCutOff ? trace.faults[0] : undefined);
  if (fault === undefined || !(await isRefused(ami, fault.file))) return [];
  const consequence =
    inMain === undefined
      ? 'nothing after it is read, and a reload would take away all that sipctl delivered'
      : 'no change would be taken, and no object loaded when Asterisk is restarted';
  return [syntax(fault.file, `line ${fault.line}: ${fault.message}; ${consequence}`)];
}

/** Why Asterisk does not come to our files: an include line is missing, or something before it ends the reading. */
export async function whyNotRead(
  ami: AmiConnection,
  read: ReadFile,
  folder: string,
  main: string = mainFile,
): Promise<Finding[]> {
  const trace = await traceIncludes(read, folder, main);
  const unreached = hostFilesOf(main).filter((file) => timesRead(trace, indexPath(file)) === 0);
  const [fault] = trace.faults;
  if (fault !== undefined && unreached.length > 0) {
    return [syntax(fault.file, `line ${fault.line}: ${fault.message}; nothing after it is read`)];
  }
  if (unreached.length > 0 && trace.opaque.length === 0) {
    return [
      {
        object: `file ${main}`,
        tenant: null,
        file: main,
        code: 'not-included',
        message: `does not lead to ${unreached.map(indexPath).join(', ')}: sipctl node init <node> --write adds the lines`,
      },
    ];
  }
  const refused = await firstRefused(ami, trace, main);
  if (refused !== null) return [syntax(refused, 'Asterisk cannot read it to its end')];
  return trace.opaque.length === 0
    ? []
    : [syntax(main, `one of these may not be readable to its end: ${trace.opaque.join(', ')}`)];
}

const syntax = (file: string, message: string): Finding => ({
  object: `file ${file}`,
  tenant: null,
  file,
  code: 'syntax',
  message,
});

async function firstRefused(ami: AmiConnection, trace: IncludeTrace, main: string): Promise<string | null> {
  for (const { path } of trace.files) {
    if (hostFilesOf(main).some((file) => file === path || indexPath(file) === path)) continue;
    if (await isRefused(ami, path)) return path;
  }
  return null;
}

async function isRefused(ami: AmiConnection, path: string): Promise<boolean> {
  try {
    await sectionNames(ami, path);
    return false;
  } catch (error) {
    if (!(error instanceof AmiError) || error.outcome === 'refused') throw error;
    return true;
  }
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

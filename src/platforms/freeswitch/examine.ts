import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import { attempt, type Check, failedCheck } from '../target.ts';
import type { EslConnection } from './esl/connection.ts';
import { examineControl } from './examine-control.ts';
import { examineIncludes } from './host-includes.ts';
import { openEsl } from './running-system.ts';
import type { Timeouts } from './timeouts.ts';

/** What an examination looks at. */
export interface Examination {
  node: Node;
  files: Generations;
  timeouts: Timeouts;
  signal?: AbortSignal | undefined;
  /** Writes the generation that includes nothing, and puts it in force. */
  prepare: () => Promise<unknown>;
}

/**
 * Looks at everything an apply relies on, and says for each thing how it stands and what mends it. Writes only with
 * `write`, and then only what is missing; a second run changes nothing.
 */
export async function examineFreeSwitch(examination: Examination, write: boolean): Promise<Check[]> {
  const { node, timeouts, signal } = examination;
  const folder = await attempt('folder', () => examineFolder(examination));
  const isUsable = folder.every((check) => check.status !== 'failed');
  const checks = [...folder, ...(isUsable ? await examineFiles(examination, write) : [])];
  if (node.esl === null) return [...checks, noControlCheck(node)];
  let esl: EslConnection;
  try {
    esl = await openEsl(node, timeouts, signal);
  } catch (error) {
    return [...checks, failedCheck('event socket', error)];
  }
  try {
    const login: Check = { name: 'event socket', status: 'ok', message: `signed in at ${node.esl}` };
    return [
      ...checks,
      login,
      ...(await attempt('event socket', () =>
        examineControl((command) => esl.api(command), node, examination.files),
      )),
    ];
  } finally {
    await esl.close();
  }
}

// Two runs that write at once would write the same file twice.
async function examineFiles(examination: Examination, write: boolean): Promise<Check[]> {
  const { node, files } = examination;
  const unlock = write ? await files.lock(`node init ${node.name} (process ${process.pid})`) : null;
  try {
    return [
      ...(await attempt('generation', () => examineGeneration(examination, write))),
      ...(await attempt('include', () => examineIncludes({ node: node.name, files }, write))),
    ];
  } finally {
    await unlock?.();
  }
}

const noControlCheck = (node: Node): Check => ({
  name: 'event socket',
  status: 'skipped',
  message: 'no event socket is set: what is delivered is neither reloaded nor verified',
  hint: `sipctl node set ${node.name} --esl 127.0.0.1:8021 --esl-password-stdin`,
});

async function examineFolder({ node, files }: Examination): Promise<Check[]> {
  const folder = await files.stat('.');
  const name = 'folder';
  if (folder === null || folder.kind !== 'directory' || (await files.stat('freeswitch.xml')) === null) {
    return [
      {
        name,
        status: 'failed',
        message: `${node.dir} is not a folder with a freeswitch.xml`,
        hint: `name FreeSWITCH's folder: sipctl node set ${node.name} --dir /etc/freeswitch`,
      },
    ];
  }
  const ours = await files.stat('sipctl');
  const [path, there] =
    ours === null ? [files.place, files.folder] : [`${files.place}/sipctl`, `${files.folder}/sipctl`];
  const { writable, owner, group, mode } = ours ?? folder;
  const checks: Check[] = [
    { name, status: 'ok', message: `${files.place} is a configuration folder of FreeSWITCH` },
    writable
      ? { name: 'writable', status: 'ok', message: `${path} can be written` }
      : {
          name: 'writable',
          status: 'failed',
          message: `${path} cannot be written by the user who runs sipctl; it belongs to ${owner}:${group}`,
          // Another group would shut FreeSWITCH out.
          hint: `run sipctl as ${owner}, or: sudo chmod -R g+rwX ${there} && sudo usermod -aG ${group} $(id -un), and sign in anew`,
        },
  ];
  // The delivered files hold passwords.
  if (ours !== null && (mode & 0o007) !== 0) {
    checks.push({
      name: 'permissions',
      status: 'warning',
      message: `every user of the machine can look into ${path}`,
      hint: `chmod 0750 ${there}`,
    });
  }
  return checks;
}

async function examineGeneration({ node, files, prepare }: Examination, write: boolean): Promise<Check[]> {
  const name = 'generation';
  const missing = (await files.current()) === null;
  if (missing && write) await prepare();
  const current = await files.current();
  if (current !== null) {
    const message = `generation ${current} is in force`;
    return [{ name, status: 'ok', message, ...(missing ? { changed: true } : {}) }];
  }
  return [
    {
      name,
      status: 'failed',
      message: `${files.place}/sipctl holds no generation yet`,
      hint: `sipctl node init ${node.name} --write`,
    },
  ];
}

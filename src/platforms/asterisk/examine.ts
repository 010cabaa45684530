import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import { attempt, type Check, failedCheck } from '../target.ts';
import type { AmiConnection } from './ami/connection.ts';
import { examineControl, skippedControl } from './examine-control.ts';
import { examineIncludes } from './host-includes.ts';
import { mainFile } from './include-lines.ts';
import { openAmi } from './running-system.ts';
import type { Timeouts } from './timeouts.ts';
import { examineTransports, transportsInFiles, transportsOf } from './transports.ts';

/** What an examination looks at. */
export interface Examination {
  node: Node;
  files: Generations;
  /** Protocols that templates use: `udp`, `tcp`, `tls`. */
  protocols: readonly string[];
  timeouts: Timeouts;
  /** Ends the wait for a manager interface that does not answer. */
  signal: AbortSignal | undefined;
  /** Writes the generation that includes nothing, and puts it in force. */
  prepare: () => Promise<unknown>;
}

/**
 * Looks at everything an apply relies on, and says for each thing how it stands and what mends it. Writes only with
 * `write`, and then only what is missing; a second run changes nothing.
 */
export async function examineAsterisk(examination: Examination, write: boolean): Promise<Check[]> {
  const { node, files, protocols, timeouts, signal } = examination;
  const folder = await attempt('folder', () => examineFolder(examination));
  const isUsable = folder.every((check) => check.status !== 'failed');
  if (!isUsable && !(await isThere(files))) return folder;
  const checks = [...folder, ...(await examineFiles(examination, write && isUsable))];
  const byFiles = () =>
    attempt('transports', async () => examineTransports(node, protocols, await transportsInFiles(files)));
  if (node.ami === null) return [...checks, ...(await byFiles()), ...skippedControl(node)];
  let ami: AmiConnection;
  try {
    ami = await openAmi(node, timeouts, signal);
  } catch (error) {
    return [...checks, ...(await byFiles()), failedCheck('manager interface', error)];
  }
  try {
    const control = await attempt('manager interface', () => examineControl(ami, node, files));
    const transports = await attempt('transports', async () =>
      examineTransports(node, protocols, await transportsOf(ami)),
    );
    return [...checks, ...transports, ...control];
  } finally {
    await ami.close();
  }
}

async function isThere(files: Generations): Promise<boolean> {
  return (await files.stat('.').catch(() => null))?.kind === 'directory';
}

// Two runs that write at once would add the same line twice.
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

async function examineFolder({ node, files }: Examination): Promise<Check[]> {
  const folder = await files.stat('.');
  if (folder === null || folder.kind !== 'directory') return [noFolder(node)];
  const checks: Check[] = [];
  const isAsterisk = (await files.stat('asterisk.conf')) !== null || (await files.stat(mainFile)) !== null;
  checks.push(
    isAsterisk
      ? { name: 'folder', status: 'ok', message: `${files.place} is a configuration folder of Asterisk` }
      : {
          name: 'folder',
          status: 'failed',
          message: `${files.place} holds neither asterisk.conf nor ${mainFile}`,
          hint: `name Asterisk's folder: sipctl node set ${node.name} --dir /etc/asterisk`,
        },
  );
  const ours = await files.stat('sipctl');
  checks.push(writable(files, ours ?? folder, ours !== null));
  if (ours !== null) checks.push(modeOf(node, files, ours));
  return checks;
}

const noFolder = (node: Node): Check => ({
  name: 'folder',
  status: 'failed',
  message: `${node.dir} is not a folder`,
  hint: `is Asterisk installed there? Otherwise: sipctl node set ${node.name} --dir <folder>`,
});

type Stat = NonNullable<Awaited<ReturnType<Generations['stat']>>>;

function writable({ place, folder }: Generations, found: Stat, isOurs: boolean): Check {
  const [path, there] = isOurs ? [`${place}/sipctl`, `${folder}/sipctl`] : [place, folder];
  if (found.writable) return { name: 'writable', status: 'ok', message: `${path} can be written` };
  return {
    name: 'writable',
    status: 'failed',
    message: `${path} cannot be written by the user who runs sipctl; it belongs to ${found.owner}:${found.group}`,
    hint: `run sipctl as ${found.owner}, or: sudo chgrp -R $(id -gn) ${there} && sudo chmod -R g+rwX ${there}`,
  };
}

// The delivered files hold passwords.
function modeOf(node: Node, { place, folder }: Generations, found: Stat): Check {
  const name = 'permissions';
  const path = `${place}/sipctl`;
  const octal = found.mode.toString(8).padStart(4, '0');
  if ((found.mode & 0o007) !== 0) {
    return {
      name,
      status: 'warning',
      message: `${path} has mode ${octal}: every user of the machine can look into it`,
      hint: `chmod 0750 ${folder}/sipctl`,
    };
  }
  const wrongOwner = node.owner !== null && node.owner !== found.owner;
  const wrongGroup = node.group !== null && node.group !== found.group;
  if (wrongOwner || wrongGroup) {
    const wanted = `${node.owner ?? found.owner}:${node.group ?? found.group}`;
    return {
      name,
      status: 'warning',
      message: `${path} belongs to ${found.owner}:${found.group}, the node is set to ${wanted}`,
      hint: `sudo chown -R ${wanted} ${folder}/sipctl`,
    };
  }
  return { name, status: 'ok', message: `${path} belongs to ${found.owner}:${found.group}, mode ${octal}` };
}

async function examineGeneration({ node, files, prepare }: Examination, write: boolean): Promise<Check[]> {
  const name = 'generation';
  if ((await files.current()) === null && write) await prepare();
  const current = await files.current();
  if (current === null) {
    return [
      {
        name,
        status: 'failed',
        message: `${files.place}/sipctl holds no generation yet`,
        hint: `sipctl node init ${node.name} --write`,
      },
    ];
  }
  const verified = await files.verified();
  const message =
    verified === current
      ? `generation ${current} is in force, and Asterisk was seen to run it`
      : `generation ${current} is in force`;
  return [{ name, status: 'ok', message }];
}

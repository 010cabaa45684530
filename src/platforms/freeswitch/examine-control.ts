import { realpath, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import type { Check } from '../target.ts';
import { globalVariable, version } from './esl/commands.ts';
import type { Ask } from './esl/replies.ts';
import { callChecks } from './examine-calls.ts';
import { profileChecks } from './examine-profiles.ts';
import { settingsOf } from './profiles.ts';
import { runningElement } from './running-xml.ts';

/** What a running FreeSWITCH says of itself that an apply, or the safety of its accounts, relies on. */
export async function examineControl(ask: Ask, node: Node, files: Generations): Promise<Check[]> {
  return [
    { name: 'version', status: 'ok', message: `FreeSWITCH ${await version(ask)}` },
    await folderCheck(ask, node),
    ...(await callChecks(ask, files, node.name)),
    ...(await socketChecks(ask, node)),
    ...(await profileChecks(ask)),
    // The files of another machine are not looked at.
    ...(node.ssh === null ? await mergedFileCheck(ask) : []),
  ];
}

async function isSameFolder(one: string, other: string): Promise<boolean> {
  const real = (path: string): Promise<string> => realpath(path).catch(() => path.replace(/\/+$/, ''));
  return (await real(one)) === (await real(other));
}

async function folderCheck(ask: Ask, node: Node): Promise<Check> {
  const name = 'folder in use';
  const folder = (await globalVariable(ask, 'conf_dir'))?.trim() ?? null;
  if (folder === null || (await isSameFolder(folder, node.dir)))
    return { name, status: 'ok', message: `FreeSWITCH reads ${node.dir}` };
  return {
    name,
    status: 'warning',
    message: `FreeSWITCH reads ${folder}, and the node is set to ${node.dir}`,
    hint: `where these are not the same folder: sipctl node set ${node.name} --dir ${folder}`,
  };
}

async function socketChecks(ask: Ask, node: Node): Promise<Check[]> {
  const socket = settingsOf(await runningElement(ask, 'configuration', 'configuration', 'event_socket.conf'));
  const checks: Check[] = [];
  if (node.eslPassword?.reveal() === defaultPassword) {
    checks.push({
      name: 'event socket password',
      status: 'warning',
      message: 'it is the one that FreeSWITCH ships with, and whoever connects can do everything',
      hint: `set password in event_socket.conf.xml, then: fs_cli -x 'reload mod_event_socket' and sipctl node set ${node.name} --esl-password-stdin`,
    });
  }
  const address = socket.get('listen-ip') ?? '';
  if (!isLocal(address) && !socket.has('apply-inbound-acl')) {
    checks.push({
      name: 'event socket address',
      status: 'warning',
      message: `it listens on ${address === '' ? 'every address' : address}, and takes whoever knows the password`,
      hint: 'in event_socket.conf.xml: listen-ip 127.0.0.1, or apply-inbound-acl',
    });
  }
  return checks;
}

const defaultPassword = 'ClueCon';

const isLocal = (address: string): boolean => isIP(address) !== 0 && /^(127\.|::1$)/.test(address);

// It holds every secret of the configuration.
async function mergedFileCheck(ask: Ask): Promise<Check[]> {
  const folder = (await globalVariable(ask, 'log_dir'))?.trim() ?? '';
  const path = `${folder}/freeswitch.xml.fsxml`;
  const found = await stat(path).catch(() => null);
  if (found === null || (found.mode & 0o004) === 0) return [];
  return [
    {
      name: 'merged configuration',
      status: 'warning',
      message: `${path} holds every password, and every user of the machine can read it`,
      hint: `chmod 0600 ${path}, and start FreeSWITCH with umask 077`,
    },
  ];
}

import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Node } from '../../model/nouns.ts';
import type { Check } from '../target.ts';
import { globalVariable, moduleExists, sofiaStatus, version } from './esl/commands.ts';
import type { Ask } from './esl/replies.ts';
import { carrierProfile } from './render/gateways.ts';
import { runningElement } from './running-xml.ts';
import { attributeOf, childrenNamed, type Element } from './xml/element.ts';

/** What a running FreeSWITCH says of itself that an apply, or the safety of its accounts, relies on. */
export async function examineControl(ask: Ask, node: Node): Promise<Check[]> {
  return [
    { name: 'version', status: 'ok', message: `FreeSWITCH ${await version(ask)}` },
    await folderCheck(ask, node),
    ...(await moduleChecks(ask)),
    ...(await socketChecks(ask, node)),
    ...(await profileChecks(ask)),
    ...(await mergedFileCheck(ask)),
  ];
}

async function folderCheck(ask: Ask, node: Node): Promise<Check> {
  const name = 'reading';
  const folder = (await globalVariable(ask, 'conf_dir'))?.trim() ?? null;
  if (folder === null || folder === node.dir)
    return { name, status: 'ok', message: `FreeSWITCH reads ${node.dir}` };
  return {
    name,
    status: 'warning',
    message: `FreeSWITCH reads ${folder}, and the node is set to ${node.dir}`,
    hint: `where these are not the same folder: sipctl node set ${node.name} --dir ${folder}`,
  };
}

const neededModules = ['mod_sofia', 'mod_commands', 'mod_dialplan_xml', 'mod_dptools', 'mod_hash'];

async function moduleChecks(ask: Ask): Promise<Check[]> {
  const missing: string[] = [];
  for (const module of neededModules) if (!(await moduleExists(ask, module))) missing.push(module);
  const name = 'modules';
  if (missing.length === 0) return [{ name, status: 'ok', message: 'all that is needed is loaded' }];
  return [
    {
      name,
      status: 'failed',
      message: `not loaded: ${missing.join(', ')}`,
      hint: `${missing.map((module) => `<load module="${module}"/>`).join(', ')} in modules.conf.xml`,
    },
  ];
}

const settingsOf = (element: Element | undefined): Map<string, string> =>
  new Map(
    childrenNamed(element ?? { name: '', attributes: [], children: [] }, 'settings')
      .flatMap((settings) => childrenNamed(settings, 'param'))
      .map((param) => [attributeOf(param, 'name') ?? '', attributeOf(param, 'value') ?? '']),
  );

async function socketChecks(ask: Ask, node: Node): Promise<Check[]> {
  const socket = settingsOf(
    (await runningElement(ask, 'configuration', 'configuration', 'event_socket.conf')) ?? undefined,
  );
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

/** Settings that put all users into one domain, whatever they name. */
const oneDomainSettings = ['force-register-domain', 'force-register-db-domain', 'force-subscription-domain'];

async function profileChecks(ask: Ask): Promise<Check[]> {
  const checks: Check[] = [];
  const running = new Set((await sofiaStatus(ask)).map(({ name }) => name));
  checks.push(
    running.has(carrierProfile)
      ? { name: 'profile', status: 'ok', message: `the SIP profile ${carrierProfile} runs` }
      : {
          name: 'profile',
          status: 'failed',
          message: `there is no SIP profile ${carrierProfile}, to which trunks belong`,
          hint: `make one in sip_profiles/${carrierProfile}.xml, as FreeSWITCH ships it`,
        },
  );
  const sofia = await runningElement(ask, 'configuration', 'configuration', 'sofia.conf');
  const profiles =
    sofia === null ? [] : childrenNamed(sofia, 'profiles').flatMap((one) => childrenNamed(one, 'profile'));
  for (const profile of profiles) {
    const name = attributeOf(profile, 'name') ?? '';
    const settings = settingsOf(profile);
    if (name === phoneProfile && running.has(name) && settings.get('disable-transfer') !== 'true')
      checks.push(transferCheck);
    const forced = oneDomainSettings.filter((setting) => settings.has(setting));
    if (forced.length === 0 || name.endsWith('-ipv6')) continue;
    checks.push({
      name: `profile ${name}`,
      status: 'warning',
      message: `${forced.join(', ')} puts every user into one domain: users of other tenants cannot register`,
      hint: `take ${forced.length === 1 ? 'it' : 'them'} out of the profile ${name}, then restart it: that ends its calls`,
    });
  }
  return checks;
}

/** The SIP profile that phones speak to, as FreeSWITCH ships it. */
const phoneProfile = 'internal';

// A transfer to a call that is not on this server (REFER with Replaces, RFC 3891) is dialled as it stands: no dialplan is
// asked, and a comma in the address begins another one, of whatever kind.
const transferCheck: Check = {
  name: `profile ${phoneProfile} transfers`,
  status: 'warning',
  message: 'whoever has a phone and talks can have any address called, or any trunk, past the toll class',
  hint: `where users are not all trusted: <param name="disable-transfer" value="true"/> in the profile ${phoneProfile}, then: fs_cli -x 'sofia profile ${phoneProfile} rescan'; phones can then transfer no calls`,
};

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

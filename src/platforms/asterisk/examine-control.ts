import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import type { Check } from '../target.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';
import { hostFiles, indexPath, mainFile } from './include-lines.ts';
import { sectionNames } from './live-objects.ts';
import { modulesCheck } from './modules.ts';
import {
  leastWrite,
  needs,
  type Rights,
  rightsOf,
  rightsProblem,
  unmetNeeds,
  widerClasses,
} from './rights.ts';
import { asteriskVersion } from './running-system.ts';

/** Majors that the option table and the comparison of values were made for. */
const supported = { oldest: 16, newest: 23 } as const;

/** What can only be asked of a running Asterisk: version, rights, and whether it reads the folder we write to. */
export async function examineControl(ami: AmiConnection, node: Node, files: Generations): Promise<Check[]> {
  const rights = await rightsOf(ami);
  const checks: Check[] = [
    { name: 'manager interface', status: 'ok', message: `signed in at ${node.ami} as ${node.amiUser}` },
    ...secretCheck(node),
    ...(await rightsChecks(ami, node, rights)),
  ];
  if (rights.has('CoreSettings')) checks.push(versionCheck(node, await asteriskVersion(ami)));
  if (rights.has('ListCategories')) {
    checks.push(await mainFileCheck(ami), ...(await readingChecks(ami, node, files, rights)));
    if (rights.has('ModuleCheck')) checks.push(await modulesCheck(ami));
  }
  return checks;
}

/** The same checks where no control connection is configured. */
export function skippedControl(node: Node): Check[] {
  const hint =
    `sipctl node set ${node.name} --ami 127.0.0.1:5038 --ami-user sipctl --ami-secret-stdin; in manager.conf: ` +
    managerSection('sipctl');
  const message = 'no manager interface is set: what is delivered is neither reloaded nor verified';
  return ['manager interface', 'rights', 'version', 'reading'].map((name) => ({
    name,
    status: 'skipped',
    message,
    hint,
  }));
}

/** The lines of manager.conf for a user who may do what provisioning takes, and no more. */
const managerSection = (user: string): string =>
  `\n[${user}]\nsecret = <a long random secret>\ndeny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\nwrite = ${leastWrite}\nread =`;

// Secrets of sample files and of well-known distributions, and what people type first.
const wellKnown =
  /^(?:amp111|mysecret\d*|secret\d*|password\d*|passw0rd|admin\d*|asterisk\d*|manager|sipctl|changeme|1?234\d*|test)$/i;

function secretCheck(node: Node): Check[] {
  const secret = node.amiSecret?.reveal() ?? '';
  const weak = secret.length < 12 || wellKnown.test(secret) || secret === node.amiUser;
  if (!weak) return [];
  return [
    {
      name: 'manager secret',
      status: 'warning',
      message: `the secret of the manager user '${node.amiUser}' is short or well known`,
      hint: `set a long random one in manager.conf (openssl rand -hex 24), then: sipctl node set ${node.name} --ami-secret-stdin`,
    },
  ];
}

async function rightsChecks(ami: AmiConnection, node: Node, rights: Rights): Promise<Check[]> {
  const user = node.amiUser ?? '';
  const unmet = new Map(unmetNeeds(rights).map((need) => [need.purpose, need]));
  const checks: Check[] = [];
  for (const { purpose, classes } of needs) {
    const name = `rights: ${purpose}`;
    const need = unmet.get(purpose);
    if (need === undefined) {
      checks.push({ name, status: 'ok', message: `allowed by write=${classes.join(' or ')}` });
      continue;
    }
    const { message, hint } = await rightsProblem(ami, user, need);
    checks.push({ name, status: 'failed', message, hint });
  }
  const { live, others } = widerClasses(rights);
  if (live.length > 0) {
    const message = `allowed by write=${live.join(',')}, which provisioning does without`;
    checks.push({ name: 'rights: make and change calls', status: 'ok', message });
  }
  if (others.length > 0) {
    checks.push({
      name: 'rights: no more than needed',
      status: 'warning',
      message: `the manager user '${user}' may also use: ${others.join(', ')}`,
      hint: `in manager.conf, section [${user}]: write = ${leastWrite}; then: asterisk -rx 'manager reload'`,
    });
  }
  return checks;
}

function versionCheck(node: Node, version: string): Check {
  const name = 'version';
  const major = Number.parseInt(version, 10);
  const set = `sipctl node set ${node.name} --engine-version`;
  if (major < supported.oldest) {
    return {
      name,
      status: 'failed',
      message: `Asterisk ${version} is older than ${supported.oldest}, the oldest that sipctl writes for`,
      hint: 'upgrade Asterisk',
    };
  }
  if (major > supported.newest) {
    return {
      name,
      status: 'warning',
      message: `Asterisk ${version} is newer than ${supported.newest}, the newest whose options sipctl knows`,
      hint: 'look for a newer sipctl; files are written for the version of the node',
    };
  }
  const written = node.engineVersion === null ? null : Number(node.engineVersion);
  if (written !== null && written > major) {
    return {
      name,
      status: 'failed',
      message: `Asterisk ${version} runs, and files are written for ${written}: it may refuse options it does not know`,
      hint: `${set} ${major}`,
    };
  }
  if (written !== null && written < major) {
    return {
      name,
      status: 'warning',
      message: `Asterisk ${version} runs, and files are written for ${written}`,
      hint: `${set} ${major}`,
    };
  }
  const wording =
    written === null ? `files are written for ${supported.oldest} and later` : 'as the node says';
  return { name, status: 'ok', message: `Asterisk ${version}, ${wording}` };
}

// A reload says Success even where this is an error, and then changes nothing.
async function mainFileCheck(ami: AmiConnection): Promise<Check> {
  const name = mainFile;
  if (await isReadable(ami, mainFile)) return { name, status: 'ok', message: 'Asterisk reads it to its end' };
  return {
    name,
    status: 'failed',
    message: `Asterisk cannot read ${mainFile}: it takes no change, and has no SIP objects when it is restarted`,
    hint: `asterisk -rx 'module reload res_pjsip.so', then read the ERROR lines of config.c in its log`,
  };
}

async function readingChecks(
  ami: AmiConnection,
  node: Node,
  files: Generations,
  rights: Rights,
): Promise<Check[]> {
  if ((await files.current()) === null) return [];
  const settings = rights.has('GetConfig') ? await asteriskSettings(ami) : new Map<string, string>();
  const checks: Check[] = [];
  const refused: string[] = [];
  for (const path of hostFiles.map(indexPath)) {
    // A generation from before there were calls has no index of them.
    if ((await files.stat(path)) !== null && !(await isReadable(ami, path))) refused.push(path);
  }
  const folder = settings.get('astetcdir');
  checks.push(
    refused.length === 0
      ? { name: 'reading', status: 'ok', message: 'Asterisk reads what sipctl delivers' }
      : {
          name: 'reading',
          status: 'failed',
          message: `Asterisk cannot read ${refused.join(', ')}`,
          hint:
            folder === undefined || folder === node.dir
              ? `let Asterisk's user into ${files.place}/sipctl: sipctl node set ${node.name} --group asterisk, or chgrp -R asterisk ${files.folder}/sipctl`
              : `its folder is ${folder}: sipctl node set ${node.name} --dir ${folder}`,
        },
  );
  if (/^(yes|true|on|1)$/i.test(settings.get('execincludes') ?? '')) {
    checks.push({
      name: 'execincludes',
      status: 'warning',
      message: 'execincludes is on: whoever can write a configuration file can run programs as Asterisk',
      hint: 'in asterisk.conf, section [options]: execincludes = no',
    });
  }
  return checks;
}

async function isReadable(ami: AmiConnection, file: string): Promise<boolean> {
  try {
    await sectionNames(ami, file);
    return true;
  } catch (error) {
    if (error instanceof AmiError && error.outcome !== 'refused') return false;
    throw error;
  }
}

// Not found where Asterisk was started with another file of this kind: then nothing is known.
async function asteriskSettings(ami: AmiConnection): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  try {
    const answer = await ami.action('GetConfig', { Filename: 'asterisk.conf' });
    for (const [header, line] of answer.entries) {
      const equals = line.indexOf('=');
      if (header.startsWith('Line-') && equals > 0)
        settings.set(line.slice(0, equals), line.slice(equals + 1));
    }
  } catch (error) {
    if (!(error instanceof AmiError)) throw error;
  }
  return settings;
}

import type { Artifact } from '../../plan/generation.ts';
import type { Finding } from '../target.ts';
import {
  type Delivered,
  deliveredElements,
  deliveredObjects,
  gatewayName,
  outermostNames,
  usersOf,
} from './delivered.ts';
import { directoryFile, gatewaysFile } from './delivered-files.ts';
import { domainExists, gatewayStatus, sofiaStatus } from './esl/commands.ts';
import type { Ask } from './esl/replies.ts';
import { profilesInTree, speaksTls } from './profiles.ts';
import { carrierProfile } from './render/gateways.ts';
import { runningElement } from './running-xml.ts';
import { fileFinding, Places, verifyCalls } from './verify-calls.ts';
import { verifySurroundings } from './verify-surroundings.ts';
import { attributeOf, childrenNamed, type Element, isSame } from './xml/element.ts';

/** What a verification compares, and with whose help. */
export interface Verification {
  ask: Ask;
  artifacts: readonly Artifact[];
  changed: ReadonlySet<string>;
  /** Gateways of the generation that ran before. */
  before: readonly Delivered[];
}

/**
 * Asks the running FreeSWITCH whether it holds what was delivered. Its reload says `Success` also where a file could not
 * be opened, and passes over what it does not like:
 *
 * ```
 * delivered element ─ in its tree? ─ the same there? ─ gateway made? ─ with these values? ─ nothing left over?
 *                     not-included       differs           missing           differs            unexpected
 * ```
 * A reload that cannot open a file passes over that file alone, so of a file that did not change it is asked whether it
 * was read: one question, however much is in it.
 */
export async function verifyDelivered(verification: Verification): Promise<Finding[]> {
  const findings: Finding[] = [];
  const places = new Places(verification.ask);
  for (const artifact of verification.artifacts) {
    const all = verification.changed.has(artifact.key);
    if (artifact.file !== directoryFile) findings.push(...(await verifyCalls(places, artifact, all)));
    else findings.push(...(await (all ? verifyDirectory : findDomain)(verification.ask, artifact)));
  }
  const { ask, artifacts, changed } = verification;
  findings.push(...(await verifySurroundings(ask, artifacts, changed)));
  return [...findings, ...(await verifyGateways(verification))];
}

const finding = (delivered: Delivered, code: Finding['code'], message: string): Finding => ({
  object: `${delivered.kind} ${delivered.name}`,
  tenant: delivered.tenant,
  file: delivered.file,
  code,
  message,
});

const noDomain = (artifact: Artifact, name: string): Finding =>
  fileFinding(artifact, 'not-included', `the domain ${name} is not in FreeSWITCH’s directory`);

async function findDomain(ask: Ask, artifact: Artifact): Promise<Finding[]> {
  const [name] = outermostNames(artifact.text);
  return name === undefined || (await domainExists(ask, name)) ? [] : [noDomain(artifact, name)];
}

async function verifyDirectory(ask: Ask, artifact: Artifact): Promise<Finding[]> {
  const [domain] = deliveredElements(artifact.text);
  if (domain === undefined) return [];
  const name = attributeOf(domain, 'name') ?? '';
  const running = await runningElement(ask, 'directory', 'domain', name);
  if (running === null) return [noDomain(artifact, name)];
  if (isSame(domain, running)) return [];
  const shown = new Map(usersOf(running).map((user) => [attributeOf(user, 'id'), user]));
  const users = deliveredObjects(artifact).flatMap((delivered) => {
    const user = shown.get(attributeOf(delivered.element, 'id'));
    if (user === undefined) return [finding(delivered, 'missing', `is not in FreeSWITCH’s domain ${name}`)];
    return isSame(delivered.element, user)
      ? []
      : [
          finding(
            delivered,
            'differs',
            `FreeSWITCH has other values of it: ${differing(delivered.element, user)}`,
          ),
        ];
  });
  if (users.length > 0 && users.length < shown.size) return users;
  // The first domain of a name is the only one that is looked at.
  const message = `FreeSWITCH’s domain ${name} is another one: a file of somebody else has one of this name`;
  return [fileFinding(artifact, 'differs', message)];
}

/** The names of the settings that differ, never their values: there are secrets among them. */
function differing(delivered: Element, running: Element): string {
  const [wanted, found] = [settings(delivered), settings(running)];
  const names = [...new Set([...wanted.keys(), ...found.keys()])];
  return names.filter((name) => wanted.get(name) !== found.get(name)).join(', ') || 'in another order';
}

function settings(object: Element): Map<string, string> {
  const all = new Map<string, string>();
  for (const child of object.children) {
    const [name, value] = [attributeOf(child, 'name'), attributeOf(child, 'value')];
    if (name !== undefined && value !== undefined) all.set(name, value);
    for (const [key, inner] of settings(child)) all.set(key, inner);
  }
  return all;
}

async function verifyGateways({ ask, artifacts, changed, before }: Verification): Promise<Finding[]> {
  const own = artifacts.filter(({ file }) => file === gatewaysFile);
  if (own.length === 0 && before.length === 0) return [];
  const tree = await gatewaysInTree(ask);
  const made = new Set((await sofiaStatus(ask)).flatMap(({ gateways }) => gateways.map(({ name }) => name)));
  const findings: Finding[] = [];
  const kept = new Set<string>();
  const earlier = new Map(before.map((one) => [gatewayName(one.element), one]));
  for (const artifact of own) {
    for (const delivered of deliveredObjects(artifact)) {
      const name = gatewayName(delivered.element);
      kept.add(name);
      const inTree = judgeTree(delivered, tree);
      if (inTree !== null) findings.push(inTree);
      else if (!made.has(name)) findings.push(finding(delivered, 'missing', refusedGateway(delivered, tree)));
      else if (changed.has(artifact.key) && !isAsBefore(delivered, earlier.get(name)))
        findings.push(...(await judgeRunning(ask, delivered)));
    }
  }
  return [...findings, ...before.filter((one) => isLeftOver(one, { kept, made, tree })).map(leftOver)];
}

// Unchanged in a file that changed. Where the file is the same, it is not a change that is verified.
const isAsBefore = (delivered: Delivered, earlier: Delivered | undefined): boolean =>
  earlier !== undefined && earlier.file !== delivered.file && isSame(earlier.element, delivered.element);

/** The gateways of FreeSWITCH's tree. */
interface Tree {
  /** Name → where it stands, in the order of the tree. */
  gateways: ReadonlyMap<string, readonly { profile: string; element: Element }[]>;
  /** True where the profile of carriers speaks TLS. */
  tls: boolean;
}

async function gatewaysInTree(ask: Ask): Promise<Tree> {
  const gateways = new Map<string, { profile: string; element: Element }[]>();
  let tls = false;
  const profiles = await profilesInTree(ask);
  for (const one of profiles) {
    const profile = attributeOf(one, 'name') ?? '';
    if (profile === carrierProfile) tls = speaksTls(one);
    for (const element of childrenNamed(one, 'gateways').flatMap((all) => childrenNamed(all, 'gateway'))) {
      const name = gatewayName(element);
      gateways.set(name, [...(gateways.get(name) ?? []), { profile, element }]);
    }
  }
  return { gateways, tls };
}

function judgeTree(delivered: Delivered, { gateways }: Tree): Finding | null {
  const name = gatewayName(delivered.element);
  const all = gateways.get(name) ?? [];
  // The first one of a name in a profile counts.
  const first = all.find(({ profile }) => profile === carrierProfile);
  if (first === undefined) {
    const message = `the gateway ${name} is not in FreeSWITCH’s profile ${carrierProfile}`;
    return finding(delivered, 'not-included', message);
  }
  const other = all.find(({ profile }) => profile !== carrierProfile);
  if (other !== undefined) {
    const message = `the profile ${other.profile} has a gateway ${name}, too, which sipctl did not deliver: calls may take that one`;
    return { ...finding(delivered, 'differs', message), standing: true };
  }
  if (isSame(first.element, delivered.element)) return null;
  const where = all.length > 1 ? ', which stands before the one that sipctl delivered' : '';
  const message = `FreeSWITCH has another gateway ${name}${where}: ${differing(delivered.element, first.element)}`;
  return finding(delivered, 'differs', message);
}

// Whoever asked for the reload is told nothing of it.
function refusedGateway({ element }: Delivered, { tls }: Tree): string {
  const refused = `FreeSWITCH refused the gateway ${gatewayName(element)}`;
  const wantsTls = settings(element).get('register-transport') === 'tls';
  return wantsTls && !tls
    ? `${refused}: it is to use TLS, and the profile ${carrierProfile} has no TLS`
    : refused;
}

// A gateway that was there stays as it was, whatever the files say.
async function judgeRunning(ask: Ask, delivered: Delivered): Promise<Finding[]> {
  const name = gatewayName(delivered.element);
  const status = await gatewayStatus(ask, name);
  if (status === null) return [finding(delivered, 'missing', `FreeSWITCH refused the gateway ${name}`)];
  const wanted = settings(delivered.element);
  // An option may leave out what is always rendered: then what FreeSWITCH takes by itself has to run.
  const registers = /^(yes|on|true|t|1|enabled|active|allow)$/i.test(wanted.get('register') ?? 'true');
  const username = wanted.get('username') ?? 'FreeSWITCH';
  const proxy = wanted.get('proxy') ?? wanted.get('realm') ?? name;
  const facts: [field: string, wanted: string | undefined][] = [
    ['proxy', /^sip:/i.test(proxy) ? proxy : `sip:${proxy}`],
    // Without one it is that of the profile.
    ...(wanted.has('context') ? ([['context', wanted.get('context')]] as [string, string][]) : []),
    ['exten', wanted.get('extension') ?? username],
    ['username', username],
    ['pingfreq', wanted.get('ping') ?? '0'],
    ...(registers ? ([['expires', wanted.get('expire-seconds') ?? '3600']] as [string, string][]) : []),
  ];
  const differences = facts
    .filter(([field, value]) => status.all.get(field) !== value)
    .map(([field]) => field);
  if (registers === (status.state === 'NOREG')) differences.push('register');
  return differences.length === 0
    ? []
    : [finding(delivered, 'differs', `the gateway ${name} runs with another ${differences.join(', ')}`)];
}

interface Running {
  kept: ReadonlySet<string>;
  made: ReadonlySet<string>;
  tree: Tree;
}

// One that still stands in the tree is somebody else's by now.
function isLeftOver({ element }: Delivered, { kept, made, tree }: Running): boolean {
  const name = gatewayName(element);
  return !kept.has(name) && made.has(name) && !tree.gateways.has(name);
}

const leftOver = (delivered: Delivered): Finding =>
  finding(
    delivered,
    'unexpected',
    `the gateway ${gatewayName(delivered.element)} still runs, and is no longer delivered`,
  );

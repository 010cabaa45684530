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
import { carrierProfile } from './render/gateways.ts';
import { runningElement } from './running-xml.ts';
import { fileFinding, Places, verifyCalls } from './verify-calls.ts';
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
      const inTree = judgeTree(delivered, tree.get(name) ?? []);
      if (inTree !== null) findings.push(inTree);
      else if (!made.has(name))
        findings.push(finding(delivered, 'missing', `FreeSWITCH refused the gateway ${name}`));
      else if (changed.has(artifact.key) && !isAsBefore(delivered, earlier.get(name)))
        findings.push(...(await judgeRunning(ask, delivered)));
    }
  }
  return [...findings, ...before.filter((one) => isLeftOver(one, { kept, made, tree })).map(leftOver)];
}

// Unchanged in a file that changed. Where the file is the same, it is not a change that is verified.
const isAsBefore = (delivered: Delivered, earlier: Delivered | undefined): boolean =>
  earlier !== undefined && earlier.file !== delivered.file && isSame(earlier.element, delivered.element);

/** Gateway name → its elements in the tree, of which the first counts. */
async function gatewaysInTree(ask: Ask): Promise<Map<string, Element[]>> {
  const sofia = await runningElement(ask, 'configuration', 'configuration', 'sofia.conf');
  const named = new Map<string, Element[]>();
  const profiles = childrenNamed(sofia ?? { name: '', attributes: [], children: [] }, 'profiles');
  for (const profile of profiles.flatMap((one) => childrenNamed(one, 'profile'))) {
    for (const gateway of childrenNamed(profile, 'gateways').flatMap((one) =>
      childrenNamed(one, 'gateway'),
    )) {
      const name = gatewayName(gateway);
      named.set(name, [...(named.get(name) ?? []), gateway]);
    }
  }
  return named;
}

function judgeTree(delivered: Delivered, [first]: readonly Element[]): Finding | null {
  const name = gatewayName(delivered.element);
  if (first === undefined) {
    const message = `the gateway ${name} is not in FreeSWITCH’s profile ${carrierProfile}`;
    return finding(delivered, 'not-included', message);
  }
  if (isSame(first, delivered.element)) return null;
  const message = `FreeSWITCH has another gateway ${name}: ${differing(delivered.element, first)}`;
  return finding(delivered, 'differs', message);
}

// A gateway that was there stays as it was, whatever the files say.
async function judgeRunning(ask: Ask, delivered: Delivered): Promise<Finding[]> {
  const name = gatewayName(delivered.element);
  const status = await gatewayStatus(ask, name);
  if (status === null) return [finding(delivered, 'missing', `FreeSWITCH refused the gateway ${name}`)];
  const wanted = settings(delivered.element);
  const registers = wanted.get('register') === 'true';
  const facts: [field: string, wanted: string | undefined][] = [
    ['proxy', `sip:${wanted.get('proxy')}`],
    ['context', wanted.get('context')],
    ['exten', wanted.get('extension')],
    ['username', wanted.get('username') ?? 'FreeSWITCH'],
    ['pingfreq', wanted.get('ping') ?? '0'],
    ...(registers ? ([['expires', wanted.get('expire-seconds')]] as [string, string][]) : []),
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
  tree: ReadonlyMap<string, Element[]>;
}

// One that still stands in the tree is somebody else's by now.
function isLeftOver({ element }: Delivered, { kept, made, tree }: Running): boolean {
  const name = gatewayName(element);
  return !kept.has(name) && made.has(name) && !tree.has(name);
}

const leftOver = (delivered: Delivered): Finding =>
  finding(
    delivered,
    'unexpected',
    `the gateway ${gatewayName(delivered.element)} still runs, and is no longer delivered`,
  );

import type { Artifact } from '../../plan/generation.ts';
import type { Finding } from '../target.ts';
import type { AmiMessage } from './ami/codec.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';
import { compareObject } from './compare-object.ts';
import { type Delivered, deliveredObjects, deliveredPath, objectKey } from './delivered.ts';
import { brokenMainFile, duplicateSections, whyNotRead } from './diagnose.ts';
import { isShown } from './expected-values.ts';
import { mainFile, type ReadFile } from './include-lines.ts';
import {
  endpointDetail,
  fileSections,
  type LiveObjects,
  liveObjects,
  pipelined,
  sectionNames,
} from './live-objects.ts';
import type { PjsipObject } from './pjsip-object.ts';

/** What a verification compares, and with whose help. */
export interface Verification {
  ami: AmiConnection;
  version: string;
  artifacts: readonly Artifact[];
  changed: ReadonlySet<string>;
  /** What the changed artifacts held in the generation that ran before. */
  before: readonly Delivered[];
  /** For the explanation of what is not read: the configuration folder itself. */
  read: ReadFile;
  folder: string;
}

/**
 * Asks the running Asterisk, object by object, whether it holds what was delivered:
 *
 * ```
 * delivered file ─ readable? ─ part of pjsip.conf? ─ object there? ─ every value as delivered? ─ nothing left over?
 *                   syntax       not-included          missing          differs                   unexpected
 * ```
 * A reload says `Success` whatever the files hold, keeps the old values of an object it refuses, and the old state
 * of a whole type where two sections share a name: only values tell.
 */
export async function verifyDelivered(verification: Verification): Promise<Finding[]> {
  const { ami, artifacts, changed, read, folder } = verification;
  const unreadable = await unreadableFiles(
    ami,
    artifacts.filter((artifact) => changed.has(artifact.key)),
  );
  const delivered = artifacts.map((artifact) => ({ artifact, objects: deliveredObjects(artifact) }));
  const objects = delivered.flatMap((one) => one.objects);
  const sections = await readSections(ami);
  if (sections === null) {
    // Everything keeps its old state, which may be just what is to run.
    const differences = await compareRunning(verification, delivered, countNames(objects));
    const cause = await brokenMainFile(read, folder);
    return withCauses([cause], unreadable, unreadable.length + differences.length === 0);
  }
  const findings = [...unreadable, ...(await compareRunning(verification, delivered, sections))];
  const causes = await explain(verification, objects, sections, findings);
  return withCauses(causes, findings, findings.length === 0);
}

function withCauses(
  causes: readonly Finding[],
  findings: readonly Finding[],
  asDelivered: boolean,
): Finding[] {
  return [
    ...causes.map((cause) => (asDelivered ? { ...cause, standing: true as const } : cause)),
    ...findings,
  ];
}

async function compareRunning(
  verification: Verification,
  delivered: readonly { artifact: Artifact; objects: Delivered[] }[],
  sections: ReadonlyMap<string, number>,
): Promise<Finding[]> {
  const { ami, changed } = verification;
  const findings: Finding[] = [];
  const skipped = new Set<string>();
  for (const { artifact, objects } of delivered) {
    if (objects.length === 0 || objects.some(({ object }) => sections.has(object.id))) continue;
    skipped.add(artifact.key);
    findings.push(notIncluded(artifact));
  }
  const read = delivered.filter(({ artifact }) => !skipped.has(artifact.key));
  const live = await liveObjects(ami);
  findings.push(
    ...absent(
      read.flatMap((one) => one.objects),
      live,
      sections,
    ),
  );
  const inChanged = read.filter(({ artifact }) => changed.has(artifact.key)).flatMap((one) => one.objects);
  findings.push(...(await differing(verification, inChanged, live)));
  const all = delivered.flatMap((one) => one.objects);
  findings.push(...leftOver(verification, all, live, sections));
  return findings;
}

/** The files among these that Asterisk cannot read to their end. */
export async function unreadableFiles(
  ami: AmiConnection,
  artifacts: readonly Artifact[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  await pipelined(artifacts, async (artifact) => {
    const file = deliveredPath(artifact);
    try {
      await sectionNames(ami, file);
    } catch (error) {
      if (!(error instanceof AmiError)) throw error;
      if (error.outcome === 'refused') throw error;
      const missing = /not found/i.test(error.reply);
      findings.push({
        object: `file ${file}`,
        tenant: artifact.tenant,
        file,
        code: missing ? 'missing' : 'syntax',
        message: missing
          ? 'Asterisk cannot read it: it runs with another configuration folder, or may not read the file'
          : 'Asterisk cannot read it to its end',
      });
    }
  });
  return findings;
}

/** Section name → how often it stands in pjsip.conf and its includes; null where Asterisk cannot read pjsip.conf. */
async function readSections(ami: AmiConnection): Promise<Map<string, number> | null> {
  try {
    const counts = new Map<string, number>();
    for (const name of await sectionNames(ami, mainFile)) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  } catch (error) {
    if (error instanceof AmiError && error.outcome === 'failed') return null;
    throw error;
  }
}

const notIncluded = (artifact: Artifact): Finding => ({
  object: `file ${deliveredPath(artifact)}`,
  tenant: artifact.tenant,
  file: deliveredPath(artifact),
  code: 'not-included',
  message: 'is not part of pjsip.conf as Asterisk reads it',
});

const finding = (delivered: Delivered, code: Finding['code'], message: string): Finding => ({
  object: delivered.owner,
  tenant: delivered.tenant,
  file: delivered.file,
  code,
  message,
});

function absent(
  objects: readonly Delivered[],
  live: LiveObjects,
  sections: ReadonlyMap<string, number>,
): Finding[] {
  const findings: Finding[] = [];
  for (const delivered of objects) {
    const { type, id } = delivered.object;
    if (!sections.has(id)) {
      findings.push(
        finding(delivered, 'not-included', `section [${id}] is not in pjsip.conf as Asterisk reads it`),
      );
    } else if (type in live && !live[type as keyof LiveObjects].has(id)) {
      findings.push(finding(delivered, 'missing', `${type} ${id} does not run: Asterisk refused it`));
    }
  }
  return findings;
}

// What endpoints and identifies show is compared as it arrives: kept for all, it would be a hundred times the files.
async function differing(
  verification: Verification,
  objects: readonly Delivered[],
  live: LiveObjects,
): Promise<Finding[]> {
  const { ami, before } = verification;
  const transports = await configuredTransports(ami, objects);
  const earlier = new Map(before.map((one) => [objectKey(one.object), one.object]));
  const byObject = new Map<Delivered, Finding[]>();
  const judge = (delivered: Delivered, shown: AmiMessage | null | undefined): void => {
    byObject.set(delivered, [
      ...missingTransport(delivered, shown, transports),
      ...differences(
        delivered,
        shown,
        earlier.get(objectKey(delivered.object)) ?? null,
        verification.version,
      ),
    ]);
  };
  const byEndpoint = new Map<string, Delivered[]>();
  for (const delivered of objects) {
    const { type, id } = delivered.object;
    if (!isShown(type)) continue;
    if (type !== 'endpoint' && type !== 'identify') judge(delivered, live[type].get(id));
    else append(byEndpoint, type === 'endpoint' ? id : endpointOf(delivered), delivered);
  }
  const running = [...byEndpoint.keys()].filter((name) => live.endpoint.has(name));
  await pipelined(running, async (name) => {
    const details = await endpointDetail(ami, name);
    for (const delivered of byEndpoint.get(name) ?? []) {
      const { type, id } = delivered.object;
      const shown = type === 'endpoint' ? details?.endpoint : details?.identifies.get(id);
      if (type === 'identify' && shown === undefined && details?.endpoint) {
        const message = `identify ${id} does not run: Asterisk refused it`;
        byObject.set(delivered, [finding(delivered, 'missing', message)]);
      } else judge(delivered, shown);
    }
  });
  return objects.flatMap((delivered) => byObject.get(delivered) ?? []);
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function differences(
  delivered: Delivered,
  shown: AmiMessage | null | undefined,
  before: PjsipObject | null,
  version: string,
): Finding[] {
  if (shown === undefined || shown === null) return [];
  const found = compareObject(delivered.object, before, shown, version);
  if (found.length === 0) return [];
  return [finding(delivered, 'differs', `${delivered.object.type}: ${found.join('; ')}`)];
}

const optionOf = (delivered: Delivered, name: string): string | undefined =>
  delivered.object.options.findLast(([option]) => option === name)?.[1];

const endpointOf = (delivered: Delivered): string => optionOf(delivered, 'endpoint') ?? '';

// Registrations do not show whether their transport runs; that it is configured can be asked.
async function configuredTransports(
  ami: AmiConnection,
  objects: readonly Delivered[],
): Promise<Set<string> | null> {
  if (!objects.some(({ object }) => object.type === 'registration')) return null;
  try {
    return new Set((await fileSections(ami, { type: 'transport' })).map((section) => section.name));
  } catch (error) {
    // Where pjsip.conf cannot be read, that is the finding.
    if (error instanceof AmiError && error.outcome === 'failed') return null;
    throw error;
  }
}

// Accepted silently, and then no call and no REGISTER leaves. Such an endpoint is there, and not shown.
function missingTransport(
  delivered: Delivered,
  shown: AmiMessage | null | undefined,
  configured: ReadonlySet<string> | null,
): Finding[] {
  const { type } = delivered.object;
  const transport = optionOf(delivered, 'transport');
  if (transport === undefined || transport === '') return [];
  const isMissing =
    type === 'endpoint' ? shown === null : type === 'registration' && configured?.has(transport) === false;
  if (!isMissing) return [];
  return [
    finding(
      delivered,
      'missing',
      `${type}: the transport ${transport} does not run: define it in pjsip.conf`,
    ),
  ];
}

// A name that stands in a file which is not ours, too, may well belong to that file's object.
function leftOver(
  { before }: Verification,
  objects: readonly Delivered[],
  live: LiveObjects,
  sections: ReadonlyMap<string, number>,
): Finding[] {
  const kept = new Set(objects.map(({ object }) => objectKey(object)));
  const ours = countNames(objects);
  const findings: Finding[] = [];
  for (const delivered of before) {
    const { type, id } = delivered.object;
    if (kept.has(objectKey(delivered.object)) || !(type in live)) continue;
    if (!live[type as keyof LiveObjects].has(id) || (sections.get(id) ?? 0) > (ours.get(id) ?? 0)) continue;
    findings.push(finding(delivered, 'unexpected', `${type} ${id} still runs, and is no longer delivered`));
  }
  return findings;
}

const countNames = (objects: readonly Delivered[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { object } of objects) counts.set(object.id, (counts.get(object.id) ?? 0) + 1);
  return counts;
};

/** The causes that findings have in common, and sections that lie in wait for the next restart. */
async function explain(
  { ami, read, folder }: Verification,
  objects: readonly Delivered[],
  sections: ReadonlyMap<string, number>,
  findings: readonly Finding[],
): Promise<Finding[]> {
  const causes: Finding[] = [];
  if (findings.some((one) => one.code === 'not-included')) {
    causes.push(...(await whyNotRead(ami, read, folder)));
  }
  const ours = countNames(objects);
  const shared = [...ours].filter(([name, count]) => (sections.get(name) ?? 0) > count).map(([name]) => name);
  if (shared.length > 0 || findings.some((one) => one.code === 'missing' || one.code === 'differs')) {
    causes.push(...(await duplicateSections(ami, objects)));
  }
  return causes;
}

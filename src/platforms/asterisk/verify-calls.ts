import type { Artifact } from '../../plan/generation.ts';
import type { Finding } from '../target.ts';
import type { AmiMessage } from './ami/codec.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';
import { deliveredPath } from './delivered.ts';
import { boxesFile, callsFile, deliveredFiles } from './delivered-files.ts';
import { whyNotRead } from './diagnose.ts';
import { type Context, type Extension, isDocumented, type Step } from './dialplan/dialplan.ts';
import { parseSections } from './dialplan/sections.ts';
import { parseDialplan } from './dialplan/text.ts';
import { mainFile, type ReadFile } from './include-lines.ts';
import { pipelined, sectionNames } from './live-objects.ts';
import { unreadableFiles } from './verify.ts';

/** What a verification of calls compares, and with whose help. */
export interface CallsVerification {
  ami: AmiConnection;
  /** Those of the files that say where calls go. */
  artifacts: readonly Artifact[];
  changed: ReadonlySet<string>;
  /** What was verified last, and is another one now, or gone. */
  before: readonly Artifact[];
  read: ReadFile;
  folder: string;
}

/**
 * Asks the running Asterisk for every context of the changed tenants, extension by extension and step by step, and for
 * the last context of all others: a fault in any file cuts off the dialplan behind it, and the reload says `Success`.
 * Voicemail boxes are asked for one by one. Conference profiles are shown by no action; their module refuses a reload
 * it cannot make, and keeps what it had.
 */
export async function verifyCalls(verification: CallsVerification): Promise<Finding[]> {
  const { ami, artifacts, changed, before } = verification;
  if (artifacts.length === 0 && before.length === 0) return [];
  const unreadable = await unreadableFiles(
    ami,
    artifacts.filter(({ key }) => changed.has(key)),
  );
  return [
    ...unreadable,
    ...(await notIncluded(verification)),
    ...(await dialplanFindings(verification)),
    ...(await boxFindings(verification)),
  ];
}

// Whether the main file leads to every section, as Asterisk itself reads it.
async function notIncluded({ ami, artifacts, read, folder }: CallsVerification): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { file, main } of deliveredFiles) {
    const own = artifacts.filter((artifact) => artifact.file === file);
    if (main === mainFile || own.length === 0) continue;
    const present = await sectionsOf(ami, main);
    if (present === null) {
      findings.push(...(await whyNotRead(ami, read, folder, main)));
      continue;
    }
    const missing = own.filter((artifact) =>
      parseSections(artifact.text.toString('utf8')).some(({ name }) => !present.has(name)),
    );
    if (missing.length > 0) findings.push(...(await whyNotRead(ami, read, folder, main)));
    findings.push(...missing.map((artifact) => notPartOf(artifact, main)));
  }
  return findings;
}

const notPartOf = (artifact: Artifact, main: string): Finding => ({
  object: `file ${deliveredPath(artifact)}`,
  tenant: artifact.tenant,
  file: deliveredPath(artifact),
  code: 'not-included',
  message: `is not part of ${main} as Asterisk reads it`,
});

async function sectionsOf(ami: AmiConnection, main: string): Promise<Set<string> | null> {
  try {
    return new Set(await sectionNames(ami, main));
  } catch (error) {
    if (error instanceof AmiError && error.outcome === 'failed') return null;
    throw error;
  }
}

const contextsOf = ({ text }: Artifact): Context[] => parseDialplan(text.toString('utf8'));

/** A context that is compared, with the words in which a finding speaks of it. */
interface Compared {
  context: Context;
  artifact: Artifact;
}

async function dialplanFindings({ ami, artifacts, changed, before }: CallsVerification): Promise<Finding[]> {
  const dialplans = artifacts.filter(({ file }) => file === callsFile);
  const compared = dialplans.flatMap((artifact): Compared[] => {
    const contexts = contextsOf(artifact);
    const asked = changed.has(artifact.key) ? contexts : contexts.slice(-1);
    return asked.map((context) => ({ context, artifact }));
  });
  const found = new Map<Compared, Finding[]>();
  await pipelined(compared, async (one) => {
    found.set(one, compare(one, await shownContext(ami, one.context.name)));
  });
  const kept = new Set(dialplans.flatMap((artifact) => contextsOf(artifact).map(({ name }) => name)));
  const gone = before
    .filter(({ file }) => file === callsFile)
    .flatMap((artifact) => contextsOf(artifact).map((context) => ({ context, artifact })))
    .filter(({ context }) => !kept.has(context.name) && !isDocumented(context));
  const leftOver: Finding[] = [];
  await pipelined(gone, async (one) => {
    if ((await shownContext(ami, one.context.name)) === null) return;
    leftOver.push(
      finding(one, '', 'unexpected', `context ${one.context.name} still runs, and is no longer delivered`),
    );
  });
  return [...compared.flatMap((one) => found.get(one) ?? []), ...leftOver];
}

/** A context as it runs: pattern → priority → what is shown of the step; and what it includes. */
interface ShownContext {
  extensions: Map<string, Map<number, AmiMessage>>;
  includes: Set<string>;
}

async function shownContext(ami: AmiConnection, name: string): Promise<ShownContext | null> {
  let items: AmiMessage[];
  try {
    items = await ami.list('ShowDialPlan', { Context: name });
  } catch (error) {
    if (error instanceof AmiError && /did not find context/i.test(error.reply)) return null;
    throw error;
  }
  const shown: ShownContext = { extensions: new Map(), includes: new Set() };
  for (const item of items) {
    const include = item.get('IncludeContext');
    if (include !== undefined) shown.includes.add(include);
    const pattern = item.get('Extension');
    if (pattern === undefined) continue;
    const steps = shown.extensions.get(pattern) ?? new Map<number, AmiMessage>();
    steps.set(Number(item.get('Priority')), item);
    shown.extensions.set(pattern, steps);
  }
  return shown;
}

const finding = (
  { context, artifact }: Compared,
  owner: string,
  code: Finding['code'],
  message: string,
): Finding => ({
  object: [owner, context.owner, `context ${context.name}`].find((name) => name !== '') ?? '',
  tenant: artifact.tenant,
  file: deliveredPath(artifact),
  code,
  message,
});

function compare(one: Compared, shown: ShownContext | null): Finding[] {
  const { context } = one;
  if (shown === null) {
    return [
      finding(one, '', 'missing', `context ${context.name} does not run: Asterisk did not read so far`),
    ];
  }
  const findings: Finding[] = [];
  for (const name of context.includes) {
    if (shown.includes.has(name)) continue;
    findings.push(finding(one, '', 'missing', `context ${context.name} does not include ${name}`));
  }
  for (const extension of context.extensions) {
    const problem = differenceOf(extension, shown.extensions.get(extension.pattern));
    if (problem === null) continue;
    const where = `extension ${extension.pattern} of ${context.name}`;
    findings.push(finding(one, extension.owner, problem.code, `${where} ${problem.message}`));
  }
  return [...findings, ...foreign(one, shown)];
}

// Somebody else's extensions change where calls go just as faults do; only the documented contexts are shared.
function foreign(one: Compared, shown: ShownContext): Finding[] {
  const { context } = one;
  if (isDocumented(context)) return [];
  const own = new Set(context.extensions.map(({ pattern }) => pattern));
  const includes = new Set(context.includes);
  return [
    ...[...shown.extensions.keys()]
      .filter((pattern) => !own.has(pattern))
      .map((pattern) => `extension ${pattern}`),
    ...[...shown.includes].filter((name) => !includes.has(name)).map((name) => `include ${name}`),
  ].map((what) =>
    finding(one, '', 'unexpected', `context ${context.name} also has ${what}, which sipctl did not deliver`),
  );
}

function differenceOf(
  { steps }: Extension,
  shown: Map<number, AmiMessage> | undefined,
): { code: 'missing' | 'differs'; message: string } | null {
  if (shown === undefined) return { code: 'missing', message: 'does not run' };
  for (const [at, wanted] of steps.entries()) {
    const runs = shown.get(at + 1);
    if (runs === undefined) return { code: 'differs', message: `ends before step ${at + 1}` };
    if (!isShownAs(wanted, runs)) {
      return { code: 'differs', message: `does something else in step ${at + 1}, ${wanted.application}` };
    }
  }
  return shown.size > steps.length
    ? { code: 'differs', message: 'has more steps than were delivered' }
    : null;
}

const isShownAs = (step: Step, shown: AmiMessage): boolean =>
  shown.get('Application') === step.application &&
  (shown.get('AppData') ?? '') === step.data &&
  (shown.get('ExtensionLabel') ?? '') === step.label;

/**
 * Boxes that are missing, or left over. A manager user without `reporting` may not ask for them: then only the files
 * were read.
 */
async function boxFindings({ ami, artifacts, before }: CallsVerification): Promise<Finding[]> {
  const delivered = artifacts.flatMap(boxesOf);
  const earlier = before.flatMap(boxesOf);
  if (delivered.length === 0 && earlier.length === 0) return [];
  const running = await runningBoxes(ami);
  if (running === null) return [];
  const kept = new Set(delivered.map(({ box }) => box));
  return [
    ...delivered
      .filter(({ box }) => !running.has(box))
      .map((one) => boxFinding(one, 'missing', `voicemail box ${one.box} does not run`)),
    ...earlier
      .filter(({ box }) => running.has(box) && !kept.has(box))
      .map((one) =>
        boxFinding(one, 'unexpected', `voicemail box ${one.box} still runs, and is no longer delivered`),
      ),
  ];
}

interface Box {
  box: string;
  owner: string;
  artifact: Artifact;
}

const boxesOf = (artifact: Artifact): Box[] =>
  artifact.file !== boxesFile
    ? []
    : parseSections(artifact.text.toString('utf8'))
        .filter(({ name }) => name !== 'zonemessages')
        .flatMap(({ name, entries }) =>
          entries.map(({ key, owner }) => ({ box: `${key}@${name}`, owner, artifact })),
        );

const boxFinding = ({ owner, artifact }: Box, code: Finding['code'], message: string): Finding => ({
  object: owner,
  tenant: artifact.tenant,
  file: deliveredPath(artifact),
  code,
  message,
});

async function runningBoxes(ami: AmiConnection): Promise<Set<string> | null> {
  try {
    const items = await ami.list('VoicemailUsersList');
    return new Set(items.map((item) => `${item.get('VoiceMailbox')}@${item.get('VMContext')}`));
  } catch (error) {
    if (error instanceof AmiError && error.outcome === 'refused') return null;
    throw error;
  }
}

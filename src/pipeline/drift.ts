import { SipctlError } from '../errors.ts';
import { generationFolder } from '../files/generations.ts';
import { changedObjects } from '../plan/diff.ts';
import { type Artifact, type Manifest, storePath } from '../plan/generation.ts';
import type { ObjectChange } from '../plan/plan.ts';
import type { Finding, Target } from '../platforms/target.ts';
import type { Store } from '../store/store.ts';
import { type DeliveredText, deliveredTexts, wasEdited } from './delivered-texts.ts';
import { makePlan, type PlannedTarget } from './make-plan.ts';
import { meantGeneration } from './meant-generation.ts';
import type { RenderTenants } from './render-tenants.ts';

/** Where something is not as it was delivered last. */
export type DriftSide = 'database' | 'files' | 'running';

export interface DriftFinding extends Finding {
  /** Which of the three differ from what was delivered last. */
  differs: DriftSide[];
}

/** How far apart the database, the files of a node and what it runs are. */
export interface NodeDrift {
  node: string;
  /** The generation that all three are compared with; null where nothing was delivered yet. */
  generation: number | null;
  findings: DriftFinding[];
  /** Why something could not be compared; null where all was, or where no control is configured. */
  error: SipctlError | null;
  /** True where the running system was compared too. */
  live: boolean;
}

/** Where tenants come from. */
export interface DriftSite {
  store: Store;
  render: RenderTenants;
}

/**
 * Compares three with what was delivered last, object by object: the database as it would be rendered now, the files as
 * they stand on the node, and what the node runs.
 *
 * ```
 * database ─ apply waits        files ─ edited by hand        running ─ changed live, or a file was read that is edited
 *      └──────────────────────────────── the generation as it was delivered ───────────────────────┘
 * ```
 * @param signal ends the wait for a PBX that does not answer
 */
export async function driftOf(
  site: DriftSite,
  planned: PlannedTarget,
  signal?: AbortSignal,
): Promise<NodeDrift> {
  const target = careful(planned.target);
  const drift: NodeDrift = { node: target.node, generation: null, findings: [], error: null, live: false };
  const found: DriftFinding[] = [];
  try {
    const { manifest, fault } = await meantGeneration(target);
    if (fault !== null) found.push(of('files', fault));
    if (manifest === null) return { ...drift, findings: found };
    drift.generation = manifest.generation;
    const texts = await deliveredTexts(site.render, target, manifest);
    found.push(...editedTexts(target, texts), ...(await editedIndexes(target, manifest)));
    if (fault === null) found.push(...(await pendingChanges(site, { ...planned, target }, texts)));
    if (target.controllable) {
      found.push(...(await liveDifferences(target, texts, signal)));
      drift.live = true;
    }
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    drift.error = error;
  }
  return { ...drift, findings: merged(found) };
}

// A file that was edited may be no XML any more, and then has no objects to tell apart.
const careful = (target: Target): Target => ({
  ...target,
  objectChanges: (key, before, after) => {
    try {
      return target.objectChanges(key, before, after);
    } catch {
      return [];
    }
  },
});

const of = (side: DriftSide, finding: Finding): DriftFinding => ({ ...finding, differs: [side] });

function editedTexts(target: Target, texts: readonly DeliveredText[]): DriftFinding[] {
  return texts.filter(wasEdited).flatMap((text) => {
    const { key, artifact, onNode, delivered } = text;
    const file = `sipctl/${storePath(artifact)}`;
    const whole = edited(file, artifact.tenant, onNode === null);
    if (onNode === null) return [whole];
    if (delivered === null)
      return [{ ...whole, message: `${whole.message}, and the database has changed since` }];
    const changes = target.objectChanges(key, delivered, onNode);
    return [whole, ...changes.map((change) => objectFinding('files', change, file))];
  });
}

async function editedIndexes(target: Target, manifest: Manifest): Promise<DriftFinding[]> {
  const folder = `generations/${generationFolder(manifest.generation)}`;
  const indexes = [...target.indexes(manifest)].map(([name, text]) => ({ path: `${folder}/${name}`, text }));
  const found = await target.files.readAll(indexes.map(({ path }) => path));
  return indexes.flatMap(({ path, text }, at) => {
    const there = found[at] ?? null;
    return there?.toString('utf8') === text ? [] : [edited(`sipctl/${path}`, null, there === null)];
  });
}

const edited = (file: string, tenant: string | null, gone: boolean): DriftFinding =>
  of('files', {
    object: `file ${file}`,
    ...{ tenant, file, code: gone ? 'missing' : 'edited' },
    message: gone ? 'is gone' : 'was edited by hand',
  });

async function pendingChanges(
  site: DriftSite,
  planned: PlannedTarget,
  texts: readonly DeliveredText[],
): Promise<DriftFinding[]> {
  const { nodes, failures } = await makePlan(site, [planned], { refresh: false, confirmed: null });
  for (const { error } of failures) throw error;
  const editedKeys = new Map(texts.filter(wasEdited).map((text) => [text.key, text]));
  const changes = (nodes[0]?.changes ?? []).map((change) => {
    const text = editedKeys.get(change.key);
    if (text === undefined) return change;
    // The plan compares with what stands there; here it matters what was delivered.
    const before = text.delivered;
    const after = change.after?.text ?? null;
    return { objects: before === null ? [] : planned.target.objectChanges(change.key, before, after) };
  });
  return changedObjects(changes).map((change) => objectFinding('database', change, null));
}

async function liveDifferences(
  target: Target,
  texts: readonly DeliveredText[],
  signal?: AbortSignal,
): Promise<DriftFinding[]> {
  const running = await target.connect(signal);
  try {
    const artifacts = texts.map(({ key, artifact, onNode, delivered }): Artifact => {
      return { ...artifact, key, text: delivered ?? onNode ?? Buffer.alloc(0) };
    });
    const findings = await running.verify(artifacts, new Set(artifacts.map(({ key }) => key)));
    return findings.map((finding) => of(sideOf(finding), finding));
  } finally {
    await running.close();
  }
}

// What the engine says of files on its disk is no word about what it runs.
const sideOf = ({ code, object }: Finding): DriftSide =>
  code === 'syntax' || code === 'not-included' || object.startsWith('file ') ? 'files' : 'running';

const verbs: Readonly<Record<'files' | 'database', Readonly<Record<ObjectChange['action'], string>>>> = {
  files: { create: 'was added by hand', update: 'was changed by hand', delete: 'was taken out by hand' },
  database: { create: 'is new', update: 'has changed', delete: 'was removed' },
};

function objectFinding(
  side: 'files' | 'database',
  { action, kind, tenant, name, options }: ObjectChange,
  file: string | null,
): DriftFinding {
  const values = options.map(
    ({ section, option, before, after }) =>
      `${section} ${option}: ${before ?? '(not set)'} → ${after ?? '(not set)'}`,
  );
  const where = side === 'database' ? ' in the database' : '';
  const what = values.length === 0 ? '' : `: ${values.join(', ')}`;
  return of(side, {
    object: `${kind} ${name}`,
    ...{
      tenant,
      file,
      code: action === 'delete' ? 'missing' : action === 'create' ? 'unexpected' : 'differs',
    },
    message: `${verbs[side][action]}${where}${what}`,
  });
}

const sides: readonly DriftSide[] = ['database', 'files', 'running'];

/** One finding per object: all that differs about it, wherever. */
function merged(findings: readonly DriftFinding[]): DriftFinding[] {
  const objects = new Map<string, DriftFinding>();
  for (const finding of findings) {
    const id = `${finding.tenant ?? ''}\n${finding.object}`;
    const known = objects.get(id);
    if (known === undefined) objects.set(id, finding);
    else objects.set(id, joined(known, finding));
  }
  return [...objects.values()];
}

const joined = (one: DriftFinding, other: DriftFinding): DriftFinding => ({
  ...one,
  file: one.file ?? other.file,
  message: [...new Set([...one.message.split('; '), ...other.message.split('; ')])].join('; '),
  differs: sides.filter((side) => one.differs.includes(side) || other.differs.includes(side)),
});

import { createHash } from 'node:crypto';
import { SipctlError } from '../errors.ts';
import { generationFolder } from '../files/generations.ts';
import { type Manifest, storePath } from '../plan/generation.ts';
import type { Finding, Target } from '../platforms/target.ts';
import { artifactsOf, heldGeneration } from './held.ts';

/** What a node holds or runs that its last generation did not put there. */
export interface NodeDrift {
  node: string;
  generation: number | null;
  findings: Finding[];
  /** Why the running system could not be asked; null where it was, or where no control is configured. */
  error: SipctlError | null;
  /** True where the running system was compared too. */
  live: boolean;
}

/**
 * Compares a node's files with its manifest, and the running system with its files: every object, every value.
 * @param signal ends the wait for a PBX that does not answer
 */
export async function driftOf(target: Target, signal?: AbortSignal): Promise<NodeDrift> {
  const drift: NodeDrift = { node: target.node, generation: null, findings: [], error: null, live: false };
  try {
    const held = await heldGeneration(target);
    if (held === null) return drift;
    drift.generation = held.generation;
    drift.findings.push(...(await editedFiles(target, held)));
    if (!target.controllable) return drift;
    drift.findings.push(...(await liveDifferences(target, held, signal)));
    drift.live = true;
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    drift.error = error;
  }
  return drift;
}

async function editedFiles(target: Target, held: Manifest): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const artifact of Object.values(held.artifacts)) {
    const path = storePath(artifact);
    const text = await target.files.read(path);
    if (text !== null && createHash('sha256').update(text).digest('hex') === artifact.sha256) continue;
    findings.push(edited(path, artifact.tenant, text === null));
  }
  for (const [name, text] of target.indexes(held)) {
    const path = `generations/${generationFolder(held.generation)}/${name}`;
    const found = await target.files.read(path);
    if (found?.toString('utf8') !== text) findings.push(edited(path, null, found === null));
  }
  return findings;
}

const edited = (path: string, tenant: string | null, gone: boolean): Finding => ({
  object: `file ${path}`,
  tenant,
  file: `sipctl/${path}`,
  code: gone ? 'missing' : 'edited',
  message: gone ? 'is gone' : 'was edited by hand',
});

async function liveDifferences(target: Target, held: Manifest, signal?: AbortSignal): Promise<Finding[]> {
  const running = await target.connect(signal);
  try {
    const artifacts = await artifactsOf(target, held);
    return await running.verify(artifacts, new Set(artifacts.map((artifact) => artifact.key)));
  } finally {
    await running.close();
  }
}

import { SipctlError } from '../errors.ts';
import { generationFolder } from '../files/generations.ts';
import { type Manifest, manifestFile } from '../plan/generation.ts';
import { readManifest } from '../platforms/generation-files.ts';
import type { Finding, Target } from '../platforms/target.ts';
import { readGeneration } from './held.ts';

/** What a node is to hold by its own account, and what is wrong with the way it says so. */
export interface MeantGeneration {
  /** Null where nothing was ever delivered to it. */
  manifest: Manifest | null;
  fault: Finding | null;
}

/**
 * The generation in force; where `current` or its manifest is broken, the one that was verified last, or the newest that
 * can be read.
 * @throws SipctlError where the node's folder itself cannot be read
 */
export async function meantGeneration(target: Target): Promise<MeantGeneration> {
  const { files } = target;
  const kept = await files.list();
  const current = await currentOrFault(target, kept);
  if (typeof current === 'number') {
    try {
      return { manifest: await readGeneration(target, current), fault: null };
    } catch (error) {
      if (!(error instanceof SipctlError)) throw error;
      return { manifest: await lastReadable(target, kept, current), fault: damaged(current, error) };
    }
  }
  return { manifest: current === null ? null : await lastReadable(target, kept, null), fault: current };
}

async function currentOrFault(target: Target, kept: readonly number[]): Promise<number | Finding | null> {
  try {
    const current = await target.files.current();
    if (current !== null || kept.length === 0) return current;
    return brokenCurrent('missing', 'names no generation that is there: the PBX reads nothing of sipctl');
  } catch (error) {
    if (!(error instanceof SipctlError) || error.outcome !== 'refused') throw error;
    return brokenCurrent('edited', error.message);
  }
}

async function lastReadable(
  { files }: Target,
  kept: readonly number[],
  except: number | null,
): Promise<Manifest | null> {
  const verified = await files.verified();
  const candidates = [...(verified === null ? [] : [verified]), ...kept.toReversed()];
  for (const number of candidates.filter((one) => one !== except && kept.includes(one))) {
    try {
      const manifest = await readManifest(files, number);
      if (manifest !== null) return manifest;
    } catch (error) {
      if (!(error instanceof SipctlError)) throw error;
    }
  }
  return null;
}

const brokenCurrent = (code: 'missing' | 'edited', message: string): Finding => ({
  ...{ object: 'link current', tenant: null, file: 'sipctl/current', code, message },
});

const damaged = (generation: number, { message }: SipctlError): Finding => {
  const file = `sipctl/generations/${generationFolder(generation)}/${manifestFile}`;
  return { object: `file ${file}`, tenant: null, file, code: 'edited', message };
};

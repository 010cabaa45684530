import { createHash } from 'node:crypto';
import { SipctlError } from '../errors.ts';
import { type Artifact, type HeldArtifact, type Manifest, storePath } from '../plan/generation.ts';
import type { Target } from '../platforms/target.ts';
import type { RenderTenants } from './render-tenants.ts';

/** One artifact of a generation: what stands on the node, and what was delivered. */
export interface DeliveredText {
  key: string;
  artifact: HeldArtifact;
  /** Null where the file is gone. */
  onNode: Buffer | null;
  /** Null where the file was changed, and the database does not give that text any more. */
  delivered: Buffer | null;
}

export const wasEdited = ({ onNode, delivered }: DeliveredText): boolean =>
  onNode === null || delivered === null || onNode !== delivered;

/**
 * The artifacts of a generation as they stand, and as they were delivered: a manifest holds only the digest of a text, so
 * that of a changed file is rendered anew, and is the same where the database is.
 */
export async function deliveredTexts(
  render: RenderTenants,
  target: Target,
  { artifacts }: Pick<Manifest, 'artifacts'>,
): Promise<DeliveredText[]> {
  const texts: DeliveredText[] = [];
  const held = Object.entries(artifacts);
  const found = await target.files.readAll(held.map(([, artifact]) => storePath(artifact)));
  for (const [at, [key, artifact]] of held.entries()) {
    const onNode = found[at] ?? null;
    const isWhole = onNode !== null && digest(onNode) === artifact.sha256;
    texts.push({ key, artifact, onNode, delivered: isWhole ? onNode : null });
  }
  const tenants = new Set(texts.filter(wasEdited).map(({ artifact }) => artifact.tenant));
  const again = await renderedAgain(render, target, [...tenants]);
  return texts.map((one) => {
    const fresh = again.get(one.key);
    return one.delivered === null && fresh?.sha256 === one.artifact.sha256
      ? { ...one, delivered: fresh.text }
      : one;
  });
}

async function renderedAgain(
  render: RenderTenants,
  target: Target,
  tenants: readonly string[],
): Promise<Map<string, Artifact>> {
  if (tenants.length === 0) return new Map();
  try {
    const found = await render(target, tenants);
    return new Map(found.flatMap(({ artifacts }) => artifacts.map((one) => [one.key, one])));
  } catch (error) {
    // A tenant that cannot be rendered is what plan and apply complain of.
    if (error instanceof SipctlError) return new Map();
    throw error;
  }
}

const digest = (text: Buffer): string => createHash('sha256').update(text).digest('hex');

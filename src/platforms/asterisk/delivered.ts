import { type Artifact, type HeldArtifact, storePath } from '../../plan/generation.ts';
import { parseRendered } from './conf/rendered.ts';
import type { PjsipObject } from './pjsip-object.ts';

/** One delivered object with the words in which a finding speaks of it. */
export interface Delivered {
  /** As sipctl names its owner: `trunk telnyx_main`, `user john_doe`. */
  owner: string;
  tenant: string;
  /** Path below the configuration folder. */
  file: string;
  object: PjsipObject;
}

/** Where a delivered text stands, relative to the configuration folder. */
export const deliveredPath = (artifact: HeldArtifact): string => `sipctl/${storePath(artifact)}`;

/** The objects of a delivered text, read back from the text itself. */
export function deliveredObjects(artifact: Artifact): Delivered[] {
  const file = deliveredPath(artifact);
  return parseRendered(artifact.text.toString('utf8')).flatMap((group) =>
    group.objects.map((object) => ({
      owner: `${group.kind} ${group.name}`,
      tenant: artifact.tenant,
      file,
      object,
    })),
  );
}

/** Objects of Asterisk are told apart by type and name; neither holds a line break. */
export const objectKey = (object: Pick<PjsipObject, 'type' | 'id'>): string => `${object.type}\n${object.id}`;

import { SipctlError } from '../errors.ts';

/** The manifest of one generation: what it holds and what it was made from. Stands in `manifest.json`. */
export interface Manifest {
  schema: 'sipctl/generation/1';
  generation: number;
  /** UTC, ISO 8601. */
  createdAt: string;
  sipctl: string;
  /** Digest of templates and node settings: what decides, besides the data, how a tenant is rendered. */
  renderDigest: string;
  /** Tenant → the revision of its data. */
  tenants: Record<string, string>;
  /** Artifact key → what it holds. */
  artifacts: Record<string, HeldArtifact>;
}

export interface HeldArtifact {
  tenant: string;
  /** The file on the PBX that it is a part of, for example `pjsip_users.conf`. */
  file: string;
  /** Hex SHA-256 of the text. */
  sha256: string;
  /** Trunks or users in it. */
  objects: number;
}

/** One named text that a node is to hold: one tenant's part of one file. */
export interface Artifact extends HeldArtifact {
  /** `<tenant>/<file>` */
  key: string;
  text: Buffer;
}

export const artifactKey = (tenant: string, file: string): string => `${tenant}/${file}`;

/** Where an artifact stands below the node's sipctl folder. Its name is its content: written once, never changed. */
export function storePath(artifact: HeldArtifact): string {
  const dot = artifact.file.lastIndexOf('.');
  const hash = artifact.sha256.slice(0, 16);
  return `store/${artifact.tenant}/${artifact.file.slice(0, dot)}.${hash}${artifact.file.slice(dot)}`;
}

/** The number of the generation that a node is prepared with: it includes nothing, and can be gone back to. */
const emptyGenerationNumber = 0;

export function emptyManifest(sipctl: string, at: Date): Manifest {
  return {
    schema: 'sipctl/generation/1',
    generation: emptyGenerationNumber,
    createdAt: at.toISOString(),
    sipctl,
    renderDigest: '',
    tenants: {},
    artifacts: {},
  };
}

/** The name of the manifest in a generation's folder. */
export const manifestFile = 'manifest.json';

export const writeManifest = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 1)}\n`;

/** @throws SipctlError `failed` when the text is no manifest: somebody has changed it */
export function parseManifest(text: string, where: string): Manifest {
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.schema === 'sipctl/generation/1' && typeof manifest.artifacts === 'object') return manifest;
  } catch {
    // Falls through to the one complaint below.
  }
  throw damagedManifest(`${where} is not a manifest of sipctl`);
}

export const damagedManifest = (message: string): SipctlError =>
  new SipctlError('failed', {
    code: 'manifest_damaged',
    message,
    hint: 'go back to an earlier generation: sipctl rollback <node> --to <generation>',
  });

import { createHash } from 'node:crypto';
import type { ResolvedSite, ResolvedTrunk } from '../../../model/site.ts';
import { type Artifact, artifactKey, type HeldArtifact, storePath } from '../../../plan/generation.ts';
import { deliveredFiles, directoryFile, gatewaysFile } from '../delivered-files.ts';
import type { Element } from '../xml/element.ts';
import { checkElements } from '../xml/parse.ts';
import { elementText } from '../xml/write.ts';
import { directory } from './directory.ts';
import { gateway } from './gateways.ts';

/**
 * One artifact per file of the tenant that is not empty, objects in the order of their names. A pure function: same
 * input, same bytes.
 * @throws SipctlError `invalid` for a value that no file of FreeSWITCH can hold, or a tenant without the domain it needs
 */
export function renderTenant(site: ResolvedSite): Artifact[] {
  const { name } = site.tenant;
  return [
    ...artifact(name, gatewaysFile, 'Gateways', sorted(site.trunks).map(gateway), site.trunks.length),
    ...artifact(name, directoryFile, 'SIP users', directory(site), site.users.length),
  ];
}

/** The files of a generation's own folder: each includes what all tenants have in the store, and may be empty. */
export function renderIndexes(artifacts: Readonly<Record<string, HeldArtifact>>): Map<string, string> {
  const keys = Object.keys(artifacts).sort();
  return new Map(
    deliveredFiles.map(({ file }) => {
      const parts = keys.map((key) => artifacts[key] as HeldArtifact).filter((one) => one.file === file);
      return [file, indexText(parts)];
    }),
  );
}

// A relative path starts at the file that names it.
const indexText = (parts: readonly HeldArtifact[]): string =>
  included(
    'Part of one generation, made by sipctl.',
    parts.map((one) => `  <X-PRE-PROCESS cmd="include" data="../../${storePath(one)}"/>\n`).join(''),
  );

/** The preprocessor drops a line that holds `<include>` whole, so nothing else stands on it. */
const included = (about: string, lines: string): string =>
  `<include>\n  <!-- ${about} -->\n${lines}</include>\n`;

function artifact(
  tenant: string,
  file: string,
  what: string,
  elements: readonly Element[],
  objects: number,
): Artifact[] {
  if (elements.length === 0) return [];
  const about = `${what} of tenant ${tenant}, rendered by sipctl. Changes made here are lost with the next apply.`;
  const content = included(about, elements.map((one) => elementText(one, 1)).join(''));
  checkElements(content, elements);
  const text = ownBytes(content);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return [{ key: artifactKey(tenant, file), tenant, file, sha256, objects, text }];
}

// By code unit, so that the order is the same on every machine.
const sorted = (trunks: readonly ResolvedTrunk[]): ResolvedTrunk[] =>
  [...trunks].sort((one, other) => (one.name < other.name ? -1 : 1));

// In memory of its own: another thread is handed it whole.
function ownBytes(content: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(content));
  bytes.write(content);
  return bytes;
}

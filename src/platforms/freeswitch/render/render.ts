import { createHash } from 'node:crypto';
import type { ResolvedSite, ResolvedTrunk } from '../../../model/site.ts';
import { type Artifact, artifactKey, type HeldArtifact, storePath } from '../../../plan/generation.ts';
import {
  callsFile,
  controlsFile,
  deliveredFiles,
  directoryFile,
  gatewaysFile,
  menusFile,
  publicFile,
  roomsFile,
} from '../delivered-files.ts';
import { contextsOf } from '../dialplan/calls.ts';
import { contextElement, extensionElement } from '../dialplan/dialplan.ts';
import { menu } from '../dialplan/menus.ts';
import { planOf } from '../dialplan/plan.ts';
import { publicExtensions } from '../dialplan/public.ts';
import { registered } from '../dialplan/registered.ts';
import { controlGroups, roomProfile } from '../dialplan/rooms.ts';
import { checkElements } from '../xml/check.ts';
import type { Element } from '../xml/element.ts';
import { elementText, XmlText } from '../xml/write.ts';
import { directory } from './directory.ts';
import { gateway } from './gateways.ts';

/**
 * One artifact per file of the tenant that is not empty, objects in the order of their names. A pure function: same
 * input, same bytes.
 * @throws SipctlError `invalid` for a value that no file of FreeSWITCH can hold, or a tenant without the domain it needs
 */
export function renderTenant(site: ResolvedSite): Artifact[] {
  const { tenant, flow, users } = site;
  const trunks = sorted(site.trunks);
  const plan = planOf(flow, tenant.domain);
  const parts: [file: string, what: string, elements: Element[], objects: number][] = [
    [gatewaysFile, 'Gateways', trunks.map(gateway), trunks.length],
    [directoryFile, 'SIP users', directory(site), users.length],
    [menusFile, 'Menus', flow.ivrs.map((ivr) => menu(plan, ivr)), flow.ivrs.length],
    [
      roomsFile,
      'Conference rooms',
      flow.conferences.map((room) => roomProfile(plan, room)),
      flow.conferences.length,
    ],
    [
      callsFile,
      'Calls',
      [...contextsOf(plan), ...registered(plan, trunks)].map(contextElement),
      flow.inbound.length + flow.dialled.length,
    ],
    [publicFile, 'Carriers', publicExtensions(plan, trunks).map(extensionElement), trunks.length],
  ];
  return parts.flatMap(([file, what, elements, objects]) =>
    artifact(tenant.name, file, what, elements, objects),
  );
}

/** The files of a generation's own folder: each includes what all tenants have in the store, and may be empty. */
export function renderIndexes(artifacts: Readonly<Record<string, HeldArtifact>>): Map<string, string> {
  const keys = Object.keys(artifacts).sort();
  return new Map(
    deliveredFiles.map(({ file }) => {
      const parts = keys.map((key) => artifacts[key] as HeldArtifact).filter((one) => one.file === file);
      return [file, file === controlsFile ? controlsText() : indexText(parts)];
    }),
  );
}

const controlsText = (): string =>
  included(
    'What keys do in conference rooms, made by sipctl.',
    controlGroups()
      .map((one) => elementText(one, 1))
      .join(''),
  );

// A relative path starts at the file that names it.
const indexText = (parts: readonly HeldArtifact[]): string =>
  included(
    'Part of one generation, made by sipctl.',
    parts.map((one) => `  <X-PRE-PROCESS cmd="include" data="../../${storePath(one)}"/>\n`).join(''),
  );

const included = (about: string, lines: string): string => `${opening(about)}${lines}${closing}`;

// The preprocessor drops a line that holds `<include>` whole, so nothing else stands on it.
const opening = (about: string): string => `<include>\n  <!-- ${about} -->\n`;
const closing = '</include>\n';

const scratch = new XmlText(1 << 20);

function artifact(
  tenant: string,
  file: string,
  what: string,
  elements: readonly Element[],
  objects: number,
): Artifact[] {
  if (elements.length === 0) return [];
  const about = `${what} of tenant ${tenant}, rendered by sipctl. Changes made here are lost with the next apply.`;
  scratch.clear();
  scratch.add(opening(about));
  for (const one of elements) scratch.addElement(one, 1);
  scratch.add(closing);
  const text = scratch.copy();
  checkElements(text, elements);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return [{ key: artifactKey(tenant, file), tenant, file, sha256, objects, text }];
}

// By code unit, so that the order is the same on every machine.
const sorted = (trunks: readonly ResolvedTrunk[]): ResolvedTrunk[] =>
  [...trunks].sort((one, other) => (one.name < other.name ? -1 : 1));

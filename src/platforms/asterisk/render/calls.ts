import { createHash } from 'node:crypto';
import type { CallFlow } from '../../../model/flow/call-flow.ts';
import { type Artifact, artifactKey } from '../../../plan/generation.ts';
import { boxesFile, callsFile, roomsFile } from '../delivered-files.ts';
import { boxSections } from '../dialplan/boxes.ts';
import { dialplanOf } from '../dialplan/calls.ts';
import { roomSections } from '../dialplan/rooms.ts';
import { type ConfSection, checkSections, sectionText } from '../dialplan/sections.ts';
import { checkText, contextText } from '../dialplan/text.ts';
import type { CallsBlock, Templates } from './compiled.ts';
import type { CompiledFile } from './compiled-file.ts';

/** The parts of a tenant that say where its calls go; none where it has nothing of the kind. */
export function renderCalls(flow: CallFlow, templates: Templates): Artifact[] {
  const contexts = dialplanOf(flow);
  const { tenant } = flow;
  const artifacts = [...sectionsArtifact(tenant, 'boxes', boxSections(flow), templates)];
  artifacts.push(...sectionsArtifact(tenant, 'rooms', roomSections(flow), templates));
  if (contexts.length === 0) return artifacts;
  const blocks = contexts.map((context) => ({ about: context.about, lines: contextText(context) }));
  const text = textOf(templates.calls('calls'), tenant, blocks);
  checkText(text, contexts);
  const owners = contexts.flatMap((one) => [one.owner, ...one.extensions.map(({ owner }) => owner)]);
  // Users are counted where their endpoints are.
  const objects = new Set(owners.filter((owner) => owner !== '' && !owner.startsWith('user ')));
  return [...artifacts, artifactOf(tenant, callsFile, text, objects.size)];
}

function sectionsArtifact(
  tenant: string,
  shape: 'boxes' | 'rooms',
  sections: readonly ConfSection[],
  templates: Templates,
): Artifact[] {
  if (sections.length === 0) return [];
  const blocks = sections.map((section) => ({ about: '', lines: sectionText(section) }));
  const text = textOf(templates.calls(shape), tenant, blocks);
  checkSections(text, sections);
  // Boxes and rooms belong to objects that are counted elsewhere.
  return [artifactOf(tenant, shape === 'boxes' ? boxesFile : roomsFile, text, 0)];
}

const textOf = (file: CompiledFile<CallsBlock>, tenant: string, blocks: readonly CallsBlock[]): string =>
  file.header({ tenant }) + blocks.map((block) => file.block(block)).join('');

function artifactOf(tenant: string, file: string, content: string, objects: number): Artifact {
  const text = Buffer.from(content);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { key: artifactKey(tenant, file), tenant, file, sha256, objects, text };
}

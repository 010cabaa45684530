import { createHash } from 'node:crypto';
import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import type { Catalog } from '../../model/template.ts';
import { prepare } from '../generation-files.ts';
import type { Target } from '../target.ts';
import { cautions } from './cautions.ts';
import { objectChanges, reloadAll, reloadFor } from './changes.ts';
import { directoryFile, gatewaysFile } from './delivered-files.ts';
import { renderIndexes, renderTenant } from './render/render.ts';
import { defaultTimeouts, type Timeouts } from './timeouts.ts';

/** What a FreeSWITCH node is made of, besides its settings. */
export interface FreeSwitchParts {
  files: Generations;
  catalog: Catalog;
  sipctlVersion: string;
  now: () => Date;
  timeouts?: Partial<Timeouts>;
}

/** Changes when the renderer is to make other bytes of the same data and templates: every tenant is then rendered anew. */
const rendererVersion = 3;

/** A node that is a FreeSWITCH. */
export async function freeSwitchTarget(node: Node, parts: FreeSwitchParts): Promise<Target> {
  const { files, catalog } = parts;
  const timeouts = { ...defaultTimeouts, ...parts.timeouts };
  const target: Target = {
    node: node.name,
    kind: node.kind,
    renderDigest: digestOf([node.kind, rendererVersion, catalog.digest]),
    keep: node.keep,
    files,
    controllable: node.esl !== null,
    recipe: { kind: node.kind, catalog, version: '', transports: {} },
    render: renderTenant,
    indexes: ({ artifacts }) => renderIndexes(artifacts),
    cautions,
    objectChanges,
    // Networks stand in the dialplan, and of a password there is only a hash.
    readsBack: {
      [gatewaysFile]: { noun: 'trunk', untold: ['provider', 'networks'] },
      [directoryFile]: { noun: 'user', untold: ['template', 'extension', 'password'] },
    },
    reloadFor,
    reloadAll,
    remake: (trunks) => trunks.map((registration) => ({ kind: 'unregister', registration })),
    // What talks to the running system is loaded when it is talked to.
    connect: async (signal) =>
      (await import('./running-system.ts')).connectRunning(node, files, timeouts, signal),
    examine: async ({ write, signal }) =>
      (await import('./examine.ts')).examineFreeSwitch(
        {
          node,
          files,
          timeouts,
          signal,
          prepare: () => prepare(target, parts.sipctlVersion, parts.now()),
        },
        write,
      ),
    examineFeatures: async (signal) =>
      (await import('./live/features.ts')).examineFeatures(node, timeouts, signal),
    trunkState: async (tenant, trunk, look = {}) =>
      (await import('./trunk-state.ts')).trunkState(node, timeouts, { tenant, trunk }, look),
    userState: async (user, signal) =>
      (await import('./trunk-state.ts')).userState(node, timeouts, user, signal),
    callThrough: async (request, signal) =>
      (await import('./call-through.ts')).callThrough(node, timeouts, request, signal),
    callList: async () => (await import('./call-list.ts')).freeSwitchCallList,
    control: async (options) => (await import('./live/control.ts')).openControl(node, timeouts, options),
    recordings: async (signal) => ({
      folder:
        node.recordings ??
        (await (await import('./recordings-folder.ts')).recordingsFolder(node, timeouts, signal)),
      ssh: node.recordingsSsh ?? node.ssh,
      sshConfig: node.sshConfig,
    }),
  };
  return target;
}

const digestOf = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

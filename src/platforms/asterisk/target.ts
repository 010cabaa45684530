import { createHash } from 'node:crypto';
import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import type { Catalog } from '../../model/template.ts';
import { prepare } from '../generation-files.ts';
import type { Target } from '../target.ts';
import { trunksFile, usersFile } from './pjsip-object.ts';
import { reloadAll, reloadFor } from './reload.ts';
import { callChanges } from './render/call-changes.ts';
import { objectChanges } from './render/changes.ts';
import { loadTemplates } from './render/compiled.ts';
import { renderIndexes, renderTenant } from './render/render.ts';
import { shapesDigest } from './render/shipped.ts';
import { sharedNetworks } from './shared-networks.ts';
import { defaultTimeouts, type Timeouts } from './timeouts.ts';
import { transportName } from './transports.ts';

/** What an Asterisk node is made of, besides its settings. */
export interface AsteriskParts {
  files: Generations;
  catalog: Catalog;
  sipctlVersion: string;
  now: () => Date;
  timeouts?: Partial<Timeouts>;
}

/**
 * Changes when the renderer is to make other bytes of the same data, templates and shapes: every tenant is then rendered
 * anew. Of a changed template or shape its own digest says that.
 */
const rendererVersion = 3;

/** The oldest release that is supported: what it knows, all later ones know. */
const oldestVersion = '16';

/** A node that is an Asterisk. */
export async function asteriskTarget(node: Node, parts: AsteriskParts): Promise<Target> {
  const { files, catalog } = parts;
  const version = node.engineVersion ?? oldestVersion;
  const timeouts = { ...defaultTimeouts, ...parts.timeouts };
  const templates = await loadTemplates(catalog, version);
  const transports = Object.fromEntries(
    protocols.map((protocol) => [protocol, transportName(node, protocol)]),
  );
  const target: Target = {
    node: node.name,
    kind: node.kind,
    renderDigest: digestOf([rendererVersion, shapesDigest(), catalog.digest, version, transports]),
    keep: node.keep,
    files,
    controllable: node.ami !== null,
    recipe: { kind: node.kind, catalog, version, transports },
    render: (site) => renderTenant(site, { transports, templates }),
    indexes: ({ artifacts }) => renderIndexes(artifacts, templates),
    cautions: sharedNetworks,
    objectChanges: (key, before, after) => {
      const [tenant = '', file = ''] = key.split('/');
      const isPjsip = file === trunksFile || file === usersFile;
      return isPjsip ? objectChanges(tenant, before, after) : callChanges(tenant, file, before, after);
    },
    readsBack: {
      [trunksFile]: { noun: 'trunk', untold: ['provider'] },
      [usersFile]: { noun: 'user', untold: ['template', 'extension'] },
    },
    reloadFor,
    reloadAll,
    // What talks to the running system is loaded when it is talked to.
    connect: async (signal) =>
      (await import('./running-system.ts')).connectRunning(node, files, timeouts, signal),
    examine: async ({ write, signal }) =>
      (await import('./examine.ts')).examineAsterisk(
        {
          node,
          files,
          protocols: ['udp', 'tcp', 'tls'],
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
    callList: async () => (await import('./call-list.ts')).asteriskCallList,
    control: async (options) => (await import('./live/open-control.ts')).openControl(node, timeouts, options),
    recordings: async () => ({
      folder: node.recordings ?? (await (await import('./recordings-folder.ts')).recordingsFolder(files)),
      ssh: node.recordingsSsh ?? node.ssh,
      sshConfig: node.sshConfig,
    }),
  };
  return target;
}

const protocols = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;

const digestOf = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

import { createHash } from 'node:crypto';
import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import type { Catalog } from '../../model/template.ts';
import { emptyManifest, manifestFile, writeManifest } from '../../plan/generation.ts';
import type { Target } from '../target.ts';
import { examineAsterisk } from './examine.ts';
import { trunksFile, usersFile } from './pjsip-object.ts';
import { reloadAll, reloadFor } from './reload.ts';
import { callChanges } from './render/call-changes.ts';
import { objectChanges } from './render/changes.ts';
import { loadTemplates } from './render/compiled.ts';
import { renderIndexes, renderTenant } from './render/render.ts';
import { connectRunning, defaultTimeouts, type Timeouts } from './running-system.ts';
import { transportName } from './transports.ts';

/** What an Asterisk node is made of, besides its settings. */
export interface AsteriskParts {
  files: Generations;
  catalog: Catalog;
  sipctlVersion: string;
  now: () => Date;
  timeouts?: Partial<Timeouts>;
}

/** Changes when the same data and templates are to give other bytes: every tenant is then rendered anew. */
const rendererVersion = 2;

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
    renderDigest: digestOf([rendererVersion, catalog.digest, version, transports]),
    keep: node.keep,
    files,
    controllable: node.ami !== null,
    render: (site) => renderTenant(site, { transports, templates }),
    indexes: ({ artifacts }) => renderIndexes(artifacts, templates),
    objectChanges: (key, before, after) => {
      const [tenant = '', file = ''] = key.split('/');
      const isPjsip = file === trunksFile || file === usersFile;
      return isPjsip ? objectChanges(tenant, before, after) : callChanges(tenant, file, before, after);
    },
    reloadFor,
    reloadAll,
    connect: () => connectRunning(node, files, timeouts),
    examine: ({ write }) =>
      examineAsterisk(
        {
          node,
          files,
          protocols: ['udp', 'tcp', 'tls'],
          timeouts,
          writeEmptyGeneration: () => prepare(target, parts),
        },
        write,
      ),
  };
  return target;
}

const protocols = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;

// A missing #include cuts off everything after it: there is something to include before there are include lines.
async function prepare(target: Target, { files, sipctlVersion, now }: AsteriskParts): Promise<void> {
  const manifest = emptyManifest(sipctlVersion, now());
  const texts = new Map(target.indexes(manifest)).set(manifestFile, writeManifest(manifest));
  await files.write({ number: manifest.generation, store: new Map(), files: texts });
  await files.flip(manifest.generation);
}

const digestOf = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { compileShipped } from '../../src/catalog/compile.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import type { Generations } from '../../src/files/generations.ts';
import { localGenerations } from '../../src/files/local.ts';
import { type Node, node as nodeNoun } from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import type { Catalog } from '../../src/model/template.ts';
import {
  type Artifact,
  artifactKey,
  emptyManifest,
  type Manifest,
  manifestFile,
  storePath,
  writeManifest,
} from '../../src/plan/generation.ts';
import { asteriskTarget } from '../../src/platforms/asterisk/target.ts';
import type { Finding, RunningSystem, Target } from '../../src/platforms/target.ts';
import type { AmiUser, AsteriskInstance } from './asterisk.ts';

/** A real Asterisk as a node that sipctl delivers to, without a database and without a plan. */
export interface LiveNode {
  node: Node;
  target: Target;
  files: Generations;
  catalog: Catalog;
  /** Puts these texts in force, as the next generation, and nothing else. Asterisk is not told. */
  place(texts: Readonly<Record<string, string>>): Promise<Artifact[]>;
  /** Puts them in force, reloads, and compares every value of every object; the connection is closed after it. */
  deliver(texts: Readonly<Record<string, string>>): Promise<Finding[]>;
  /** Reloads and compares what is in force, as `place` gave it. */
  reload(artifacts: readonly Artifact[]): Promise<Finding[]>;
}

let catalog: Promise<Catalog> | undefined;

/** The shipped templates. */
export function shippedCatalog(): Promise<Catalog> {
  catalog ??= compileShipped(fileURLToPath(new URL('../../templates', import.meta.url))).then((shipped) =>
    loadCatalog({ shipped }),
  );
  return catalog;
}

/** A node of its first day, with these settings; everything else is what a new one has. */
export function nodeWith(values: Partial<Node>): Node {
  const initial = Object.entries(nodeNoun.fields).map(([name, field]) => [
    name,
    'initial' in field ? field.initial : null,
  ]);
  const times = { createdAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z' };
  return {
    ...Object.fromEntries(initial),
    id: 1,
    enabled: true,
    ...times,
    name: 'pbx1',
    kind: 'asterisk',
    ...values,
  };
}

export async function liveNode(
  asterisk: AsteriskInstance,
  user: AmiUser = 'deploy',
  values: Partial<Node> = {},
): Promise<LiveNode> {
  const node = nodeWith({
    dir: asterisk.etc,
    engineVersion: asterisk.major,
    ami: `${asterisk.ami.host}:${asterisk.ami.port}`,
    amiUser: user,
    amiSecret: new Secret(asterisk.ami.secret),
    ...values,
  });
  const files = localGenerations(node.dir, { now: () => new Date() });
  const shipped = await shippedCatalog();
  const target = await asteriskTarget(node, {
    files,
    catalog: shipped,
    sipctlVersion: '0.0.0',
    now: () => new Date(),
  });
  const place = (texts: Readonly<Record<string, string>>) => placeTexts(target, texts);
  const reload = (artifacts: readonly Artifact[]) => reloadAndVerify(target, artifacts);
  return {
    node,
    target,
    files,
    catalog: shipped,
    place,
    reload,
    deliver: async (texts) => reload(await place(texts)),
  };
}

async function placeTexts(target: Target, texts: Readonly<Record<string, string>>): Promise<Artifact[]> {
  const artifacts = Object.entries(texts).map(([key, text]) => artifactOf(key, text));
  const held = Object.fromEntries(artifacts.map(({ key, text: _, ...artifact }) => [key, artifact]));
  const number = ((await target.files.list()).at(-1) ?? 0) + 1;
  const manifest: Manifest = { ...emptyManifest('0.0.0', new Date()), generation: number, artifacts: held };
  const files = new Map(target.indexes(manifest)).set(manifestFile, writeManifest(manifest));
  const store = new Map(artifacts.map((artifact) => [storePath(artifact), artifact.text]));
  await target.files.write({ number, store, files });
  await target.files.flip(number);
  return artifacts;
}

function artifactOf(key: string, content: string): Artifact {
  const [tenant = '', file = ''] = key.split('/');
  const text = Buffer.from(content);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return {
    key: artifactKey(tenant, file),
    tenant,
    file,
    sha256,
    objects: content.match(/^; === (?!END)/gm)?.length ?? 0,
    text,
  };
}

async function reloadAndVerify(target: Target, artifacts: readonly Artifact[]): Promise<Finding[]> {
  const running: RunningSystem = await target.connect();
  try {
    for (const step of target.reloadAll()) await running.perform(step);
    const findings = await running.verify(artifacts, new Set(artifacts.map(({ key }) => key)));
    const current = await target.files.current();
    if (findings.length === 0 && current !== null) await target.files.markVerified(current);
    return findings;
  } finally {
    await running.close();
  }
}

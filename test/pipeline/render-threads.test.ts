import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { compileShipped } from '../../src/catalog/compile.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { SipctlError } from '../../src/errors.ts';
import { localGenerations } from '../../src/files/local.ts';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import { applyNode } from '../../src/pipeline/apply.ts';
import { makePlan } from '../../src/pipeline/make-plan.ts';
import { type RenderedTenant, type RenderTenants, renderHere } from '../../src/pipeline/render-tenants.ts';
import { renderInThreads, renderShare, type StartThread } from '../../src/pipeline/render-threads.ts';
import { startThread } from '../../src/pipeline/start-thread.ts';
import { asteriskRenderer } from '../../src/platforms/asterisk/render/render.ts';
import { asteriskTarget } from '../../src/platforms/asterisk/target.ts';
import type { Target } from '../../src/platforms/target.ts';
import { openSites } from '../../src/store/open-sites.ts';
import { Store } from '../../src/store/store.ts';
import { bundleThread } from './apply-processes.ts';

const now = (): Date => new Date('2026-05-01T12:00:00Z');
const tenants = Array.from({ length: 60 }, (_, at) => `t${String(at).padStart(2, '0')}`);
let dir: string;
let entry: URL;
let store: Store;

/** Enough users for threads, in tenants of several sizes, with and without a domain; and a trunk. */
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sipctl-threads-'));
  entry = await bundleThread(dir);
  const files = { file: join(dir, 'site.db'), keyFile: join(dir, 'key') };
  store = await Store.open({ ...files, actor: 'tester', now, create: true });
  await store.write(async (writer) => {
    for (const [at, name] of tenants.entries())
      await writer.add(
        nouns.tenant,
        { tenant: null, name },
        at % 3 === 0 ? {} : { domain: `${name}.example` },
      );
    const trunk = { provider: 'telnyx', username: 'account', password: new Secret('trunk-secret') };
    await writer.add(nouns.trunk, { tenant: 't07', name: 'main' }, trunk);
  });
  await store.addUsers(users());
}, 120_000);
afterAll(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

function* users() {
  for (const [at, tenant] of tenants.entries()) {
    for (let user = 0; user < 80 + at; user++) {
      const password = new Secret(`secret;${tenant}-${user}`);
      const values = {
        extension: String(1000 + user),
        password,
        displayName: `Jürgen ${user}`,
        codecs: ['ulaw'],
      };
      yield { tenant, username: `${tenant}u${user}`, values };
    }
  }
}

async function newTarget(): Promise<Target> {
  const folder = mkdtempSync(join(dir, 'pbx-'));
  const shipped = await compileShipped(fileURLToPath(new URL('../../templates', import.meta.url)));
  const catalog = await loadCatalog({ shipped, overlay: join(dir, 'none') });
  const ref = { tenant: null, name: `pbx${folder.length}` };
  const at = { kind: 'asterisk', dir: folder };
  if ((await store.records.find(nouns.node, ref)) === null)
    await store.write((one) => one.add(nouns.node, ref, at));
  const node = (await store.records.get(nouns.node, ref)) as unknown as nouns.Node;
  return asteriskTarget(node, { files: localGenerations(folder, { now }), catalog, sipctlVersion: '0', now });
}

const options = { refresh: false, confirmed: null };

/** Plans and applies on a new node. Answers both, with every file that the node then holds. */
async function delivered(render: RenderTenants) {
  const target = await newTarget();
  const plan = await makePlan({ store, render }, [{ target, tenants: null }], options);
  const [node] = plan.nodes;
  if (node === undefined) throw plan.failures[0]?.error ?? new Error('there is no plan');
  const run = {
    sipctl: '0',
    now,
    holder: 'me',
    signal: new AbortController().signal,
    recordStart: async () => undefined,
    progress: () => undefined,
  };
  const { outcome } = await applyNode(target, node, run);
  const root = join(target.files.place, 'sipctl');
  const paths = (readdirSync(root, { recursive: true }) as string[]).sort();
  const held = paths.map((path) => [
    path,
    statSync(join(root, path)).isFile() ? readFileSync(join(root, path), 'utf8') : null,
  ]);
  return { plan, outcome, held };
}

/** The same, as values that are quickly compared. */
const comparable = (rendered: readonly RenderedTenant[]): unknown =>
  rendered
    .map(({ artifacts, ...tenant }) => ({
      ...tenant,
      artifacts: artifacts.map(({ text, ...artifact }) => ({ ...artifact, text: text.toString('utf8') })),
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));

describe('threads', () => {
  it('render what this thread renders', async () => {
    const target = await newTarget();
    const next = new Int32Array(new SharedArrayBuffer(4));
    const job = { database: store.file, keyFile: store.keyFile, recipe: target.recipe, names: tenants, next };
    const rendered: RenderedTenant[] = [];
    await startThread(entry)(job, (some) => void rendered.push(...some));
    expect(rendered).toHaveLength(tenants.length);
    expect(comparable(rendered)).toEqual(comparable(await renderHere(store)(target, tenants)));
  });

  it('give the same plan and the same generation as one thread', async () => {
    const here = await delivered(renderHere(store));
    const there = await delivered(renderInThreads(store, async () => startThread(entry), 2));
    expect(here.outcome).toBe('delivered');
    expect(there.outcome).toBe('delivered');
    expect(isDeepStrictEqual(there.plan, here.plan)).toBe(true);
    expect(there.held).toEqual(here.held);
  });

  it.each<[string, StartThread]>([
    ['ends before its work', async ({ next }) => void Atomics.add(next, 0, 3)],
    ['cannot start', startThread(new URL('file:///nowhere/render-thread.cjs'))],
    ['has no key', (job, take) => startThread(entry)({ ...job, keyFile: '/nowhere/key' }, take)],
  ])('are not needed: one that %s leaves its work to this one', async (_, start) => {
    const target = await newTarget();
    const rendered = await renderInThreads(store, async () => start, 2)(target, tenants);
    expect(rendered).toHaveLength(tenants.length);
    expect(comparable(rendered)).toEqual(comparable(await renderHere(store)(target, tenants)));
  });

  it('are not started for a few users', async () => {
    const start: StartThread = () => Promise.reject(new Error('it was started'));
    const rendered = await renderInThreads(store, async () => start, 2)(await newTarget(), ['t01', 't02']);
    expect(rendered.map(({ name }) => name)).toEqual(['t01', 't02']);
  });

  it('fail as one thread does: with the first tenant, by name, that cannot be rendered', async () => {
    const target = await newTarget();
    const raw = new BetterSqlite3(store.file);
    const broken = ['t50u3', 't20u7', 't35u0'];
    const spoil = (): void => {
      for (const name of broken)
        raw.prepare('UPDATE users SET password = zeroblob(60) WHERE username = ?').run(name);
    };
    const sealed = broken.map((name) =>
      raw.prepare('SELECT password FROM users WHERE username = ?').pluck().get(name),
    );
    onTestFinished(() => {
      for (const [at, name] of broken.entries())
        raw.prepare('UPDATE users SET password = ? WHERE username = ?').run(sealed[at], name);
      raw.close();
    });
    spoil();
    const failure = async (render: RenderTenants): Promise<unknown> => {
      const { failures } = await makePlan({ store, render }, [{ target, tenants: null }], options);
      return failures[0]?.error;
    };
    const expected = await failure(renderHere(store));
    expect(expected).toBeInstanceOf(SipctlError);
    const { id } = await store.records.get(nouns.user, { tenant: 't20', name: 't20u7' });
    expect((expected as SipctlError).message).toContain(`users/${id}/password`);
    for (const start of [startThread(entry), inTurn]) {
      const error = (await failure(renderInThreads(store, async () => start, 2))) as SipctlError;
      expect([error.outcome, error.problems]).toEqual([
        (expected as SipctlError).outcome,
        (expected as SipctlError).problems,
      ]);
    }
  });
});

/** A thread that takes everything before this one gets to it, and fails where it fails. */
const inTurn: StartThread = async (job, take) => {
  const sites = await openSites(job.database, job.keyFile);
  try {
    await renderShare(job, sites.read, await asteriskRenderer(job.recipe), take);
  } catch {
    // As the end of a real thread would be.
  } finally {
    await sites.close();
  }
};

it('puts down the revision of the data that was rendered, not of the list that was read before', async () => {
  const target = await newTarget();
  const ref = { tenant: 't05', name: 't05u1' };
  const meanwhile: RenderTenants = async (to, names) => {
    await store.write((writer) => writer.set(nouns.user, ref, { displayName: 'Written meanwhile' }));
    return renderHere(store)(to, names);
  };
  const before = (await store.tenantStates()).find(({ name }) => name === 't05');
  const plan = await makePlan({ store, render: meanwhile }, [{ target, tenants: null }], options);
  const after = (await store.tenantStates()).find(({ name }) => name === 't05');
  expect(plan.nodes[0]?.desired.tenants.t05).toBe(after?.revision);
  expect(after?.revision).not.toBe(before?.revision);
  const text = plan.nodes[0]?.changes.find(({ key }) => key === 't05/pjsip_users.conf')?.after?.text;
  expect(text?.toString('utf8')).toContain('Written meanwhile');
});

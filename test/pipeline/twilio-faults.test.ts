import { describe, expect, it } from 'vitest';
import { planService } from '../../src/pipeline/hosted-services.ts';
import type { Remembered } from '../../src/plan/service-plan.ts';
import { type Misbehaviour, misbehaviours } from '../support/twilio/faults.ts';
import { remember, type Since } from '../support/twilio/foreign.ts';
import { startTwilio, type TwilioServer } from '../support/twilio/server.ts';
import { ensure, exactlyOne, type Run, runOf } from '../support/twilio/trunk-site.ts';

/** Some dozens of runs each, of which some wait for an answer that does not come. */
const patience = 120_000;

interface Scene {
  server: TwilioServer;
  since: Since;
  memory: Map<string, Remembered>;
  run: Run;
}

/** Several at a time: most of them wait. */
async function forEachRequest(play: (n: number) => Promise<void>): Promise<void> {
  const numbers = [...(await tellingRequests)];
  const work = async (): Promise<void> => {
    for (let n = numbers.shift(); n !== undefined; n = numbers.shift()) await play(n);
  };
  await Promise.all([work(), work(), work(), work()]);
}

async function inScene(play: (scene: Scene) => Promise<void>, timeoutMs = 5_000): Promise<void> {
  const server = await startTwilio({ reservesDomains: false });
  const memory = new Map<string, Remembered>();
  try {
    await play({
      server,
      memory,
      since: remember(server.account),
      run: runOf(server, memory, { timeoutMs }),
    });
  } finally {
    await server.close();
  }
}

/** Of a run without a fault: the numbers of all requests that change something, and of the first of each kind that reads. */
const tellingRequests = new Promise<number[]>((resolve, reject) => {
  inScene(async ({ server, run, since }) => {
    expect(await ensure(run)).toMatchObject({ outcome: 'verified', differs: [], error: null });
    expect(since.made()).toMatchObject(exactlyOne);
    const kinds = server.exchanges.map(
      ({ method, path }) => `${method} ${path.replaceAll(/[A-Z]{2}[0-9a-f]{32}/g, '*')}`,
    );
    const isTelling = (kind: string, index: number): boolean =>
      kind.startsWith('POST') || kinds.indexOf(kind) === index;
    resolve(kinds.flatMap((kind, index) => (isTelling(kind, index) ? [index + 1] : [])));
  }).catch(reject);
});

/** Whatever happened before: another run finishes the work, and leaves nothing behind. */
async function expectHealed({ server, memory, since }: Scene, when: string): Promise<void> {
  server.heal();
  const next = runOf(server, memory);
  const ended = await ensure(next);
  expect([ended.error?.message, ended.outcome], when).toEqual([
    undefined,
    expect.stringMatching(/^(verified|unchanged)$/),
  ]);
  await expectComplete({ server, memory, since }, when);
  expect((await planService(runOf(server, memory).planned)).changes, `${when}: a second plan`).toEqual([]);
}

async function expectComplete({ memory, since }: Omit<Scene, 'run'>, when: string): Promise<void> {
  const made = since.made();
  expect(made, when).toMatchObject(exactlyOne);
  const [trunk] = made.trunks;
  expect(trunk?.credentialLists, when).toEqual(made.credentialLists.map(({ sid }) => sid));
  expect(trunk?.originations, when).toHaveLength(1);
  expect(
    made.numbers.map(({ trunkSid }) => trunkSid),
    when,
  ).toEqual([trunk?.sid, trunk?.sid]);
  expect(since.now(), `${when}: what is somebody else's`).toEqual(since.before);
  const ids = [trunk?.sid, made.credentialLists[0]?.sid, trunk?.originations[0]?.sid];
  expect(
    [...memory.values()].map(({ id }) => id),
    `${when}: remembered`,
  ).toEqual(expect.arrayContaining(ids));
}

describe('a trunk at Twilio, whatever happens to one request', { timeout: patience }, () => {
  it.each(Object.entries<Misbehaviour>(misbehaviours))('%s', async (name, does) => {
    await forEachRequest((n) =>
      inScene(async (scene) => {
        const { server, run, since } = scene;
        server.fault({ does, from: n });
        const when = `${name}, at request ${n}`;
        const { outcome } = await ensure(run);
        if (outcome === 'taken-back') expectNothingLeft(scene, when);
        expect(since.now(), when).toEqual(since.before);
        await expectHealed(scene, when);
      }, 400),
    );
  });

  const forGood = [
    'connection reset, nothing done',
    'connection reset, but done',
    '401',
    '404',
    '429',
    '500',
    '500, but done',
  ] as const;
  it.each(forGood)('%s from then on', async (name) => {
    await forEachRequest((n) =>
      inScene(async (scene) => {
        scene.server.fault({ does: misbehaviours[name], from: n, times: Number.POSITIVE_INFINITY });
        const when = `${name}, from request ${n} on`;
        expect((await ensure(scene.run)).outcome, when).not.toMatch(/verified|unchanged/);
        expect(scene.since.now(), when).toEqual(scene.since.before);
        await expectHealed(scene, when);
      }),
    );
  });

  function expectNothingLeft({ since, memory }: Scene, when: string): void {
    expect(since.made(), when).toMatchObject({ trunks: [], credentialLists: [], numbers: [] });
    expect(
      [...memory.values()].filter(({ id }) => id !== null),
      `${when}: remembered`,
    ).toEqual([]);
  }
});

describe('a trunk at Twilio, when its run ends early', { timeout: patience }, () => {
  it.each([
    ['before a request does anything', false],
    ['after a request took effect', true],
  ])('killed %s', async (_, takesEffect) => {
    await forEachRequest((n) =>
      inScene(async (scene) => {
        const { server, run } = scene;
        const killed = new Promise<void>((resolve) => {
          const happens = (): void => {
            run.kill();
            resolve();
          };
          server.fault({ does: { kind: 'event', takesEffect, happens }, from: n });
        });
        void ensure(run);
        await killed;
        await expectHealed(scene, `killed at request ${n}`);
      }),
    );
  });

  it.each([
    ['before a request does anything', false],
    ['after a request took effect', true],
  ])('interrupted %s', async (_, takesEffect) => {
    await forEachRequest((n) =>
      inScene(async (scene) => {
        const abort = new AbortController();
        const happens = (): void => abort.abort();
        scene.server.fault({ does: { kind: 'event', takesEffect, happens }, from: n });
        const { error } = await ensure(scene.run, abort.signal);
        expect(error, `interrupted at request ${n}`).toMatchObject({ outcome: 'interrupted' });
        await expectHealed(scene, `interrupted at request ${n}`);
      }),
    );
  });
});

describe('a trunk at Twilio that is taken away', { timeout: patience }, () => {
  const telling = /^(DELETE|GET \/v1\/Trunks\/\w+)/;

  const single = [
    'no answer, but done',
    'connection reset, nothing done',
    '401',
    '404',
    '409',
    '500, but done',
  ] as const;
  it.each(single)('is gone with all that belongs to it, and nothing else, after %s', async (name) => {
    let isMet = true;
    for (let n = 1; isMet; n += 1)
      await inScene(async (scene) => {
        const { server, memory, since } = scene;
        expect(await ensure(scene.run)).toMatchObject({ outcome: 'verified' });
        server.fault({ does: misbehaviours[name], route: telling, from: n });
        const when = `${name}, at request ${n} of those that look or take away`;
        await ensure(runOf(server, memory, { timeoutMs: 400 }, true));
        isMet = server.exchanges.some(({ misbehaved }) => misbehaved);
        expect(since.now(), when).toEqual(since.before);
        server.heal();
        await ensure(runOf(server, memory, {}, true));
        expect(since.made(), when).toMatchObject({ trunks: [], credentialLists: [], numbers: [] });
        expect([...memory.keys()], when).toEqual([]);
        expect(since.now(), when).toEqual(since.before);
      });
  });
});

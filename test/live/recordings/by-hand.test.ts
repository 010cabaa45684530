import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type CallSite, type SiteText, startCallSite } from '../calls/call-site.ts';
import { outsideMissing } from '../calls/outside.ts';
import { describePbxs, type StartPbx } from '../calls/pbx.ts';
import { textCommands } from '../calls/site-commands.ts';
import { lengthOf, readWav, secondsOf } from '../calls/sound.ts';

/** Recordings that people start, pause and stop by sipctl, and then list, seal and fetch: on real PBXs, with real calls. */

const site: SiteText = {
  carriers: {},
  gone: [],
  sounds: {},
  commands: textCommands(
    `
    tenant add acme --domain acme.sip.example --country US --max-calls 0
    user add ann --tenant acme --extension 1001 --max-calls 0 --ring-time 5
    user add bob --tenant acme --extension 1002 --max-calls 0 --ring-time 5
  `,
    { PASSWORD: 'a right one; "really" \\' },
  ),
};

interface Listed {
  id: string;
  path: string;
  state: string;
}

function suite(start: StartPbx): void {
  let here: CallSite;
  beforeAll(async () => {
    here = await startCallSite(start, site);
    // Verbs of calls need more rights than provisioning.
    if (here.pbx.engine === 'asterisk') await here.box.ok('node set pbx1 --ami-user test');
  });
  afterAll(() => here?.stop());

  const data = async <T>(command: string): Promise<T> =>
    (await here.box.ok(`${command} --tenant acme --json`)).json().data as T;

  it('started, paused, resumed and stopped: silence where it was paused, and nothing of what came after', async () => {
    const call = await here.outside.call('acme-ann', '1002');
    expect(await call.answered).toBe(true);
    const { calls } = await vi.waitFor(
      async () => {
        const listed = await data<{ calls: { id: string; state: string }[] }>('call list');
        expect(listed.calls.map(({ state }) => state)).toEqual(['answered']);
        return listed;
      },
      { timeout: 15_000 },
    );
    const id = calls[0]?.id ?? '';
    await data(`recording start ${id}`);
    expect((await here.box.sipctl(`recording start ${id} --tenant acme`)).code).toBe(4);
    await sleep(3000);
    await data(`recording pause ${id}`);
    await sleep(3000);
    await data(`recording resume ${id}`);
    await sleep(3000);
    await data(`recording stop ${id}`);
    await sleep(3000);
    await call.hangUp();
    await call.ended;

    const folder = here.pbx.recordings('acme');
    const [file = ''] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.wav'),
    );
    expect(file).toContain(`/${id}--`);
    const samples = await vi.waitUntil(() => readWav(join(folder, file)), { timeout: 15_000, interval: 100 });
    const [tone, length] = [here.outside.tone('acme-bob'), lengthOf(samples)];
    const heard = secondsOf(samples, tone);
    expect(secondsOf(samples, here.outside.tone('acme-ann'))).toBeGreaterThan(3);
    expect(heard).toBeGreaterThan(3);
    // The pause is in the file, as long as it was, and nothing of what was said in it.
    expect(length - heard).toBeGreaterThan(2);
    expect(length - heard).toBeLessThan(6);
  });

  it('is listed, sealed, verified and fetched', async () => {
    const listed = await data<{ recordings: Listed[] }>('recording list');
    expect(listed.recordings).toHaveLength(1);
    const [one] = listed.recordings;
    await vi.waitFor(
      async () => {
        const { recordings } = await data<{ recordings: Listed[] }>('recording list');
        expect(recordings[0]?.state).toBe('new');
      },
      { timeout: 30_000, interval: 2000 },
    );
    expect(await data<{ sealed: Listed[] }>('recording seal')).toMatchObject({ sealed: [{ id: one?.id }] });
    expect(await data('recording verify')).toEqual({ intact: 1, findings: [] });
    const output = join(here.box.dir, 'fetched.wav');
    await data(`recording get ${one?.id} -o ${output}`);
    expect(readWav(output)?.length).toBeGreaterThan(8000);
  });
}

describePbxs('recorded by hand', suite, outsideMissing);

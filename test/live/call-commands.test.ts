import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Ended, RunOptions } from '../support/run-sipctl.ts';
import { type CallSite, startCallSite } from './calls/call-site.ts';
import { outsideMissing } from './calls/outside.ts';
import { describePbxs } from './calls/pbx.ts';
import { textCommands } from './calls/site-commands.ts';
import { readWav, secondsOf } from './calls/sound.ts';

const commands = `
  tenant add acme --domain acme.sip.example --country DE --max-calls 0
  user add ann --tenant acme --extension 1001 --max-calls 0 --display-name "Ann A"
  user add bob --tenant acme --extension 1002 --max-calls 0
  user add cat --tenant acme --extension 1003 --max-calls 0
  user add dan --tenant acme --extension 1004 --max-calls 0 --record
  trunk add main --tenant acme --provider custom_ip --host @carrier --networks @carrier/32 --max-calls 0 --number-format plus
  number add +4930111001 --tenant acme --to user:ann --trunk main
  conference add board --tenant acme --extension 8000
`;

interface Running {
  id: string;
  state: string;
  direction: string;
  trunk: string | null;
  from: string | null;
  to: string | null;
  legs: { id: string; party: { name: string } | null }[];
}

/** Bytes before the sound. */
const wavHeader = 44;

describePbxs(
  'an operator with calls',
  (start) => {
    let site: CallSite;

    beforeAll(async () => {
      site = await startCallSite(start, {
        commands: textCommands(commands, { PASSWORD: 'a right one' }),
        ...{ carriers: { carrier: null }, gone: [], sounds: {} },
      });
      // Who provisions only may not steer calls.
      if (site.pbx.engine === 'asterisk') await site.box.ok('node set pbx1 --ami-user test');
    });
    afterAll(() => site?.stop());

    const run = (command: string, options?: RunOptions): Promise<Ended> =>
      site.box.sipctl(`${command} --tenant acme`, options);
    const ok = (command: string, options?: RunOptions): Promise<Ended> =>
      site.box.ok(`${command} --tenant acme`, options);
    const calls = async (): Promise<Running[]> =>
      ((await ok('call list --json')).json().data as { calls: Running[] }).calls;
    /** The one call there is, once it is so. */
    const callThat = async (isSo: (call: Running) => boolean): Promise<Running> => {
      let found: Running[] = [];
      const isThere = async (): Promise<boolean> => {
        found = await calls();
        return found.length === 1 && found.every(isSo);
      };
      await vi.waitUntil(isThere, { timeout: 10_000, interval: 100 }).catch(() => {
        throw new Error(`no such call: ${JSON.stringify(found)}`);
      });
      return found[0] as Running;
    };
    const isStanding = ({ state, legs }: Running): boolean => state === 'answered' && legs.length === 2;
    const quiet = () =>
      vi.waitUntil(async () => (await calls()).length === 0, { timeout: 10_000, interval: 100 });

    it('lets a user call, sees the call, and ends it', async () => {
      expect((await ok('call originate --from ann --to bob')).stdout).toContain(
        'ann has picked up; 1002 is dialled',
      );
      const call = await callThat(isStanding);
      expect(call).toMatchObject({ direction: 'internal', from: '1001', to: '1002', trunk: null });
      expect(call.legs.map(({ party }) => party?.name).sort()).toEqual(['ann', 'bob']);
      expect((await ok(`call show ${call.id.slice(-6)}`)).stdout).toContain('user bob');
      await ok(`call hangup ${call.id}`);
      await quiet();
      expect((await run(`call hangup ${call.id}`)).code).toBe(5);
    });

    it('acts on a call over a trunk: held, brought back, listened to, sent elsewhere', async () => {
      const placed = await site.outside.call('acme-ann', '030123456');
      expect(await placed.answered).toBe(true);
      const { id } = await callThat(isStanding);
      expect(await calls()).toMatchObject([{ direction: 'outbound', trunk: 'main', from: '1001' }]);
      await ok(`call hold ${id}`);
      await callThat(({ state }) => state === 'held');
      await ok(`call unhold ${id}`);
      await callThat(isStanding);
      const [arrival] = site.outside.arrivals('carrier').slice(-1);
      await ok(`call dtmf ${id} 145#`);
      await vi.waitUntil(() => site.outside.keys(arrival?.id ?? '').length >= 4, { timeout: 15_000 });
      await sleep(500);
      expect(site.outside.keys(arrival?.id ?? '')).toBe('145#');
      const interrupt = new AbortController();
      const listening = run(`call listen ${id} --user cat`, { signal: interrupt.signal });
      await vi.waitUntil(async () => (await rows('listen')).length === 1, { timeout: 15_000, interval: 100 });
      setTimeout(() => interrupt.abort(), 2500);
      expect(await listening).toMatchObject({
        code: 130,
        stderr: expect.stringMatching(/cat listened for \d s/),
      });
      expect((await rows('listen'))[0]?.detail).toMatchObject({ supervisor: 'cat', state: 'ended' });
      expect((await run(`call transfer ${id} --to 4999`)).code).toBe(4);
      await ok(`call transfer ${id} --to cat`);
      const sent = await callThat(({ legs }) => legs.some(({ party }) => party?.name === 'cat'));
      expect(sent).toMatchObject({ trunk: 'main' });
      await ok('call hangup --all --yes');
      await quiet();
    });

    const rows = async (action: string): Promise<{ action: string; detail: object }[]> => {
      const { data } = (await ok('audit --noun call --json')).json();
      return (data as { entries: { action: string; detail: object }[] }).entries.filter(
        (row) => row.action === action,
      );
    };

    const heardBy = async (party: string, ...speakers: string[]): Promise<string[]> => {
      const id = site.outside.arrivals(party).at(-1)?.id ?? '';
      const seconds = await Promise.all(speakers.map((one) => site.outside.heard(id, one)));
      return speakers.filter((_, at) => (seconds[at] ?? 0) > 0.5);
    };

    it.each([
      ['listen', [], []],
      ['whisper', [], ['acme-cat']],
      ['barge', ['acme-cat'], ['acme-cat']],
    ] as const)('lets a supervisor %s to a call that it made', async (verb, annHears, bobHears) => {
      await ok('call originate --from ann --to bob');
      const { id } = await callThat(isStanding);
      const before = (await rows(verb)).length;
      const interrupt = new AbortController();
      const spying = run(`call ${verb} ${id} --leg callee --user cat`, { signal: interrupt.signal });
      await vi.waitUntil(async () => (await rows(verb)).length > before, { timeout: 15_000, interval: 100 });
      setTimeout(() => interrupt.abort(), 2500);
      expect((await spying).code).toBe(130);
      await ok(`call hangup ${id}`);
      await quiet();
      expect(await heardBy('acme-cat', 'acme-ann', 'acme-bob')).toEqual(['acme-ann', 'acme-bob']);
      expect(await heardBy('acme-ann', 'acme-cat')).toEqual(annHears);
      expect(await heardBy('acme-bob', 'acme-cat')).toEqual(bobHears);
    });

    it.each(['caller', 'callee'] as const)('leaves nobody behind who was held: the %s', async (held) => {
      const other = held === 'caller' ? 'acme-bob' : 'acme-ann';
      const call = async (): Promise<string> => {
        const placed = await site.outside.call('acme-ann', '1002');
        expect(await placed.answered).toBe(true);
        const { id } = await callThat(isStanding);
        await ok(`call hold ${id} --leg ${held}`);
        await callThat(({ state }) => state === 'held');
        return id;
      };
      await call();
      await site.outside.hangUp(other);
      await quiet();
      const brought = await call();
      await ok(`call unhold ${brought} --leg ${held}`);
      await site.outside.hangUp(other);
      await quiet();
      // Whoever is transferred leaves; the one that was held is left alone.
      for (const back of [true, false]) {
        const id = await call();
        if (back) await ok(`call unhold ${id} --leg ${held}`);
        await ok(`call transfer ${id} --leg ${held === 'caller' ? 'callee' : 'caller'} --to cat`);
        const names = ({ legs }: Running) => legs.map(({ party }) => party?.name).sort();
        const wanted = [other.slice('acme-'.length), 'cat'].sort();
        await callThat((one) => one.state === 'answered' && names(one).join() === wanted.join());
        // Nobody hangs up within milliseconds of the answer. An Asterisk 16 was seen to keep both parties then.
        await sleep(500);
        await site.outside.hangUp('acme-cat');
        await quiet();
      }
    });

    it.each([
      ['caller', 'goes on'],
      ['callee', 'goes on'],
      ['callee', 'stays paused'],
    ] as const)('records on where the %s transfers: %s', async (leaving, how) => {
      const folder = site.pbx.recordings('acme');
      const files = (): string[] =>
        existsSync(folder)
          ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('.wav'))
          : [];
      const before = new Set(files());
      const placed = await site.outside.call('acme-ann', '1004');
      expect(await placed.answered).toBe(true);
      const { id } = await callThat(isStanding);
      if (how === 'stays paused') await ok(`recording pause ${id}`);
      await ok(`call transfer ${id} --leg ${leaving} --attended --to cat`);
      const stays = leaving === 'caller' ? 'dan' : 'ann';
      await callThat(
        ({ legs }) =>
          legs
            .map(({ party }) => party?.name)
            .sort()
            .join() === [stays, 'cat'].sort().join(),
      );
      await sleep(2500);
      for (const party of site.outside.parties) await site.outside.hangUp(party);
      await quiet();
      const made = files().filter((one) => !before.has(one));
      const seconds = async (speaker: string): Promise<number> => {
        let sum = 0;
        for (const file of made) {
          const path = join(folder, file);
          const samples = await vi.waitUntil(() => readWav(path), { timeout: 10_000 }).catch(() => null);
          // A channel that was recorded and never talked leaves a file without sound.
          if (samples === null) expect(statSync(path).size, file).toBeLessThanOrEqual(wavHeader);
          else sum += secondsOf(samples, site.outside.tone(speaker));
        }
        return sum;
      };
      for (const one of ['acme-cat', `acme-${stays}`]) {
        if (how === 'goes on') expect(await seconds(one), one).toBeGreaterThan(1.5);
        else expect(await seconds(one), one).toBeLessThan(0.5);
      }
    });

    it('refuses a call that rings, as a caller from outside', async () => {
      await site.outside.does('acme-ann', 'ring');
      const placed = await site.outside.call('carrier', '+4930111001', { callerId: '+4915111' });
      const { id } = await callThat(({ state, legs }) => state === 'ringing' && legs.length === 2);
      expect(await calls()).toMatchObject([{ direction: 'inbound', from: '+4915111', to: '+4930111001' }]);
      await ok(`call reject ${id} --cause busy`);
      expect(await placed.ended).toEqual({ status: 486, q850: 17 });
      await site.outside.does('acme-ann', 'answer');
      await quiet();
    });

    it('leads a room: invites, silences, locks, throws out', async () => {
      const placed = await site.outside.call('acme-ann', '8000');
      expect(await placed.answered).toBe(true);
      const members = async (): Promise<{ number: string; muted: boolean }[]> => {
        const ended = await run('conference members board --json');
        const { data } = ended.json() as { data: { conference: { members: never[] } } | null };
        return ended.code === 0 ? (data?.conference.members ?? []) : [];
      };
      const count = (wanted: number) =>
        vi.waitUntil(async () => (await members()).length === wanted, { timeout: 10_000, interval: 100 });
      await count(1);
      await ok('conference invite board --to bob');
      await count(2);
      await ok('conference mute board 1002');
      expect((await members()).filter(({ muted }) => muted).map(({ number }) => number)).toEqual(['1002']);
      await ok('conference lock board');
      expect((await ok('conference live --json')).json().data).toMatchObject({
        conferences: [{ locked: true }],
      });
      await ok('conference kick board bob');
      await count(1);
      await ok('conference kick board all --yes');
      await count(0);
      expect((await run('conference lock board')).code).toBe(5);
    });
  },
  outsideMissing,
);

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Ended, RunOptions } from '../support/run-sipctl.ts';
import { type CallSite, startCallSite } from './calls/call-site.ts';
import { outsideMissing } from './calls/outside.ts';
import { describePbxs } from './calls/pbx.ts';
import { textCommands } from './calls/site-commands.ts';

const commands = `
  tenant add acme --domain acme.sip.example --country DE --max-calls 0
  user add ann --tenant acme --extension 1001 --max-calls 0 --display-name "Ann A"
  user add bob --tenant acme --extension 1002 --max-calls 0
  user add cat --tenant acme --extension 1003 --max-calls 0
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
      await ok(`call dtmf ${id} 12#`);
      await vi.waitUntil(() => site.outside.keys(arrival?.id ?? '') === '12#', { timeout: 5000 });
      const interrupt = new AbortController();
      const listening = run(`call listen ${id} --user cat`, { signal: interrupt.signal });
      await vi.waitUntil(async () => (await rows('listen')).length === 1, { timeout: 5000, interval: 100 });
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

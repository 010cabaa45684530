import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type CallSite, type SiteText, startCallSite } from '../calls/call-site.ts';
import { outsideMissing } from '../calls/outside.ts';
import { describePbxs, type StartPbx } from '../calls/pbx.ts';
import { type PlannedCall, placeCall, type SeenCall } from '../calls/place-call.ts';
import { textCommands } from '../calls/site-commands.ts';
import { lengthOf, readWav, secondsOf } from '../calls/sound.ts';

/** Who is recorded, on real PBXs: one file for each call, with both voices, from the answer to the end. */

/** Hz, of the tone that tells both parties. */
const consent = 1400;

const site: SiteText = {
  carriers: { line: null, out: null, other: null },
  gone: [],
  sounds: { 'custom/told': consent },
  commands: textCommands(
    `
    tenant add acme --domain acme.sip.example --country US --max-calls 0 --record --record-tone custom/told
    user add ann --tenant acme --extension 1001 --max-calls 0 --ring-time 3
    user add bob --tenant acme --extension 1002 --max-calls 0 --ring-time 3
    trunk add line --tenant acme --provider custom_ip --host @line --networks @line/32 --max-calls 0
    number add +12125550100 --tenant acme --to user:bob
    emergency add 911 --tenant acme --caller-id +12125550199

    tenant add globex --domain globex.sip.example --country US --max-calls 0
    user add hal --tenant globex --extension 2001 --max-calls 0 --ring-time 3
    user add ida --tenant globex --extension 2002 --max-calls 0 --ring-time 3
    user add jim --tenant globex --extension 2003 --max-calls 0 --ring-time 3 --record
    group add desk --tenant globex --extension 600 --members hal,jim --strategy all --ring-time 3
    trunk add out --tenant globex --provider custom_ip --host @out --networks @out/32 --max-calls 0 --record
    trunk add other --tenant globex --provider custom_ip --host @other --networks @other/32 --max-calls 0
    route add recorded --tenant globex --match +1415 --trunks out
    route add silent --tenant globex --match +1 --trunks other
    number add +13125550100 --tenant globex --to user:hal
    number add +13125550102 --tenant globex --to user:jim
    number add +13125550101 --tenant globex --to external:+14155550999
    emergency add 911 --tenant globex --caller-id +13125550199 --trunks out
  `,
    { PASSWORD: 'a right one; "really" \\' },
  ),
};

function suite(start: StartPbx): void {
  let here: CallSite;
  beforeAll(async () => {
    here = await startCallSite(start, site);
  });
  afterAll(() => here?.stop());

  const files = (tenant: string): string[] => {
    try {
      return readdirSync(here.pbx.recordings(tenant), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.wav'))
        .map((name) => join(here.pbx.recordings(tenant), name));
    } catch {
      return [];
    }
  };

  /** Makes a call, and answers the recordings that it left. */
  const recorded = async (call: PlannedCall): Promise<{ seen: SeenCall; recordings: Int16Array[] }> => {
    const { tenant } = here.place(call.from);
    const before = new Set(files(tenant));
    const seen = await placeCall(here, { talks: 3, ...call });
    await here.ready(tenant);
    const made = files(tenant).filter((name) => !before.has(name));
    const recordings = await Promise.all(
      made.map((name) =>
        vi.waitUntil(() => readWav(name), { timeout: 15_000, interval: 100 }).catch(() => new Int16Array(0)),
      ),
    );
    return { seen, recordings };
  };

  /** One file, as long as the talk, in which both are to be heard. */
  const demandTalk = async (call: PlannedCall, other: string): Promise<SeenCall> => {
    const { seen, recordings } = await recorded(call);
    expect(seen.status).toBe(200);
    expect(recordings).toHaveLength(1);
    const [samples = new Int16Array(0)] = recordings;
    const talk = await here.outside.heard(seen.id, other);
    expect(talk).toBeGreaterThan(1.5);
    expect(Math.abs(lengthOf(samples) - talk)).toBeLessThan(1);
    for (const speaker of [call.from, other])
      expect(secondsOf(samples, here.outside.tone(speaker)), speaker).toBeGreaterThan(talk * 0.7);
    return seen;
  };

  const demandNone = async (call: PlannedCall, status: number): Promise<SeenCall> => {
    const { seen, recordings } = await recorded(call);
    expect({ status: seen.status, recordings: recordings.length }).toEqual({ status, recordings: 0 });
    return seen;
  };

  /** Whether the tone was heard by both, one after the other. */
  const told = async (seen: SeenCall): Promise<boolean[]> => {
    const ids = [seen.id, ...seen.arrivals.map(({ id }) => id)];
    return Promise.all(ids.map(async (id) => (await here.outside.heard(id, consent)) >= 0.2));
  };

  it('the tenant: a call inside, and both hear the tone', async () => {
    const seen = await demandTalk(
      { from: 'acme-ann', to: '1002', does: { 'acme-bob': 'answer after 2' } },
      'acme-bob',
    );
    expect(await told(seen)).toEqual([true, true]);
  });

  it('the tenant: a call in, and both hear the tone', async () => {
    const seen = await demandTalk({ from: 'line', to: '+12125550100' }, 'acme-bob');
    expect(await told(seen)).toEqual([true, true]);
  });

  it('the tenant: a call out, and both hear the tone', async () => {
    const seen = await demandTalk({ from: 'acme-ann', to: '2125559999' }, 'line');
    expect(await told(seen)).toEqual([true, true]);
  });

  it('the tenant: an emergency call, and nobody waits for a tone', async () => {
    const seen = await demandTalk({ from: 'acme-ann', to: '911' }, 'line');
    expect(await told(seen)).toEqual([false, false]);
  });

  it('the tenant: a call that nobody answers leaves no file', async () => {
    const { recordings, seen } = await recorded({
      ...{ from: 'acme-ann', to: '1002', does: { 'acme-bob': 'ring' } },
    });
    expect({ status: seen.status, recordings: recordings.length }).toEqual({ status: 480, recordings: 0 });
  });

  it('a call in that the user transfers stays on its file', async () => {
    const { seen, recordings } = await recorded({
      ...{ from: 'other', to: '+13125550102', callerId: '+13125551111', talks: 5 },
      does: { 'globex-jim': 'refer to 2001' },
    });
    expect(seen.status).toBe(200);
    expect(recordings).toHaveLength(1);
    const [samples = new Int16Array(0)] = recordings;
    for (const speaker of ['other', 'globex-hal'])
      expect(secondsOf(samples, here.outside.tone(speaker)), speaker).toBeGreaterThan(1.5);
  });

  it('nobody: no file, and no tone', async () => {
    const seen = await demandNone({ from: 'globex-hal', to: '2002' }, 200);
    expect(await told(seen)).toEqual([false, false]);
  });

  it('the user who calls', () => demandTalk({ from: 'globex-jim', to: '2001' }, 'globex-hal').then(() => {}));

  it('the user who is called', () =>
    demandTalk({ from: 'globex-hal', to: '2003' }, 'globex-jim').then(() => {}));

  it('a user of a group that rings', () =>
    demandTalk({ from: 'globex-ida', to: '600', does: { 'globex-jim': 'ring' } }, 'globex-hal').then(
      () => {},
    ));

  it('the trunk: a call in over it', () =>
    demandTalk({ from: 'out', to: '+13125550100' }, 'globex-hal').then(() => {}));

  it('the trunk: a call in over another', () =>
    demandNone({ from: 'other', to: '+13125550100' }, 200).then(() => {}));

  it('the trunk: a call out over it', () =>
    demandTalk({ from: 'globex-hal', to: '4155559999' }, 'out').then(() => {}));

  it('the trunk: a call out over another', () =>
    demandNone({ from: 'globex-hal', to: '2125559999' }, 200).then(() => {}));

  it('the trunk: a call that is led out over it again', () =>
    demandTalk({ from: 'other', to: '+13125550101', callerId: '+13125551111' }, 'out').then(() => {}));

  it('the trunk: an emergency call over it is none of its calls', () =>
    demandNone({ from: 'globex-jim', to: '911' }, 200).then(() => {}));
}

describePbxs('recorded', suite, outsideMissing);

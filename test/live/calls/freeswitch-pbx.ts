import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { trunkId } from '../../../src/model/identity.ts';
import { gatewayStatus, show } from '../../../src/platforms/freeswitch/esl/commands.ts';
import type { Ask } from '../../../src/platforms/freeswitch/esl/replies.ts';
import { connectTo, type Files, type FreeswitchInstance } from '../freeswitch.ts';
import { attach, carrierPort, phonePort, shippedShape } from '../freeswitch-site.ts';
import type { Pbx } from './pbx.ts';
import { writeTone } from './sound.ts';

/** Hz; of FreeSWITCH's own prompts. */
const promptTone = 340;

/** A FreeSWITCH that calls are tried through. */
export async function freeswitchPbx(
  start: (files: Files) => Promise<FreeswitchInstance>,
  own: Readonly<Record<string, string>>,
): Promise<Pbx> {
  const freeswitch = await start((host) => ({ ...shippedShape(host), ...own }));
  const { host, conf } = freeswitch;
  const folder = dirname(conf);
  const soundFile = (name: string): string => join(folder, 'sounds', `${name}.wav`);
  // FreeSWITCH gives up on a PIN where it cannot ask for it.
  for (const prompt of ['conf-pin', 'conf-bad-pin'])
    writeTone(soundFile(`conference/${prompt}`), promptTone, 0.1);
  return {
    engine: 'freeswitch',
    phones: { host, port: phonePort },
    carriers: { host, port: carrierPort },
    attach: () => attach(freeswitch),
    soundFile,
    recordings: (tenant) => join(folder, 'recordings/sipctl', tenant),
    messages: ({ domain, name }) => join(folder, 'storage/voicemail/default', domain, name),
    untilKnown: (trunk, isThere) => (isThere ? untilUp(freeswitch, trunk) : Promise.resolve()),
    channels: (tenant) =>
      withSocket(freeswitch, async (ask) => {
        const channels = await show(ask, 'channels');
        return channels.filter(({ accountcode }) => accountcode === tenant).length;
      }),
    registerAnew: ({ tenant, name }) =>
      withSocket(freeswitch, async (ask) => {
        for (const verb of ['unregister', 'register'])
          await ask(`sofia profile external ${verb} ${trunkId(tenant, name)}`);
      }),
    control: freeswitch.esl,
    running: () =>
      withSocket(freeswitch, async (ask) => {
        const channels = await show(ask, 'channels');
        return channels.flatMap(({ uuid = '', direction, name }) =>
          direction === 'inbound' && !name?.startsWith('loopback/') ? [uuid] : [],
        );
      }),
    callList: join(folder, 'log/cdr-csv/Master.csv'),
    restart: async () => {
      await freeswitch.halt();
      await freeswitch.resume();
    },
  };
}

async function withSocket<T>(freeswitch: FreeswitchInstance, work: (ask: Ask) => Promise<T>): Promise<T> {
  const esl = await connectTo(freeswitch);
  try {
    return await work((command) => esl.api(command));
  } finally {
    await esl.close();
  }
}

/** That a carrier is gone is found by the call to it: a ping is asked for every minute only. */
async function untilUp(
  freeswitch: FreeswitchInstance,
  { tenant, name }: { tenant: string; name: string },
): Promise<void> {
  const gateway = trunkId(tenant, name);
  await withSocket(freeswitch, (ask) =>
    vi.waitFor(
      async () => {
        const status = await gatewayStatus(ask, gateway);
        if (status?.status !== 'UP' || !['NOREG', 'REGED'].includes(status.state))
          throw new Error(`${gateway} is ${status?.status} and ${status?.state}`);
      },
      { timeout: 60_000, interval: 100 },
    ),
  );
}

import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { trunkId } from '../../../src/model/identity.ts';
import type { AsteriskInstance } from '../asterisk.ts';
import { attach, withManager } from '../attached.ts';
import type { Pbx } from './pbx.ts';

/** An Asterisk that calls are tried through. */
export async function asteriskPbx(asterisk: AsteriskInstance): Promise<Pbx> {
  const { host, sip, etc, spool } = asterisk;
  // After a menu, a bridge that hands packets on begins a new stream. An Asterisk that is the phone is deaf to it where
  // its sequence numbers happen to be lower.
  await asterisk.cli('module unload bridge_native_rtp.so');
  return {
    engine: 'asterisk',
    phones: { host, port: sip.udp },
    carriers: { host, port: sip.udp },
    attach: () => attach(asterisk),
    soundFile: (name) => join(dirname(etc), 'data/sounds', `${name}.wav`),
    recordings: (tenant) => join(spool, 'monitor/sipctl', tenant),
    messages: ({ tenant, extension }) => join(spool, `voicemail/t-${tenant}/${extension}/INBOX`),
    untilKnown: ({ tenant, name }, isThere) =>
      untilQualified(asterisk, trunkId(tenant, name), isThere ? 'Reachable' : 'Unreachable'),
    channels: (tenant) =>
      withManager(asterisk, async (ami) => {
        const channels = await ami.list('CoreShowChannels');
        return channels.filter((item) => item.get('AccountCode') === tenant).length;
      }),
    registerAnew: ({ tenant, name }) =>
      withManager(asterisk, async (ami) => {
        const Registration = trunkId(tenant, name);
        await ami.action('PJSIPUnregister', { Registration });
        await ami.action('PJSIPRegister', { Registration });
      }),
    control: asterisk.ami,
    running: () =>
      withManager(asterisk, async (ami) => {
        const channels = await ami.list('CoreShowChannels');
        return channels.flatMap((item) => {
          const id = item.get('Uniqueid') ?? '';
          return id === item.get('Linkedid') ? [id] : [];
        });
      }),
    callList: join(dirname(etc), 'log/cdr-csv/Master.csv'),
    restart: () => asterisk.restart(),
  };
}

/** Whether a carrier is there is asked anew every minute only: here until the answer is the expected one. */
async function untilQualified(asterisk: AsteriskInstance, endpoint: string, state: string): Promise<void> {
  await withManager(asterisk, async (ami) => {
    const states = async (): Promise<string[]> => {
      const items = await ami.list('PJSIPShowEndpoint', { Endpoint: endpoint });
      return items.flatMap((item) => item.get('Status') ?? []);
    };
    for (let asked = 0; asked < 8; asked++) {
      await ami.action('PJSIPQualify', { Endpoint: endpoint });
      const known = vi.waitUntil(async () => (await states()).includes(state), {
        timeout: 5000,
        interval: 100,
      });
      if (await known.catch(() => false)) return;
    }
    throw new Error(`${endpoint} is ${(await states()).join(', ')}`);
  });
}

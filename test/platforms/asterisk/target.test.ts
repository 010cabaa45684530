import { describe, expect, it } from 'vitest';
import type { Node } from '../../../src/model/nouns.ts';
import type { Catalog } from '../../../src/model/template.ts';
import { asteriskTarget } from '../../../src/platforms/asterisk/target.ts';
import type { Target } from '../../../src/platforms/target.ts';
import { nodeWith } from '../../live/live-node.ts';

const catalog: Catalog = { providers: new Map(), users: new Map(), digest: 'a' };
const target = (node: Partial<Node> = {}, digest = 'a'): Promise<Target> =>
  asteriskTarget(nodeWith(node), {
    // Not touched by anything that decides.
    files: {} as never,
    catalog: { ...catalog, digest },
    sipctlVersion: '0.0.0',
    now: () => new Date(0),
  });
const digestOf = async (...args: Parameters<typeof target>): Promise<string> =>
  (await target(...args)).renderDigest;

describe('an Asterisk node', () => {
  it('renders anew when templates, version or transport names change, and for nothing else', async () => {
    const first = await digestOf();
    expect(await digestOf({ notes: 'x', keep: 3, ami: '127.0.0.1:5038', dir: '/elsewhere' })).toBe(first);
    expect(await digestOf({ transports: ['udp=transport-udp'] })).toBe(first);
    const others = [
      await digestOf({}, 'b'),
      await digestOf({ engineVersion: '22' }),
      await digestOf({ transports: ['udp=lan'] }),
    ];
    expect(new Set([first, ...others]).size).toBe(4);
  });

  it('always has all index files, because the host files include them', async () => {
    const indexes = (await target()).indexes({ artifacts: {} });
    expect([...indexes.keys()]).toEqual([
      'pjsip_trunks.conf',
      'pjsip_users.conf',
      'voicemail_boxes.conf',
      'confbridge_rooms.conf',
      'extensions_calls.conf',
    ]);
    for (const text of indexes.values()) expect(text).not.toContain('#include');
  });

  it('can be controlled where a manager interface is set', async () => {
    expect((await target()).controllable).toBe(false);
    expect((await target({ ami: '127.0.0.1:5038' })).controllable).toBe(true);
  });

  it('refuses an incomplete login with the command that completes it', async () => {
    await expect((await target({ ami: '127.0.0.1:5038', dir: '/x' })).connect()).rejects.toMatchObject({
      outcome: 'invalid',
      problems: [
        expect.objectContaining({ field: 'ami', hint: expect.stringContaining('--ami-secret-stdin') }),
      ],
    });
  });
});

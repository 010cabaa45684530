import { describe, expect, it } from 'vitest';
import type { ArtifactChange } from '../../../src/plan/plan.ts';
import type { PjsipGroup } from '../../../src/platforms/asterisk/pjsip-object.ts';
import { registrationChanges, reloadFor } from '../../../src/platforms/asterisk/reload.ts';

const trunk = (
  registration: Record<string, string> | null,
  auth: Record<string, string> = { password: 'x' },
): PjsipGroup => ({
  kind: 'trunk',
  name: 'tel',
  objects: [
    ...(registration === null
      ? []
      : [{ type: 'registration', id: 'tel', options: Object.entries(registration) }]),
    { type: 'auth', id: 'tel', options: Object.entries(auth) },
  ],
});
const server = { server_uri: 'sip:a.example', client_uri: 'sip:me@a.example', expiration: '300' };

describe('what a change means for a registration', () => {
  it.each([
    ['nothing where nothing of it changes', trunk(server), trunk(server), {}],
    ['nothing where Asterisk renews it by itself', trunk(server), trunk({ ...server, expiration: '60' }), {}],
    ['its end with the trunk', trunk(server), undefined, { unregisters: ['tel'] }],
    ['its end where the trunk no longer registers', trunk(server), trunk(null), { unregisters: ['tel'] }],
    [
      'its end at a carrier that is left',
      trunk(server),
      trunk({ ...server, server_uri: 'sip:b.example' }, { password: 'y' }),
      { unregisters: ['tel'] },
    ],
    [
      'another try with other credentials',
      trunk(server),
      trunk(server, { password: 'y' }),
      { registers: ['tel'] },
    ],
    ['nothing where there was none', trunk(null), trunk(server), {}],
  ])('%s', (_, before, after, change) => {
    expect(registrationChanges(before, after)).toEqual(change);
  });
});

describe('the steps of a reload', () => {
  const change = (more: object): ArtifactChange =>
    ({
      action: 'update',
      key: 'acme/pjsip_trunks.conf',
      before: null,
      after: null,
      objects: [more],
    }) as unknown as ArtifactChange;

  it('are none for no change', () => expect(reloadFor([])).toEqual([]));

  it('end what goes before, and renew what stays after', () => {
    const steps = reloadFor([change({ registers: ['z', 'a'] }), change({ unregisters: ['gone'] })]);
    expect(steps.map((step) => Object.values(step))).toEqual([
      ['unregister', 'gone'],
      ['reload-module', 'res_pjsip.so'],
      ['register', 'a'],
      ['register', 'z'],
    ]);
  });

  it('are those of the modules whose files change, what is called before what calls it', () => {
    const changes = ['extensions_calls.conf', 'confbridge_rooms.conf', 'pjsip_users.conf'].map((file) => ({
      ...change({}),
      key: `acme/${file}`,
    }));
    expect(reloadFor(changes)).toEqual(
      ['res_pjsip.so', 'app_confbridge.so', 'pbx_config.so'].map((module) => ({
        kind: 'reload-module',
        module,
      })),
    );
  });
});

import { once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { scriptedNow } from '../support/scripted-plane.ts';
import { type LiveSite, liveSite } from './live-site.ts';

let site: LiveSite;

const member = (id: string, number: string, role: 'moderator' | 'participant') => ({
  ...{ id, leg: `leg-${id}`, number, name: null, role, muted: false, talking: false, joinedAt: scriptedNow },
});

beforeEach(async () => {
  site = await liveSite();
  await site.ok('conference add board --tenant acme --extension 8000');
  await site.ok('conference add empty --tenant acme --extension 8001');
  const members = [
    member('1', '1001', 'moderator'),
    member('2', '1002', 'participant'),
    member('3', '+49', 'participant'),
  ];
  site.pbx.conferences = [
    { tenant: 'acme', name: 'board', locked: false, recorded: false, members },
    { tenant: 'other', name: 'board', locked: true, recorded: false, members: members.slice(0, 1) },
  ];
});

const changes = (): unknown[] => site.pbx.asked.splice(0).map(({ args }) => args[1]);

describe('conference', () => {
  it('live and members show the tenant’s rooms in which somebody is', async () => {
    expect((await site.ok('conference live --tenant acme')).stdout).toBe(
      'ROOM   NODE  MEMBERS  MODERATORS  LOCKED  REC\nboard  pbx1        3           1\n',
    );
    expect((await site.ok('conference live --all-tenants --json')).json().data).toMatchObject({ count: 2 });
    const { data } = (await site.ok('conference members board --tenant acme --json')).json();
    expect(data).toMatchObject({
      conference: { members: [{ id: '1', joinedAt: '2026-05-04T10:00:00.000Z' }, {}, {}] },
    });
    expect((await site.ok('conference members board --tenant acme')).stdout).toContain('moderator');
    expect((await site.run('conference members empty --tenant acme')).code).toBe(5);
    expect((await site.run('conference members board --tenant other')).code).toBe(5);
  });

  it('members are known as sipctl knows them, whatever the engine calls them', async () => {
    site.pbx.leg('leg-3', { endpoint: 'bob@acme.example', number: 'acme-bob', callId: 'leg-3' });
    site.pbx.leg('leg-2', { endpoint: 'acme.main', number: '+4915222', callId: 'leg-2' });
    const { data } = (await site.ok('conference members board --tenant acme --json')).json();
    expect(data).toMatchObject({
      conference: { members: [{ number: '1001' }, { number: '+4915222' }, { number: '1002', name: 'bob' }] },
    });
    await site.ok('conference mute board bob --tenant acme');
    expect(changes()).toEqual([{ verb: 'mute', member: '3' }]);
  });

  it('mute, unmute and kick mean a member by id or number, and all but moderators by all', async () => {
    await site.ok('conference mute board all --tenant acme');
    await site.ok('conference unmute board 1002 --tenant acme');
    await site.ok('conference kick board leg-3 --tenant acme');
    expect(changes()).toEqual([
      { verb: 'mute', member: '2' },
      { verb: 'mute', member: '3' },
      { verb: 'unmute', member: '2' },
      { verb: 'kick', member: '3' },
    ]);
    expect((await site.run('conference kick board all --tenant acme')).code).toBe(4);
    expect((await site.run('conference kick board 1001 --tenant acme')).code).toBe(4);
    expect((await site.run('conference mute board 4711 --tenant acme')).code).toBe(5);
    expect(changes()).toEqual([]);
    await site.ok('conference kick board 1001 --tenant acme --yes');
    await site.ok('conference kick board all --tenant acme --yes');
    expect(changes()).toEqual([
      { verb: 'kick', member: '1' },
      { verb: 'kick', member: '2' },
      { verb: 'kick', member: '3' },
    ]);
  });

  it('goes on with the others where one has left', async () => {
    site.pbx.refuse('changeConference', 'has left', 'notFound');
    const ended = await site.run('conference mute board all --tenant acme --json');
    expect([ended.code, ended.json().changed]).toEqual([0, false]);
    site.pbx.refuse('changeConference', 'no right');
    expect((await site.run('conference mute board all --tenant acme')).code).toBe(4);
  });

  it('lock, unlock and record change what is not so already', async () => {
    await site.ok('conference lock board --tenant acme');
    expect((await site.ok('conference unlock board --tenant acme --json')).json().changed).toBe(false);
    await site.ok('conference record board --tenant acme');
    expect(changes()).toEqual([
      { verb: 'lock' },
      { verb: 'record', path: 'sipctl/acme/2026-05-04/conference-board--100020.wav' },
    ]);
    const { data } = (await site.ok('audit --tenant acme --noun conference --json')).json();
    expect(data).toMatchObject({ entries: [{ action: 'record', name: 'board' }, {}, {}] });
  });

  it('invite calls whom a user could call, also into a room in which nobody is', async () => {
    expect(
      (await site.ok(['conference', 'invite', 'empty', '--tenant', 'acme', '--to', '030 123456'])).stdout,
    ).toBe('+4930123456 is in empty\n');
    expect(site.pbx.asked).toEqual([
      {
        verb: 'invite',
        args: [
          { tenant: 'acme', name: 'empty' },
          { tenant: 'acme', dialled: '+4930123456' },
          { ringSeconds: 30, signal: expect.any(AbortSignal) },
        ],
      },
    ]);
    site.pbx.on('invite', () => ({ answered: false, callId: null, q850: 17, sip: 486, text: 'Busy' }));
    const ended = await site.run('conference invite board --tenant acme --to bob');
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('1002 did not answer: Busy')]);
    expect((await site.run('conference invite board --tenant acme')).code).toBe(64);
    expect((await site.run('conference invite nowhere --tenant acme --to 1001')).code).toBe(5);
  });

  it('an invitation ends at Ctrl-C: the phone is left in peace at once', async () => {
    const interrupt = new AbortController();
    site.pbx.on('invite', async (_room: unknown, _to: unknown, { signal }: { signal: AbortSignal }) => {
      setTimeout(() => interrupt.abort(), 20);
      await once(signal, 'abort');
      throw signal.reason;
    });
    const ended = await site.run('conference invite board --tenant acme --to bob', {
      signal: interrupt.signal,
    });
    expect([ended.code, ended.stderr]).toEqual([130, expect.stringContaining('1002 does not ring any more')]);
  });
});

import { describe, expect, it } from 'vitest';
import type { TrunkFacts } from '../../../src/model/live/changes.ts';
import type { Party } from '../../../src/model/live/party.ts';
import { Picture } from '../../../src/model/live/picture.ts';
import { Standings } from '../../../src/model/live/standings.ts';

const party = (kind: Party['kind'], name: string): Party => ({ kind, name, tenant: 'acme', extension: null });
const trunk = (endpoint: string, registration: TrunkFacts['registration'] = 'registered'): TrunkFacts => ({
  ...{ endpoint, registration, reachable: null, rttMs: null, detail: '' },
});

/** Standings of a PBX whose trunks and users `known` holds, with what is made of everything they tell. */
function watched() {
  const known = new Map([
    ['acme.main', party('trunk', 'main')],
    ['acme.spare', party('trunk', 'spare')],
    ['ann@acme', party('user', 'ann')],
  ]);
  const standings = new Standings('pbx1', { find: (endpoint) => known.get(endpoint) ?? null });
  const picture = new Picture(['pbx1']);
  const tell = (events: ReturnType<Standings['settle']>): string[] =>
    events.map((event) => {
      picture.apply(event);
      return `${event.event} ${'trunk' in event ? event.trunk.trunk : 'user' in event ? event.user.user : ''}`;
    });
  return { known, standings, picture, tell };
}

describe('a trunk that the PBX has no more', () => {
  it('is told once, as it stood last, and stands nowhere any more', () => {
    const { standings, picture, tell } = watched();
    standings.begin();
    tell(standings.settle([trunk('acme.main'), trunk('acme.spare', 'rejected')], [], 1));
    standings.begin();
    const [gone, ...more] = standings.settle([trunk('acme.main')], [], 2);
    expect(gone).toMatchObject({
      ...{ event: 'trunk.gone', at: 2, node: 'pbx1', previous: 'rejected' },
      trunk: { tenant: 'acme', trunk: 'spare', registration: 'rejected' },
    });
    expect(more).toEqual([]);
    if (gone !== undefined) picture.apply(gone);
    expect([...picture.trunks.values()].map((one) => one.trunk)).toEqual(['main']);
    standings.begin();
    expect(tell(standings.settle([trunk('acme.main')], [], 3))).toEqual([]);
    standings.begin();
    expect(tell(standings.settle([trunk('acme.main'), trunk('acme.spare')], [], 4))).toEqual([
      'trunk.present spare',
    ]);
  });

  it('is told also where the database has it no more, as is a user', () => {
    const { known, standings, picture, tell } = watched();
    standings.begin();
    tell(standings.settle([trunk('acme.main')], [{ endpoint: 'ann@acme', contacts: 1 }], 1));
    known.clear();
    standings.begin();
    expect(tell(standings.settle([], [], 2))).toEqual(['trunk.gone main', 'user.unregistered ann']);
    expect([picture.trunks.size, picture.users.size]).toEqual([0, 0]);
  });

  it('is not believed to be gone where something was heard of it since the connection was opened', () => {
    const { standings, tell } = watched();
    standings.begin();
    tell(standings.settle([trunk('acme.main')], [], 1));
    standings.begin();
    expect(tell(standings.apply({ kind: 'trunk', at: 2, facts: trunk('acme.main', 'failed') }))).toEqual([
      'trunk.failed main',
    ]);
    expect(tell(standings.settle([], [], 3))).toEqual([]);
  });
});

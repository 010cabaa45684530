import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/errors.ts';
import type { Route } from '../../src/model/call-nouns.ts';
import * as calls from '../../src/model/call-nouns.ts';
import * as check from '../../src/model/check-calls.ts';
import { withoutMentions } from '../../src/model/mentions.ts';
import { Secret } from '../../src/model/secret.ts';
import type { UserTemplate } from '../../src/model/template.ts';
import { trunkWith, userTemplateWith } from './site-objects.ts';

const found = (problems: readonly Problem[]): string[] =>
  problems.map(({ code, field }) => `${field} ${code}`);
const around = (routes: Partial<Route>[] = [], trunks = [trunkWith()]) => ({
  routes: routes as Route[],
  trunks,
});
const template = (voicemail: boolean): UserTemplate =>
  userTemplateWith({ voicemail } as Partial<UserTemplate>);

describe('a menu', () => {
  it('has one destination for each key', () => {
    const keys = ['1=user:ann', '1=user:bob', '*=user:ann', '*=hangup:busy', '2=user:ann'];
    expect(check.checkIvr({ keys }, 'main').map(({ message }) => message)).toEqual([
      'keys: key 1 is given twice',
      'keys: key * is given twice',
    ]);
  });

  it('does not catch callers who do nothing, but may lead back by a key', () => {
    expect(found(check.checkIvr({ unanswered: 'ivr:main', invalid: 'ivr:main' }, 'main'))).toEqual([
      'unanswered leads_to_itself',
      'invalid leads_to_itself',
    ]);
    expect(check.checkIvr({ keys: ['9=ivr:main'], unanswered: 'ivr:other' }, 'main')).toEqual([]);
  });
});

describe('a group', () => {
  it('does not ring for ever', () => {
    expect(found(check.checkGroup({ unanswered: 'group:sales' }, 'sales'))).toEqual([
      'unanswered leads_to_itself',
    ]);
    expect(check.checkGroup({ unanswered: 'ivr:sales' }, 'sales')).toEqual([]);
  });
});

describe('a room', () => {
  it('waits only for a moderator who can be told from others', () => {
    const pin = new Secret('1234');
    expect(found(check.checkConference({ waitForModerator: true }))).toEqual([
      'moderatorPin missing_moderator_pin',
    ]);
    expect(found(check.checkConference({ waitForModerator: true, pin }))).toHaveLength(1);
    expect(check.checkConference({ waitForModerator: true, moderatorPin: pin })).toEqual([]);
    expect(found(check.checkConference({ pin, moderatorPin: new Secret('1234') }))).toEqual([
      'moderatorPin equal_pins',
    ]);
    expect(check.checkConference({ pin, moderatorPin: new Secret('12345') })).toEqual([]);
    expect(JSON.stringify(check.checkConference({ pin, moderatorPin: new Secret('1234') }))).not.toContain(
      '1234',
    );
  });
});

describe('a schedule', () => {
  it('names no holiday of one year that is one of every year', () => {
    expect(found(check.checkSchedule({ holidays: ['2026-12-25', '12-25'] }))).toEqual([
      'holidays repeated_holidays',
    ]);
    expect(check.checkSchedule({ holidays: ['2026-12-25', '2027-12-25', '12-26'] })).toEqual([]);
  });
});

describe('a route', () => {
  it('does not share a match with another one', () => {
    const other = { name: 'other', match: ['+49', '116117'] };
    expect(found(check.checkRoute({ match: ['+49', '+4930'] }, 'mine', around([other])))).toEqual([
      'match equal_match',
    ]);
    expect(check.checkRoute({ match: ['+4930'] }, 'mine', around([other]))).toEqual([]);
    expect(check.checkRoute({ match: ['+49'] }, 'other', around([other]))).toEqual([]);
  });

  it('names only trunks that take outbound calls, and tells of each that does not', () => {
    const trunks = [
      trunkWith({ name: 'a', outbound: false }),
      trunkWith({ name: 'b', outbound: false }),
      trunkWith({ name: 'c' }),
    ];
    const problems = check.checkRoute({ match: ['+'], trunks: ['a', 'b', 'c'] }, 'mine', around([], trunks));
    expect(problems.map(({ message }) => message)).toEqual([
      'trunks: trunk a takes no outbound calls',
      'trunks: trunk b takes no outbound calls',
    ]);
  });

  it('leaves something of the number', () => {
    expect(found(check.checkRoute({ match: ['1XX'], strip: 3 }, 'mine', around()))).toEqual([
      'strip nothing_left',
    ]);
    expect(check.checkRoute({ match: ['1XX'], strip: 2 }, 'mine', around())).toEqual([]);
    expect(check.checkRoute({ match: ['1XX'], strip: 3, prepend: '+49' }, 'mine', around())).toEqual([]);
    expect(check.checkRoute({ match: ['9.', '+49'], strip: 3 }, 'mine', around())).toEqual([]);
  });
});

describe('an emergency number', () => {
  it('warns where nobody could be called back', () => {
    expect(found(check.callBackWarnings('+4930111111', false))).toEqual(['callerId caller_id_not_own']);
    expect([...check.callBackWarnings('+4930111111', true), ...check.callBackWarnings(null, false)]).toEqual(
      [],
    );
  });
});

describe('a number', () => {
  it('gives each variable one value', () => {
    expect(found(check.checkNumber({ variables: ['a=1', 'b=1', 'a=2'] }))).toEqual([
      'variables repeated_variables',
    ]);
  });
});

describe('a user', () => {
  it('without a box has no PIN of it, no address, and sends no calls to it', () => {
    const values = {
      voicemailPin: new Secret('1234'),
      email: 'ann@example.com',
      unanswered: 'voicemail:ann',
    };
    const problems = ['unanswered no_voicemail', 'voicemailPin missing_voicemail', 'email missing_voicemail'];
    expect(found(check.checkUserCalls(values, 'ann', template(false)))).toEqual(problems);
    expect(found(check.checkUserCalls({ ...values, voicemail: false }, 'ann', template(true)))).toEqual(
      problems,
    );
    expect(check.checkUserCalls(values, 'ann', template(true))).toEqual([]);
    expect(check.checkUserCalls({ ...values, voicemail: true }, 'ann', template(false))).toEqual([]);
    expect(check.checkUserCalls(values, 'ann', undefined)).toEqual([]);
  });

  it('does not ring for ever', () => {
    expect(found(check.checkUserCalls({ unanswered: 'user:ann' }, 'ann', template(true)))).toEqual([
      'unanswered leads_to_itself',
    ]);
  });
});

describe('names that go', () => {
  const goes = (noun: string, name: string) => (one: { noun: string; name: string }) =>
    one.noun === noun && one.name === name;

  it('leave lists shorter and destinations unset', () => {
    const ivr = {
      keys: ['1=user:ann', '2=voicemail:ann', '3=user:bob'],
      unanswered: 'user:ann',
      invalid: 'user:bob',
    };
    expect(withoutMentions(calls.ivr, ivr, goes('user', 'ann'))).toEqual({
      patch: { keys: ['3=user:bob'], unanswered: null },
      stuck: [],
    });
  });

  it('never empty a list, as that may mean another thing, nor what is needed', () => {
    expect(withoutMentions(calls.route, { trunks: ['main'] }, goes('trunk', 'main'))).toEqual({
      patch: {},
      stuck: ['trunks'],
    });
    expect(withoutMentions(calls.schedule, { closed: 'user:ann' }, goes('user', 'ann')).stuck).toEqual([
      'closed',
    ]);
    expect(withoutMentions(calls.group, { members: ['ann'] }, goes('group', 'ann'))).toEqual({
      patch: {},
      stuck: [],
    });
  });
});

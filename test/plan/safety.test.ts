import { describe, expect, it } from 'vitest';
import { unsafeDeletions } from '../../src/plan/safety.ts';
import { artifact, change, held, objectChange } from './plans.ts';

/** What is said of deleting so many of so many objects. */
function refusal(gone: number, before: number, confirmed: number | null = null): string[] {
  const all = { 'acme/pjsip_users.conf': held(artifact('acme/pjsip_users.conf', 'users', before)) };
  const deletions = Array.from({ length: gone }, (_, at) => objectChange('delete', `u${at}`));
  return unsafeDeletions(all, [change('update', deletions)], confirmed).map(({ message, hint }) => {
    return `${message}; ${hint}`;
  });
}

describe('deletions', () => {
  it.each([
    [9, 9, true],
    [3, 10, true],
    [4, 10, false],
    [10, 10, false],
    [3, 11, true],
    [4, 11, false],
    [4, 13, false],
    [3, 13, true],
    [0, 1000, true],
  ])('of %i of %i objects: safe is %s', (gone, before, safe) => {
    expect(refusal(gone, before)).toHaveLength(safe ? 0 : 1);
  });

  it('of exactly 30 % are safe whatever the number, and one more is not', () => {
    for (let before = 10; before <= 1500; before += 10) {
      const limit = (before / 10) * 3;
      expect([before, refusal(limit, before).length, refusal(limit + 1, before).length]).toEqual([
        before,
        0,
        1,
      ]);
    }
  });

  it('are let through by their exact number alone', () => {
    expect(refusal(5, 10)).toEqual([
      '5 of 10 objects would be deleted; if that is meant, confirm it: --confirm 5',
    ]);
    for (const confirmed of [4, 6, 0, 50]) expect(refusal(5, 10, confirmed)).toHaveLength(1);
    expect(refusal(5, 10, 5)).toEqual([]);
  });

  it('are counted over all files of the node', () => {
    const files = ['acme/pjsip_users.conf', 'acme/pjsip_trunks.conf', 'beta/pjsip_users.conf'];
    const all = Object.fromEntries(files.map((key) => [key, held(artifact(key, key, 4))]));
    const gone = (count: number) =>
      files.slice(0, count).map((key) =>
        change(
          'delete',
          [0, 1].map((at) => objectChange('delete', `${key} ${at}`)),
          key,
        ),
      );
    expect(unsafeDeletions(all, gone(1), null)).toEqual([]);
    expect(unsafeDeletions(all, gone(2), null)).toHaveLength(1);
  });

  it('are what counts: any number of changes and new objects is safe', () => {
    const all = { 'acme/pjsip_users.conf': held(artifact('acme/pjsip_users.conf', 'users', 100)) };
    const objects = Array.from({ length: 100 }, (_, at) =>
      objectChange(at % 2 ? 'create' : 'update', `${at}`),
    );
    expect(unsafeDeletions(all, [change('update', objects)], null)).toEqual([]);
    expect(unsafeDeletions({}, [change('create', objects)], null)).toEqual([]);
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countObjects, diffArtifacts } from '../../src/plan/diff.ts';
import type { Artifact, HeldArtifact } from '../../src/plan/generation.ts';
import { artifact, held, objectChange } from './plans.ts';

const heldOf = (...artifacts: Artifact[]): Record<string, HeldArtifact> =>
  Object.fromEntries(artifacts.map((one) => [one.key, held(one)]));
const texts = (...artifacts: Artifact[]): Map<string, Artifact> =>
  new Map(artifacts.map((one) => [one.key, one]));

const users = artifact('acme/pjsip_users.conf', 'users');
const trunks = artifact('acme/pjsip_trunks.conf', 'trunks');
const newUsers = artifact('acme/pjsip_users.conf', 'other users');

it('finds nothing where nothing differs, and needs no text for it', () => {
  expect(diffArtifacts(heldOf(users, trunks), heldOf(trunks, users), new Map())).toEqual([]);
  expect(diffArtifacts({}, {}, new Map())).toEqual([]);
});

it('tells what is made, changed and removed, in the order of the keys', () => {
  const found = diffArtifacts(heldOf(users), heldOf(newUsers, trunks), texts(newUsers, trunks));
  expect(found).toEqual([
    { action: 'create', key: trunks.key, before: null, after: trunks },
    { action: 'update', key: users.key, before: held(users), after: newUsers },
  ]);
  expect(diffArtifacts(heldOf(users), {}, new Map())).toEqual([
    { action: 'delete', key: users.key, before: held(users), after: null },
  ]);
});

it('leads from what is held to exactly what is desired, whatever both are', () => {
  const key = fc.constantFrom('acme/pjsip_users.conf', 'constructor/pjsip_users.conf', 'b/pjsip_trunks.conf');
  const side = fc
    .dictionary(key, fc.constantFrom('one', 'two', ''))
    .map((entries) => Object.entries(entries).map(([name, text]) => artifact(name, text)));
  fc.assert(
    fc.property(side, side, (before, after) => {
      const result = heldOf(...before);
      for (const { action, key: changed, after: made } of diffArtifacts(
        result,
        heldOf(...after),
        texts(...after),
      )) {
        expect(Object.hasOwn(result, changed)).toBe(action !== 'create');
        if (made === null) delete result[changed];
        else result[changed] = held(made);
        expect(made === null).toBe(action === 'delete');
      }
      expect(result).toEqual(heldOf(...after));
    }),
  );
});

it('counts trunks and users, not files', () => {
  const changes = [
    { objects: [objectChange('create', 'a'), objectChange('delete', 'b')] },
    { objects: [objectChange('delete', 'c'), objectChange('update', 'd')] },
    { objects: [] },
  ];
  expect(countObjects(changes)).toEqual({ create: 1, update: 1, delete: 2 });
  expect(countObjects([])).toEqual({ create: 0, update: 0, delete: 0 });
});

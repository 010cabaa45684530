import { describe, expect, it } from 'vitest';
import { planChecksum } from '../../src/plan/checksum.ts';
import type { NodePlan } from '../../src/plan/plan.ts';
import { artifact, change, held, nodePlan, objectChange } from './plans.ts';

const salt = 'salt of this database';
const key = 'acme/pjsip_users.conf';
const update = change('update', [objectChange('update', 'ann')]);
const sum = (values: Partial<NodePlan>, by = salt): string => planChecksum([nodePlan(values)], by);

describe('the checksum of a plan', () => {
  it('is the same for the same content', () => {
    const again = change('update', [objectChange('update', 'ann')]);
    expect(sum({ changes: [update] })).toBe(sum({ changes: [again] }));
    expect(sum({})).toMatch(/^[0-9a-f]{64}$/);
  });

  it('differs with everything that would be done', () => {
    const differing: Partial<NodePlan>[] = [
      {},
      { changes: [update] },
      { changes: [{ ...update, action: 'create', before: null }] },
      { changes: [{ ...update, key: 'beta/pjsip_users.conf' }] },
      { changes: [{ ...update, before: held(artifact(key, 'another past')) }] },
      { changes: [{ ...update, after: artifact(key, 'another future') }] },
      { changes: [{ ...update, action: 'delete', after: null }] },
      { changes: [update, update] },
      { base: 2 },
      { node: 'pbx2' },
      { unverified: true },
      { reload: [{ kind: 'reload-module', module: 'res_pjsip.so' }] },
      { reload: [{ kind: 'unregister', registration: 'main' }] },
    ];
    const sums = differing.map((values) => sum(values));
    expect(new Set(sums).size).toBe(differing.length);
  });

  it('tells one node from two, and their order', () => {
    const [one, two] = [nodePlan({ node: 'a' }), nodePlan({ node: 'b' })];
    const sums = [[one], [two], [one, two], [two, one], []].map((nodes) => planChecksum(nodes, salt));
    expect(new Set(sums).size).toBe(5);
  });

  it('does not depend on how the change is put into words', () => {
    const reworded = { ...update, objects: [objectChange('create', 'somebody else')] };
    expect(sum({ changes: [reworded] })).toBe(sum({ changes: [update] }));
  });

  it('is another one for another database, so that nobody can try out passwords against it', () => {
    expect(sum({ changes: [update] }, 'another salt')).not.toBe(sum({ changes: [update] }));
  });
});

import { expect, it } from 'vitest';
import { makePlan } from '../../src/pipeline/make-plan.ts';
import type { Store } from '../../src/store/store.ts';
import { scriptedNode } from './scripted-node.ts';

it('asks once for the tenants, however many nodes there are', async () => {
  let asked = 0;
  const store = {
    salt: '',
    tenantStates: async () => {
      asked += 1;
      return [];
    },
  };
  const nodes = await Promise.all([scriptedNode(), scriptedNode(), scriptedNode()]);
  const site = {
    store: store as unknown as Store,
    render: async () => [],
  };
  const targets = nodes.map(({ target }) => ({ target, tenants: null }));
  const plan = await makePlan(site, targets, { refresh: false, confirmed: null });
  expect([plan.nodes.length, asked]).toEqual([3, 1]);
});

import { describe, expect, it } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import type { NodePlan, ObjectChange } from '../../src/plan/plan.ts';
import type { Plan } from '../../src/plan/site-plan.ts';
import { planData, planText } from '../../src/report/plan.ts';
import { change, nodePlan, objectChange } from '../plan/plans.ts';

const planOf = (...nodes: NodePlan[]): Plan => ({
  nodes,
  failures: [],
  services: [],
  serviceFailures: [],
  checksum: 'c',
});
const text = (...nodes: NodePlan[]): string => planText(planOf(...nodes), new Map());
const pending = (objects: ObjectChange[], values: Partial<NodePlan> = {}): NodePlan =>
  nodePlan({ changes: [change('update', objects)], ...values });

describe('a plan in words', () => {
  it('says that there is nothing to do', () => {
    expect(text(nodePlan())).toBe('pbx1: generation 1, up to date\nNothing to do.\n');
  });

  it('tells each object, each value that changes, and what is reloaded', () => {
    const updated: ObjectChange = {
      ...objectChange('update', 'ann'),
      options: [
        { section: 'endpoint', option: 'callerid', before: null, after: '"Ann" <101>' },
        { section: 'auth', option: 'password', before: '[secret]', after: '[secret]' },
        { section: 'aor', option: 'mailboxes', before: '1', after: null },
      ],
    };
    const plan = pending([updated, objectChange('create', 'bob'), objectChange('delete', 'eve', 'beta')], {
      reload: [
        { kind: 'unregister', registration: 'main' },
        { kind: 'reload-module', module: 'res_pjsip.so' },
      ],
    });
    expect(text(plan)).toBe(`pbx1: generation 1 → next
  tenant acme
    ~ user ann
        endpoint.callerid: (none) → "Ann" <101>
        auth.password: [secret] → [secret] (changed)
        aor.mailboxes: 1 → (none)
    + user bob
  tenant beta
    - user eve
  reload: unregister main, reload res_pjsip.so
Plan: 1 to create, 1 to change, 1 to delete on 1 node.
`);
  });

  it('counts what it does not name: many objects, and many tenants', () => {
    const many = Array.from({ length: 25 }, (_, at) => objectChange('create', `user-${at}`));
    const objects = text(pending(many));
    expect(objects.match(/\+ user/g)).toHaveLength(20);
    expect(objects).toContain('… and 5 more\n');
    expect(objects).toContain('Plan: 25 to create');

    const tenants = Array.from({ length: 300 }, (_, at) => objectChange('create', 'ann', `tenant-${at}`));
    const short = text(pending(tenants));
    expect(short.match(/^ {2}tenant /gm)).toHaveLength(20);
    expect(short).toContain('… and 280 more tenants\n');
    expect(short).toContain('Plan: 300 to create, 0 to change, 0 to delete on 1 node.');
  });

  it('names a tenant like any other word', () => {
    expect(text(pending([objectChange('create', 'constructor', 'constructor')]))).toContain(
      '  tenant constructor\n    + user constructor\n',
    );
  });

  it('says why a node that differs in nothing is reloaded, what is refused, and which node failed', () => {
    expect(text(nodePlan({ unverified: true }))).toContain('delivered, but never verified');
    const refused = pending([objectChange('delete', 'ann')], {
      refusals: [{ code: 'too_many_deletions', message: '4 of 10 would go', hint: '--confirm 4' }],
    });
    expect(text(refused)).toContain('refused: 4 of 10 would go\n');
    const error = new SipctlError('failed', { code: 'x', message: 'the manifest is damaged' });
    const failed = planText({ ...planOf(), failures: [{ node: 'pbx9', error }] }, new Map());
    expect(failed).toBe('pbx9: the manifest is damaged\n');
  });
});

describe('a plan as data', () => {
  it('holds no text of any file', () => {
    const plan = planOf(pending([objectChange('create', 'ann')]));
    const after = plan.nodes[0]?.changes[0]?.after?.text.toString('utf8') ?? '';
    expect(after).not.toBe('');
    const data = JSON.stringify(planData(plan, new Map()));
    expect(data).not.toContain(JSON.stringify(after).slice(1, -1));
    expect(JSON.parse(data)).toMatchObject({
      checksum: 'c',
      pending: true,
      nodes: [{ node: 'pbx1', count: { create: 1 }, changes: [{ artifact: 'acme/pjsip_users.conf' }] }],
      failures: [],
    });
  });
});

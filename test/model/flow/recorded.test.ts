import { expect, it } from 'vitest';
import { simulate } from '../../../src/model/flow/simulate.ts';
import type { SimulatedCall, World } from '../../../src/model/flow/simulated-call.ts';
import { resolveSite } from '../../../src/model/resolve.ts';
import { shippedCatalog } from '../../platforms/asterisk/render/sample-site.ts';
import { company } from '../../support/calls/company.ts';
import { type SiteValues, tenantSite, type Values } from '../../support/calls/site-values.ts';

/** Who says that a call is recorded: one of them is enough. */

const catalog = await shippedCatalog();
const at = new Date('2026-11-18T12:00:00Z');
const dials = (user: string, dialled: string): SimulatedCall => ({ kind: 'user', user, dialled, at });
const arrives = (number: string, trunk: string | null = null): SimulatedCall => ({
  ...{ kind: 'inbound', requestUri: number, to: null, trunk, from: '+15550001111', at },
});

const marked = (list: readonly Values[] | undefined, key: string, name: string): Values[] =>
  (list ?? []).map((one) => (one[key] === name ? { ...one, record: true } : one));

const { acme } = company;
const tenant: SiteValues = { ...acme, tenant: { ...acme.tenant, record: true } };
const trunk = (name: string): SiteValues => ({ ...acme, trunks: marked(acme.trunks, 'name', name) });
const user = (name: string): SiteValues => ({ ...acme, users: marked(acme.users, 'username', name) });

const cases: readonly [string, SiteValues, SimulatedCall, World, boolean][] = [
  ['nobody: a call inside', acme, dials('ann', '1002'), {}, false],
  ['the tenant: a call inside', tenant, dials('ann', '1002'), {}, true],
  ['the tenant: a call in', tenant, arrives('+15551234567'), {}, true],
  ['the tenant: a call out', tenant, dials('ann', '+12125551234'), {}, true],
  ['the tenant: an emergency', tenant, dials('ann', '911'), {}, true],
  ['the tenant: nobody answers', tenant, dials('ann', '1002'), { phones: { bob: 'busy' } }, false],
  ['the tenant: a message', tenant, dials('bob', '1001'), { phones: { ann: 'no-answer' } }, false],
  ['the tenant: an open room, which has its own say', tenant, dials('ann', '4001'), {}, false],
  ['the trunk: a call in over it', trunk('twilio'), arrives('+15551234567', 'twilio'), {}, true],
  ['the trunk: a call in over another', trunk('twilio'), arrives('+15551234567', 'voipms'), {}, false],
  ['the trunk: a call out over it', trunk('telnyx_main'), dials('ann', '+12125551234'), {}, true],
  ['the trunk: a call out over another', trunk('voipms'), dials('ann', '+12125551234'), {}, false],
  ['the trunk: an emergency', trunk('telnyx_main'), dials('ann', '911'), {}, false],
  ['the user who calls', user('bob'), dials('bob', '1001'), {}, true],
  ['the user who calls: an emergency', user('bob'), dials('bob', '911'), {}, false],
  ['the user who is called', user('bob'), dials('ann', '1002'), {}, true],
  ['another user', user('bob'), dials('ann', '1003'), {}, false],
  ['a user of a group that rings', user('bob'), dials('ann', '2000'), {}, true],
  [
    'a user who did not answer before',
    user('cleo'),
    dials('ann', '1003'),
    { phones: { cleo: 'no-answer' } },
    true,
  ],
];

it.each(cases)('%s', (_, site, call, world, recorded) => {
  expect(simulate(resolveSite(tenantSite(site), catalog).flow, call, world).recorded).toBe(recorded);
});

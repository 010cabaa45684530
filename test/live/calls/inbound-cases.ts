import { compare, type LiveCase, row, type Sight } from './lanes.ts';
import { placeCall } from './place-call.ts';
import { sounds } from './sites.ts';

const welcome = sounds['custom/welcome'];
const hal = 'globex-hal';
const ida = 'globex-ida';
const callerId = '<+493012345>';
const lane = (one: LiveCase): LiveCase => ({ ...one, lane: 'globex' });

/** A call in that the user who takes it transfers. */
const transferred = (name: string, to: string, sight: Sight): LiveCase => ({
  lane: 'globex',
  name,
  run: async (site) => {
    const does = { [hal]: `refer to ${to}` } as const;
    const seen = await placeCall(site, { from: 'inbound', to: '+4930111001', callerId, does, talks: 3 });
    await compare(site, seen, sight);
  },
});

/** Calls from carriers. */
export const inboundCases: readonly LiveCase[] = [
  ...['+4930111001', '4930111001', '030111001', '004930111001'].map((to) =>
    row(
      `number written ${to}`,
      { from: 'inbound', to, callerId },
      { status: 200, reaches: [hal], hears: [hal], requests: [{ from: /<sip:\+493012345@/ }] },
    ),
  ),
  row(
    'number on another trunk of the tenant',
    { from: 'registered', to: '+4930111001', callerId },
    { status: 200, reaches: [hal], hears: [hal] },
  ),
  row(
    'number that the tenant does not have',
    { from: 'inbound', to: '+4930111999', callerId },
    { status: 404 },
  ),
  row('extension, from outside', { from: 'inbound', to: '2001', callerId }, { status: 404 }),
  row('number of another tenant', { from: 'inbound', to: '+13205550101', callerId }, { status: 404 }),
  row('feature code, from outside', { from: 'inbound', to: '*97', callerId }, { status: 404 }),
  row('outside number, from outside', { from: 'inbound', to: '+49409997', callerId }, { status: 404 }),
  row(
    'group: all ring',
    { from: 'inbound', to: '+4930111002', callerId, does: { [hal]: 'ring', [ida]: 'answer after 1' } },
    { status: 200, reaches: [hal, ida], together: true, hears: [ida] },
  ),
  row(
    'group in order, then an outside member',
    { from: 'inbound', to: '+4930111003', callerId, does: { [hal]: 17, [ida]: 17 } },
    { status: 200, reaches: [hal, ida, 'inbound'], hears: ['inbound'] },
  ),
  row(
    'menu: key',
    { from: 'inbound', to: '+4930111004', callerId, presses: 'w1', talks: 1.5 },
    { status: 200, reaches: [hal], hears: [hal, welcome] },
  ),
  row(
    'menu: time-out',
    { from: 'inbound', to: '+4930111004', callerId, talks: 3.5 },
    { status: 200, reaches: [ida], hears: [ida, welcome] },
  ),
  row(
    'schedule: open',
    { from: 'inbound', to: '+4930111005', callerId },
    { status: 200, reaches: [hal], hears: [hal] },
  ),
  row(
    'schedule: holiday',
    { from: 'inbound', to: '+4930111006', callerId },
    { status: 200, reaches: [ida], hears: [ida] },
  ),
  row(
    'schedule: closed',
    { from: 'inbound', to: '+4930111007', callerId },
    { status: 200, reaches: [ida], hears: [ida] },
  ),
  row(
    'forwarded to an outside number',
    { from: 'inbound', to: '+4930111008', callerId },
    { status: 200, reaches: ['inbound'], hears: ['inbound'] },
  ),
  row('number that takes no calls', { from: 'inbound', to: '+4930111010', callerId }, { status: 404 }),
  transferred('transferred by the user to another one', '2002', {
    ...{ status: 200, reaches: [hal, ida], hears: [ida] },
  }),
  transferred('transferred by the user to an outside number', '+49409996', {
    ...{ status: 200, reaches: [hal, 'inbound'], hears: ['inbound'] },
  }),
  transferred('transferred by the user to a number of nobody', '2999', {
    ...{ status: 200, reaches: [hal], unheard: true },
  }),
  row('disabled number', { from: 'inbound', to: '+4930111011', callerId }, { status: 404 }),
  row('number that is busy', { from: 'inbound', to: '+4930111012', callerId }, { status: 486 }),
  row('number without a destination', { from: 'inbound', to: '+4930111013', callerId }, { status: 404 }),
  row(
    'disabled tenant',
    { from: 'closed', to: '+13305550101', callerId },
    { status: { asterisk: 401, freeswitch: 404 }, beforeTheFlow: true },
  ),
  row(
    'number in To, the account in the request',
    { from: 'registered', to: 'regacct', inTo: '+4930111001' },
    { status: 200, reaches: [hal], unheard: true },
  ),
  row(
    'number in To, s in the request',
    { from: 'registered', to: 's', inTo: '4930111001' },
    { status: 200, reaches: [hal], unheard: true },
  ),
  row(
    'unknown number in To',
    { from: 'registered', to: 'regacct', inTo: '+4930111999' },
    { status: 404, reaches: [], unheard: true },
  ),
  row(
    'number in the request before that in To',
    { from: 'registered', to: '+4930111012', inTo: '+4930111001' },
    { status: 486, reaches: [], unheard: true },
  ),
].map(lane);

import { type LiveCase, row } from './lanes.ts';

const joe = 'initech-joe';

/** A call out, as the carrier sees it. */
export const outsideCases: readonly LiveCase[] = [
  row(
    'Telnyx: account in From, caller in P-Asserted-Identity, with +',
    { from: joe, to: '4155552671' },
    {
      ...{ status: 200, reaches: ['telnyx'], hears: ['telnyx'] },
      requests: [
        {
          ...{ requestUri: /^sip:\+14155552671@/, to: /<sip:\+14155552671@/ },
          ...{ from: /<sip:telnyxacct@/, pai: /^"Joe J" <sip:\+14155550101@/ },
        },
      ],
    },
  ),
  row(
    'Twilio: caller of the route in From, no P-Asserted-Identity',
    { from: joe, to: '14165552671' },
    {
      ...{ status: 200, reaches: ['twilio'], hears: ['twilio'] },
      requests: [{ requestUri: /^sip:\+14165552671@/, from: /<sip:\+14155550102@/, pai: /^$/ }],
    },
  ),
  row(
    'VoIP.ms: national numbers, caller in Remote-Party-ID',
    { from: 'initech-kim', to: '+14175552671' },
    {
      ...{ status: 200, reaches: ['voipms'], hears: ['voipms'] },
      requests: [
        { requestUri: /^sip:14175552671@/, from: /<sip:123456@/, rpid: /<sip:14155550100@/, pai: /^$/ },
      ],
    },
  ),
  row(
    'VoIP.ms: another country with the international prefix',
    { from: joe, to: '01149301234567' },
    {
      status: 200,
      reaches: ['voipms'],
      hears: ['voipms'],
      requests: [{ requestUri: /^sip:01149301234567@/ }],
    },
  ),
  row(
    'Flowroute: tech prefix before digits',
    { from: joe, to: '4185552671' },
    {
      ...{ status: 200, reaches: ['flowroute'], hears: ['flowroute'] },
      requests: [{ requestUri: /^sip:12345678\*14185552671@/, pai: /<sip:14155550101@/ }],
    },
  ),
  row(
    'failover: the first trunk is out of service',
    { from: joe, to: '4195552671', does: { main: 34 } },
    { status: 200, reaches: ['main', 'spare'], hears: ['spare'] },
  ),
  row(
    'no failover: the callee is busy',
    { from: joe, to: '4195552671', does: { main: 17 } },
    { status: 486, reaches: ['main'] },
  ),
  row(
    'no failover: unknown number',
    { from: joe, to: '4195552671', does: { main: 1 } },
    { status: 404, reaches: ['main'] },
  ),
  row(
    'no failover: no answer',
    { from: joe, to: '4195552671', does: { main: 'ring' } },
    { status: 480, reaches: ['main'] },
  ),
  row(
    'all trunks fail: cause of the last one',
    { from: joe, to: '4195552671', does: { main: 34, spare: 38 } },
    { status: 500, reaches: ['main', 'spare'] },
  ),
  row(
    'a trunk that is not there is passed over',
    { from: joe, to: '4255552671' },
    {
      status: 200,
      reaches: ['spare'],
      hears: ['spare'],
      requests: [{ requestUri: /^sip:\+14255552671@/, from: /<sip:\+14155550101@/ }],
    },
  ),
  row(
    'route of digits: cut and put before',
    { from: joe, to: '90123' },
    { status: 200, reaches: ['spare'], hears: ['spare'], requests: [{ requestUri: /^sip:\+12125550123@/ }] },
  ),
  row(
    'route of a service number',
    { from: joe, to: '116117' },
    { status: 200, reaches: ['spare'], hears: ['spare'], requests: [{ requestUri: /^sip:116117@/ }] },
  ),
  row('number without a route', { from: joe, to: '2125552671' }, { status: 404 }),
  row('toll class: inside only', { from: 'initech-lea', to: '4155552671' }, { status: 403 }),
  row('toll class: another country', { from: 'initech-max', to: '01149301234567' }, { status: 403 }),
  row(
    'toll class: own country',
    { from: 'initech-max', to: '4155552671' },
    { status: 200, reaches: ['telnyx'], hears: ['telnyx'] },
  ),
  row(
    'toll class: inside calls stay allowed',
    { from: 'initech-lea', to: '1001' },
    { status: 200, reaches: [joe], hears: [joe] },
  ),
  row(
    'emergency: as dialled, with its own caller, over the next trunk that works, whatever the toll class',
    { from: 'initech-lea', to: '911', does: { main: 17 } },
    {
      ...{ status: 200, reaches: ['main', 'spare'], hears: ['spare'] },
      requests: [
        { requestUri: /^sip:911@/, from: /<sip:mainacct@/, pai: /<sip:\+14155550199@/ },
        { requestUri: /^sip:911@/, from: /<sip:\+14155550199@/ },
      ],
    },
  ),
];

import type {
  CallFlow,
  Dialled,
  DialledAction,
  DialPattern,
  FlowConference,
  FlowRoute,
  FlowUser,
  Hop,
  InboundNumber,
} from '../../../../src/model/flow/call-flow.ts';
import { emptyFlow } from '../../../../src/model/flow/resolve-flow.ts';
import { Secret } from '../../../../src/model/secret.ts';

/** Parts of call flows, each with as little in it as there can be. */

export const flowUser = (name: string, extension: string, values: Partial<FlowUser> = {}): FlowUser => ({
  name,
  endpoint: name,
  extension,
  maxCalls: 0,
  ringTime: 30,
  unanswered: null,
  mailbox: null,
  callerId: null,
  tollClass: 'all',
  record: false,
  ...values,
});

export const hop = (trunk: string, values: Partial<Hop> = {}): Hop => ({
  trunk,
  endpoint: `acme.${trunk}`,
  maxCalls: 0,
  format: { kind: 'plus' },
  callerId: null,
  techPrefix: '',
  record: false,
  ...values,
});

export const route = (match: string, hops: readonly Hop[], values: Partial<FlowRoute> = {}): FlowRoute => ({
  name: 'default',
  match,
  hops,
  failover: [3, 27, 34, 38, 41, 42, 44, 47],
  strip: 0,
  prepend: '',
  callerId: null,
  ringTime: 60,
  ...values,
});

/** `00X.` as a pattern. */
export function pattern(text: string): DialPattern {
  const [, literal = '', any = '', more = ''] = /^([^X.]*)(X*)(\.?)$/.exec(text) ?? [];
  return { literal, anyDigits: any.length, more: more !== '' };
}

export const dials = (text: string, action: DialledAction): Dialled => ({
  pattern: pattern(text),
  why: text,
  action,
});

export const inbound = (number: string, values: Partial<InboundNumber> = {}): InboundNumber => ({
  number,
  forms: [number, number.slice(1)],
  trunk: null,
  schedule: null,
  destination: { kind: 'hangup', cause: 'busy' },
  record: false,
  variables: [],
  ...values,
});

export const conference = (name: string, values: Partial<FlowConference> = {}): FlowConference => ({
  name,
  pin: null,
  moderatorPin: null,
  profile: 'meeting',
  waitForModerator: false,
  maxMembers: 0,
  announce: true,
  record: false,
  ...values,
});

const germany = {
  kind: 'national',
  callingCode: '49',
  nationalPrefix: '0',
  internationalPrefix: '00',
} as const;

/** A company with one of everything. */
export const company: CallFlow = {
  ...emptyFlow('acme'),
  maxCalls: 10,
  callingCode: '49',
  callerId: '+493090182000',
  users: [
    flowUser('ann', '1001', {
      endpoint: 'ann@acme.example',
      maxCalls: 2,
      callerId: '+493090182001',
      mailbox: {
        ...{ box: '1001', context: 't-acme', pin: new Secret('4711'), displayName: 'Ann Lee' },
        ...{ email: 'ann@acme.example', timeZone: 'Europe/Berlin' },
      },
    }),
    flowUser('bob', '1002', {
      tollClass: 'national',
      unanswered: { kind: 'group', name: 'sales' },
      mailbox: {
        ...{ box: '1002', context: 't-acme', pin: null, displayName: 'Bob; Jr., PhD' },
        ...{ email: null, timeZone: null },
      },
    }),
    flowUser('cleo', '1003', { tollClass: 'internal' }),
  ],
  groups: [
    {
      ...{ name: 'sales', strategy: 'all', ringTime: 20 },
      members: [
        { kind: 'user', name: 'ann' },
        { kind: 'user', name: 'bob' },
        { kind: 'external', number: '+4917012345678' },
      ],
      unanswered: { kind: 'voicemail', name: 'ann' },
    },
    {
      ...{ name: 'night-shift', strategy: 'order', ringTime: 15 },
      members: [
        { kind: 'user', name: 'cleo' },
        { kind: 'external', number: '+4917012345678' },
        { kind: 'user', name: 'bob' },
      ],
      unanswered: null,
    },
  ],
  ivrs: [
    {
      ...{
        name: 'main',
        greeting: 'custom/acme-welcome',
        invalidSound: 'pbx-invalid',
        timeout: 5,
        attempts: 3,
      },
      keys: [
        ['1', { kind: 'user', name: 'ann' }],
        ['2', { kind: 'group', name: 'sales' }],
        ['3', { kind: 'external', number: '+13125550100' }],
        ['*', { kind: 'voicemail', name: 'bob' }],
        ['#', { kind: 'app', context: 'fax-in' }],
      ],
      directDial: true,
      unanswered: { kind: 'group', name: 'sales' },
      invalid: { kind: 'hangup', cause: 'rejected' },
    },
  ],
  conferences: [
    conference('board', {
      ...{ pin: new Secret('1111'), moderatorPin: new Secret('9999'), waitForModerator: true },
      ...{ maxMembers: 20, record: true },
    }),
    conference('all-hands', { moderatorPin: new Secret('8888'), profile: 'lecture', announce: false }),
    conference('open'),
  ],
  schedules: [
    {
      ...{ name: 'office', timeZone: 'Europe/Berlin', holidays: ['2026-12-24', '12-25'] },
      open: [
        { days: [1, 2, 3, 4, 5], from: 540, to: 1020 },
        { days: [6], from: 600, to: 780 },
        { days: [7, 1], from: 1380, to: 1440 },
      ],
      closed: { kind: 'voicemail', name: 'ann' },
    },
  ],
  dialled: [
    dials('112', {
      kind: 'emergency',
      emergency: {
        number: '112',
        callerId: '+493090182000',
        hops: [hop('telekom'), hop('telnyx', { format: { kind: 'digits' }, maxCalls: 5, techPrefix: '77*' })],
      },
    }),
    ...['1001:ann', '1002:bob', '1003:cleo'].map((text) => {
      const [extension = '', name = ''] = text.split(':');
      return dials(extension, { kind: 'reach', to: { kind: 'user', name } });
    }),
    dials('2000', { kind: 'reach', to: { kind: 'group', name: 'sales' } }),
    dials('2001', { kind: 'reach', to: { kind: 'group', name: 'night-shift' } }),
    dials('3000', { kind: 'reach', to: { kind: 'ivr', name: 'main' } }),
    dials('4000', { kind: 'reach', to: { kind: 'conference', name: 'board' } }),
    dials('4001', { kind: 'reach', to: { kind: 'conference', name: 'all-hands' } }),
    dials('4002', { kind: 'reach', to: { kind: 'conference', name: 'open' } }),
    dials('*97', { kind: 'voicemail-menu', box: 'own' }),
    dials('*98', { kind: 'voicemail-menu', box: 'any' }),
    dials('116117', {
      kind: 'route',
      route: route('116117', [hop('telekom', { format: germany })], { name: 'services' }),
    }),
    dials('9.', {
      kind: 'route',
      route: route('9.', [hop('telekom', { format: germany })], { name: 'nine', strip: 1, prepend: '+49' }),
    }),
    dials('00.', { kind: 'canonical', strip: 2, prepend: '+' }),
    dials('0.', { kind: 'canonical', strip: 1, prepend: '+49' }),
    dials('+.', { kind: 'canonical', strip: 0, prepend: '' }),
  ],
  inbound: [
    inbound('+493090182000', {
      ...{ destination: { kind: 'ivr', name: 'main' }, schedule: 'office', record: true },
      forms: ['+493090182000', '493090182000', '03090182000'],
      variables: [
        ['CRM_QUEUE', 'front desk'],
        ['LANG', 'de'],
      ],
    }),
    inbound('+493090182001', { destination: { kind: 'user', name: 'ann' }, trunk: 'telekom' }),
    inbound('+493090182009', { destination: { kind: 'external', number: '+4917012345678' } }),
  ],
  trunks: [
    { name: 'telekom', endpoint: 'acme.telekom', maxCalls: 2, record: false },
    { name: 'telnyx', endpoint: 'acme.telnyx', maxCalls: 0, record: false },
  ],
  accounts: ['acme_account', '493090182000'],
  routes: [
    route(
      '+49',
      [hop('telekom', { format: germany, maxCalls: 2, callerId: '+493090182000' }), hop('telnyx')],
      {
        name: 'germany',
      },
    ),
    route('+1', [hop('flowroute', { format: { kind: 'digits' }, techPrefix: '12345678*' })], {
      ...{ name: 'america', callerId: '+13125550111', failover: [34], ringTime: 40 },
    }),
    route('+', [hop('telnyx'), hop('telekom', { format: germany })]),
  ],
};

/** The same for the tenant whose contexts have the names of the documents. */
export const defaultCompany: CallFlow = {
  ...emptyFlow('default'),
  users: [flowUser('zoe', '2001')],
  dialled: [dials('2001', { kind: 'reach', to: { kind: 'user', name: 'zoe' } })],
  inbound: [inbound('+13125550100', { destination: { kind: 'user', name: 'zoe' } })],
  routes: [route('+', [hop('main', { endpoint: 'main' })])],
};

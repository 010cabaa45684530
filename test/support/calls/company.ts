import type { SiteValues } from './site-values.ts';

/** Two tenants that have everything once, for the table of cases. */

/** In the US, with five carriers, each of which wants numbers in its own form. */
export const acme: SiteValues = {
  tenant: { name: 'acme', country: 'US', maxCalls: 10, defaultCallerId: '+15551234567' },
  trunks: [
    trunk('telnyx_main', 'telnyx', { did: '+15551234567', isDefault: true, maxCalls: 3 }),
    trunk('twilio', 'twilio', { did: '+15551234580', priority: 20, host: 'acme.pstn.twilio.com' }),
    trunk('voipms', 'voipms', { username: '100001', priority: 30 }),
    trunk('flowroute', 'flowroute', { username: '12345678', techPrefix: '12345678*', priority: 40 }),
    trunk('vonage', 'vonage', { did: '+15551234588', priority: 50 }),
    trunk('retired', 'telnyx', { enabled: false }),
    trunk('inbound_only', 'telnyx', { outbound: false, username: 'inbound01', priority: 1 }),
  ],
  users: [
    user('ann', '1001', {
      voicemail: true,
      voicemailPin: '4711',
      callerId: '+15551234568',
      ringTime: 4,
      maxCalls: 2,
    }),
    user('bob', '1002', { ringTime: 4, tollClass: 'national' }),
    user('cleo', '1003', { ringTime: 4, tollClass: 'internal', unanswered: 'user:bob' }),
    user('dan', '1004', { enabled: false, voicemail: true }),
    user('eve', '1005', { ringTime: 4, maxCalls: 1 }),
    user('fay', '1006', { ringTime: 4, callerId: '+15551234576', mailbox: '77@default' }),
  ],
  groups: [
    {
      name: 'sales',
      extension: '2000',
      members: ['ann', 'bob', 'dan'],
      ringTime: 4,
      unanswered: 'voicemail:ann',
    },
    { name: 'support', extension: '2001', members: ['cleo', 'eve'], strategy: 'order', ringTime: 3 },
    {
      name: 'oncall',
      extension: '2002',
      members: ['bob', 'external:+15557654321'],
      strategy: 'order',
      ringTime: 3,
    },
    { name: 'closed', extension: '2003', members: ['ann'], enabled: false },
  ],
  ivrs: [
    {
      name: 'main',
      extension: '3000',
      greeting: 'demo-congrats',
      keys: [
        '1=user:ann',
        '2=group:sales',
        '3=conference:board',
        '4=ivr:second',
        '9=user:dan',
        '0=hangup:busy',
      ],
      directDial: true,
      timeout: 2,
      attempts: 2,
      unanswered: 'user:bob',
      invalid: 'group:support',
    },
    {
      name: 'second',
      extension: '3001',
      greeting: 'demo-thanks',
      keys: ['1=user:bob', '*=ivr:main'],
      timeout: 2,
      attempts: 2,
    },
  ],
  conferences: [
    {
      name: 'board',
      extension: '4000',
      pin: '1234',
      moderatorPin: '9876',
      waitForModerator: true,
      record: true,
    },
    { name: 'open', extension: '4001' },
    { name: 'lecture', extension: '4002', moderatorPin: '5555', profile: 'lecture' },
  ],
  schedules: [
    {
      name: 'office',
      timeZone: 'Europe/Berlin',
      open: ['mon-fri 09:00-17:00', 'sat 10:00-13:00'],
      holidays: ['12-25', '2026-11-18'],
      closed: 'voicemail:ann',
    },
  ],
  numbers: [
    { number: '+15551234567', destination: 'user:ann', trunk: 'telnyx_main' },
    { number: '+15551234568', destination: 'group:sales' },
    { number: '+15551234569', destination: 'ivr:main' },
    { number: '+15551234570', destination: 'user:bob', schedule: 'office' },
    { number: '+15551234571' },
    { number: '+15551234572', destination: 'user:ann', enabled: false },
    { number: '+15551234573', destination: 'app:acme-bot', variables: ['BOT=sales', 'LANG=en'] },
    { number: '+15551234574', destination: 'external:+15557654321' },
    { number: '+15551234575', destination: 'user:ann', record: true },
    { number: '+15551234576', destination: 'user:bob', outbound: false },
    { number: '+15551234577', destination: 'user:ann', inbound: false },
    { number: '+15551234578', destination: 'user:dan' },
    { number: '+15551234579', destination: 'hangup:congestion' },
    { number: '+15551234580', destination: 'group:oncall' },
    { number: '+15551234581', destination: 'voicemail:ann' },
    { number: '+15551234582', destination: 'conference:board' },
    { number: '+15551234583', destination: 'group:closed' },
    { number: '+4930123456', destination: 'user:bob' },
  ],
  routes: [
    { name: 'world', match: ['+'], trunks: ['telnyx_main', 'twilio'] },
    { name: 'germany', match: ['+49'], trunks: ['voipms', 'vonage'] },
    { name: 'mexico', match: ['+52'], trunks: ['flowroute'], callerId: '+15551234580' },
    { name: 'canada', match: ['+1416'], trunks: ['voipms'] },
    { name: 'crisis', match: ['116117', '7XX'], trunks: ['twilio'] },
    { name: 'access', match: ['9.'], trunks: ['vonage'], strip: 1, prepend: '+1' },
    { name: 'failing', match: ['+33'], trunks: ['twilio', 'voipms'], failover: ['17'] },
    { name: 'nowhere', match: ['+850'], trunks: ['retired'] },
    { name: 'off', match: ['+44'], trunks: ['flowroute'], enabled: false },
  ],
  emergencies: [
    { number: '911', callerId: '+15551234567', trunks: ['voipms', 'telnyx_main'] },
    { number: '933', callerId: '+15551234567' },
  ],
};

/** In Germany, without a route: whatever goes out takes the default trunk first. */
export const globex: SiteValues = {
  tenant: { name: 'globex', country: 'DE', maxCalls: 2 },
  trunks: [
    trunk('b_second', 'custom_credential', { host: 'b.carrier.example', numberFormat: 'digits' }),
    trunk('a_third', 'custom_credential', {
      host: 'a.carrier.example',
      priority: 20,
      numberFormat: 'national',
      did: '+4930987654',
    }),
    trunk('z_first', 'custom_credential', { host: 'z.carrier.example', isDefault: true, priority: 99 }),
  ],
  users: [
    user('greta', '1001', { template: 'advanced_user', ringTime: 4 }),
    user('hans', '1002', { ringTime: 4, unanswered: 'user:ilse' }),
    user('ilse', '1003', { ringTime: 4, unanswered: 'user:hans' }),
    user('jan', '112', { ringTime: 4 }),
  ],
  numbers: [{ number: '+4930987654', destination: 'user:greta' }],
  emergencies: [{ number: '112', callerId: '+4930987654' }],
};

export const company: Readonly<Record<'acme' | 'globex', SiteValues>> = { acme, globex };

function trunk(name: string, provider: string, values: SiteValues['tenant'] | object): Record<string, never> {
  return { name, provider, username: `${name.replaceAll('_', '')}`, password: 'carrier', ...values } as never;
}

function user(username: string, extension: string, values: object): Record<string, never> {
  return { username, extension, password: `phone of ${username}`, ...values } as never;
}

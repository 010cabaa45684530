import { describe, expect, test } from 'vitest';
import {
  trunkVariables as catalogTrunk,
  userVariables as catalogUser,
} from '../../../../src/catalog/expressions.ts';
import { Secret } from '../../../../src/model/secret.ts';
import {
  trunkContext,
  trunkVariables,
  userContext,
  userVariables,
} from '../../../../src/platforms/asterisk/render/contexts.ts';
import { shippedCatalog, tenantOf, trunkOf, userOf } from './sample-site.ts';

const catalog = await shippedCatalog();
const custom = catalog.providers.get('custom_credential');
const basic = catalog.users.get('basic_user');
if (custom === undefined || basic === undefined) throw new Error('the shipped templates have other names');

const trunk = (values: Parameters<typeof trunkOf>[2] = {}, transports = {}) =>
  trunkContext(trunkOf(custom, 'credential', { host: 'sip.carrier.example', ...values }), transports);
const user = (values: Parameters<typeof userOf>[1] = {}) => userContext(userOf(basic, values));

test('whatever the catalog lets a template name is there', () => {
  expect(Object.keys(trunkVariables)).toEqual(expect.arrayContaining([...catalogTrunk]));
  expect(Object.keys(userVariables)).toEqual(expect.arrayContaining([...catalogUser]));
});

describe('URIs of a trunk', () => {
  test.each([
    ['its bare host', {}, 'sip:sip.carrier.example'],
    ['a port only where it was set', { port: 5080 }, 'sip:sip.carrier.example:5080'],
    ['a transport only where it is not UDP', { transport: 'tcp' }, 'sip:sip.carrier.example\\;transport=tcp'],
    ['TLS as a transport', { transport: 'tls' }, 'sip:sip.carrier.example\\;transport=tls'],
    ['an IPv6 address in brackets', { host: '[2001:db8::1]', port: 5080 }, 'sip:[2001:db8::1]:5080'],
  ] as const)('name %s', (_, values, uri) => {
    const context = trunk(values);
    expect(context.serverUri).toBe(uri);
    expect(context.contactUri).toBe(uri);
  });

  test('an address of record has user and domain only', () => {
    expect(trunk({ port: 5080, transport: 'tls', fromDomain: 'acme.example' }).clientUri).toBe(
      'sip:1234567890@acme.example',
    );
  });

  test('the user part is escaped by RFC 3261, and what is escaped already stays', () => {
    expect(trunk({ username: 'a b@c%40é' }).clientUri).toBe('sip:a%20b%40c%40%C3%A9@sip.carrier.example');
    expect(trunk({ username: "+1-_.!~*'()&=$,?/" }).contactUser).toBe("+1-_.!~*'()&=$,?/");
  });

  test('a proxy is loose', () => {
    expect(trunk({ outboundProxy: 'proxy.example' }).outboundProxyUri).toBe('sip:proxy.example\\;lr');
    expect(trunk({ outboundProxy: 'proxy.example', transport: 'tls' }).outboundProxyUri).toBe(
      'sip:proxy.example\\;transport=tls\\;lr',
    );
    expect(trunk().outboundProxyUri).toBe('');
  });
});

test.each([
  ['account', '1234567890'],
  ['did', '15551234567'],
  ['did-plus', '+15551234567'],
  ['caller', ''],
] as const)('the From user by rule %s is %j', (fromUser, expected) => {
  expect(trunk({ fromUser }).fromUser).toBe(expected);
});

test('a transport object has its usual name unless the node names another', () => {
  expect(trunk({ transport: 'tls' }).transportName).toBe('transport-tls');
  expect(trunk({ transport: 'tls' }, { tls: 'tls-out' }).transportName).toBe('tls-out');
});

test('a trunk that takes no calls matches no networks', () => {
  expect(trunk({ networks: ['192.0.2.1', '2001:db8::/64'] }).networks).toBe('192.0.2.1,2001:db8::/64');
  expect(trunk({ networks: ['192.0.2.1'], inbound: false })).toMatchObject({ networks: '', inbound: '' });
});

test('yes and no are yes and nothing', () => {
  expect(trunk({ registration: true, srtp: false })).toMatchObject({
    registration: 'yes',
    srtp: '',
    tls: '',
  });
});

// Read back from real Asterisk 16 and 22 as the names on the left.
test.each([
  ['Ann Example', '"Ann Example" <1001>'],
  ['Ann "The" B', '"Ann \\"The\\" B" <1001>'],
  ['back\\', '"back\\\\" <1001>'],
  ['semi ; <x>', '"semi \\; <x>" <1001>'],
  ['";\\', '"\\"\\;\\\\" <1001>'],
  ['שלום 😀', '"שלום 😀" <1001>'],
])('the caller ID of %j', (displayName, callerid) => {
  expect(user({ displayName }).callerid).toBe(callerid);
});

test.each([
  ['x'.repeat(100), 'x'.repeat(79)],
  ['😀'.repeat(20), '😀'.repeat(19)],
  [`${'"'.repeat(90)}`, '\\"'.repeat(79)],
  [`${'x'.repeat(78)} yz`, 'x'.repeat(78)],
])('of the name %j a caller ID holds as much as Asterisk keeps', (displayName, kept) => {
  expect(user({ displayName }).callerid).toBe(`"${kept}" <1001>`);
});

test('the caller ID is the extension, and a number only where calls enter a context of the operator’s own', () => {
  expect(user({ displayName: null }).callerid).toBe('"1001" <1001>');
  expect(user({ callerId: '+15551234567' }).callerid).toBe('"Ann Example" <1001>');
  expect(user({ callerId: '+15551234567', context: 'mine' }).callerid).toBe('"Ann Example" <+15551234567>');
  expect(user({ callerId: '+15551234567', context: 't-acme' }).callerid).toBe('"Ann Example" <1001>');
  const shared = tenantOf({ defaultCallerId: '+15550000000', context: 'mine' });
  expect(userContext(userOf(basic, {}, shared)).callerid).toBe('"Ann Example" <+15550000000>');
});

test('what cannot be written is refused with the object and the field, never the value', () => {
  const bad = () => user({ password: new Secret('s3cret\n[x]') });
  expect(bad).toThrow(/user ann: password holds a control character/);
  expect(bad).not.toThrow(/s3cret/);
});

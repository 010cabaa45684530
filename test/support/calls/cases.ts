import type {
  CallOutcome,
  HopAttempt,
  SimulatedCall,
  World,
} from '../../../src/model/flow/simulated-call.ts';
import type { company } from './company.ts';

/**
 * What happens to which call: the simulator is held to it, and real calls can be. Numbers in brackets say which rule
 * a case shows.
 */
export interface CallCase {
  name: string;
  tenant: keyof typeof company;
  call: SimulatedCall;
  world?: World;
  outcome: CallOutcome;
  /** All that were tried, in order; none where nothing is said. */
  hops?: readonly HopAttempt[];
  /** Some of the variables on the caller's channel. */
  variables?: Readonly<Record<string, string>>;
  recorded?: true;
}

/** Saturday, 10:05 in Berlin. */
const saturday = new Date('2026-11-21T09:05:00Z');

const calls = (user: string, dialled: string): SimulatedCall => ({
  kind: 'user',
  user,
  dialled,
  at: saturday,
});

/** A call from a carrier: to a DID as the request URI holds it, unless To says something else. */
const arrives = (
  requestUri: string,
  more: { to?: string; trunk?: string; at?: string } = {},
): SimulatedCall => ({
  kind: 'inbound',
  requestUri,
  to: more.to ?? null,
  trunk: more.trunk ?? 'telnyx_main',
  from: '+15550001111',
  at: more.at === undefined ? saturday : new Date(more.at),
});

const person = (user: string, rings: readonly string[] = [user]): CallOutcome => ({
  kind: 'user',
  user,
  endpoint: user,
  rings,
});
const message = (
  user: string,
  box: string,
  greeting: 'unavailable' | 'busy' = 'unavailable',
): CallOutcome => ({
  kind: 'voicemail',
  user,
  box,
  greeting,
});
const told = (q850: number, sip: number): CallOutcome => ({ kind: 'refused', q850, sip });
const hop = (
  trunk: string,
  number: string,
  callerId: string | null,
  result: HopAttempt['result'] = 'answered',
): HopAttempt => ({ trunk, number, callerId, result });

/** A call that its only, or its last, trunk took. */
const outside = (...hops: HopAttempt[]): Pick<CallCase, 'outcome' | 'hops'> => {
  const { trunk, number, callerId } = hops.at(-1) as HopAttempt;
  return { outcome: { kind: 'outside', trunk, number, callerId }, hops };
};

const annId = '+15551234568';

export const callCases: readonly CallCase[] = [
  // Inside (4, 5, 10)
  { name: 'user to user', tenant: 'acme', call: calls('ann', '1002'), outcome: person('bob'), variables: { accountcode: 'acme', SIPCTL_TENANT: 'acme', SIPCTL_DIRECTION: 'internal' } },
  { name: 'an unknown extension', tenant: 'acme', call: calls('ann', '1999'), outcome: told(1, 404) },
  { name: 'a disabled user’s extension', tenant: 'acme', call: calls('ann', '1004'), outcome: told(1, 404) },
  { name: 'another tenant’s group is no group of this one', tenant: 'globex', call: calls('greta', '2000'), outcome: told(1, 404) },
  { name: 'the same extension is another person in another tenant', tenant: 'globex', call: calls('hans', '1001'), outcome: person('greta') },
  { name: 'text that no phone dials', tenant: 'acme', call: calls('ann', '10a2'), outcome: told(1, 404) },
  { name: 'nobody answers, and a box is there', tenant: 'acme', call: calls('bob', '1001'), world: { phones: { ann: 'no-answer' } }, outcome: message('ann', '1001') },
  { name: 'busy, and a box is there', tenant: 'acme', call: calls('bob', '1001'), world: { phones: { ann: 'busy' } }, outcome: message('ann', '1001', 'busy') },
  { name: 'no phone registered, and a box is there', tenant: 'acme', call: calls('bob', '1001'), world: { phones: { ann: 'offline' } }, outcome: message('ann', '1001') },
  { name: 'no phone registered, and no box', tenant: 'acme', call: calls('ann', '1002'), world: { phones: { bob: 'offline' } }, outcome: told(20, 480) },
  { name: 'busy, and no box', tenant: 'acme', call: calls('ann', '1002'), world: { phones: { bob: 'busy' } }, outcome: told(17, 486) },
  { name: 'nobody answers, and no box', tenant: 'acme', call: calls('ann', '1002'), world: { phones: { bob: 'no-answer' } }, outcome: told(19, 480) },
  { name: 'a phone that rejects', tenant: 'acme', call: calls('ann', '1002'), world: { phones: { bob: 'rejects' } }, outcome: told(19, 480) },
  { name: 'nobody answers, and somebody else does', tenant: 'acme', call: calls('ann', '1003'), world: { phones: { cleo: 'no-answer' } }, outcome: person('bob') },
  { name: 'a mailbox kept elsewhere takes no message', tenant: 'acme', call: calls('ann', '1006'), world: { phones: { fay: 'no-answer' } }, outcome: told(19, 480) },
  { name: 'a template’s voicemail box', tenant: 'globex', call: calls('hans', '1001'), world: { phones: { greta: 'no-answer' } }, outcome: message('greta', '1001') },
  { name: 'two users who send calls to each other', tenant: 'globex', call: calls('greta', '1002'), world: { phones: { hans: 'offline', ilse: 'offline' } }, outcome: { kind: 'loop' } },
  { name: 'a group rings all, without those who are disabled', tenant: 'acme', call: calls('cleo', '2000'), outcome: person('ann', ['ann', 'bob']) },
  { name: 'a group rings all but those without phones', tenant: 'acme', call: calls('cleo', '2000'), world: { phones: { ann: 'offline' } }, outcome: person('bob') },
  { name: 'the second of a group answers', tenant: 'acme', call: calls('cleo', '2000'), world: { phones: { ann: 'no-answer' } }, outcome: person('bob', ['ann', 'bob']) },
  { name: 'nobody of a group answers: its own destination, not that of a member', tenant: 'acme', call: calls('cleo', '2000'), world: { phones: { ann: 'no-answer', bob: 'no-answer' } }, outcome: message('ann', '1001') },
  { name: 'a group rings in order', tenant: 'acme', call: calls('ann', '2001'), outcome: person('cleo') },
  { name: 'a group goes on where the first is busy', tenant: 'acme', call: calls('ann', '2001'), world: { phones: { cleo: 'busy' } }, outcome: person('eve') },
  { name: 'nobody of a group without a destination answers', tenant: 'acme', call: calls('ann', '2001'), world: { phones: { cleo: 'no-answer', eve: 'offline' } }, outcome: told(19, 480) },
  { name: 'a group ends outside', tenant: 'acme', call: calls('ann', '2002'), world: { phones: { bob: 'no-answer' } }, ...outside(hop('telnyx_main', '+15557654321', '+15551234567')) },
  { name: 'a disabled group’s extension', tenant: 'acme', call: calls('ann', '2003'), outcome: told(1, 404) },
  { name: 'the own voicemail box', tenant: 'acme', call: calls('ann', '*97'), outcome: { kind: 'voicemail-menu', box: '1001' } },
  { name: 'any voicemail box', tenant: 'acme', call: calls('bob', '*98'), outcome: { kind: 'voicemail-menu', box: null } },
  { name: 'the own voicemail box of one who has none', tenant: 'acme', call: calls('bob', '*97'), outcome: told(1, 404) },
  { name: 'a room without a PIN', tenant: 'acme', call: calls('ann', '4001'), outcome: { kind: 'conference', room: 'open', role: 'participant' } },
  { name: 'a moderator', tenant: 'acme', call: calls('ann', '4000'), world: { pressed: ['9876#'] }, outcome: { kind: 'conference', room: 'board', role: 'moderator' }, recorded: true },
  { name: 'a participant, at the second try', tenant: 'acme', call: calls('ann', '4000'), world: { pressed: ['1111#', '1234#'] }, outcome: { kind: 'conference', room: 'board', role: 'participant' }, recorded: true },
  { name: 'three wrong PINs', tenant: 'acme', call: calls('ann', '4000'), world: { pressed: ['1#', '2#', '3#'] }, outcome: told(21, 403) },
  { name: 'no PIN where only moderators have one', tenant: 'acme', call: calls('ann', '4002'), world: { pressed: ['#'] }, outcome: { kind: 'conference', room: 'lecture', role: 'participant' } },

  // Limits (3)
  { name: 'the tenant’s last place', tenant: 'globex', call: calls('hans', '1001'), world: { calls: { tenant: 1 } }, outcome: person('greta') },
  { name: 'the tenant’s limit', tenant: 'globex', call: calls('hans', '1001'), world: { calls: { tenant: 2 } }, outcome: told(17, 486) },
  { name: 'the tenant’s limit, from outside', tenant: 'globex', call: arrives('+4930987654', { trunk: 'z_first' }), world: { calls: { tenant: 2 } }, outcome: told(17, 486) },
  { name: 'the caller’s limit', tenant: 'acme', call: calls('eve', '1001'), world: { calls: { users: { eve: 1 } } }, outcome: told(17, 486) },
  { name: 'the called user’s limit is busy', tenant: 'acme', call: calls('ann', '1005'), world: { calls: { users: { eve: 1 } } }, outcome: told(17, 486) },
  { name: 'the called user’s limit, and a box is there', tenant: 'acme', call: calls('bob', '1001'), world: { calls: { users: { ann: 2 } } }, outcome: message('ann', '1001', 'busy') },
  { name: 'a group passes over a member at its limit', tenant: 'acme', call: calls('cleo', '2000'), world: { calls: { users: { ann: 2 } } }, outcome: person('bob') },
  { name: 'the limit of the trunk a call arrives on', tenant: 'acme', call: arrives('+15551234567'), world: { calls: { trunks: { telnyx_main: 3 } } }, outcome: told(17, 486) },
  { name: 'a number that nobody has is unknown also at the limit', tenant: 'globex', call: arrives('+4930000000', { trunk: 'z_first' }), world: { calls: { tenant: 2 } }, outcome: told(1, 404) },
  { name: 'the last trunk is at its limit', tenant: 'acme', call: calls('ann', '+14165551234'), world: { calls: { trunks: { voipms: 5 } } }, outcome: told(17, 486), hops: [hop('voipms', '14165551234', '15551234568', 'limit')] },
  { name: 'a trunk at its limit is passed', tenant: 'acme', call: calls('ann', '+442071234567'), world: { calls: { trunks: { telnyx_main: 3 } } }, ...outside(hop('telnyx_main', '+442071234567', annId, 'limit'), hop('twilio', '+442071234567', annId)) },

  // From carriers (8, 9)
  { name: 'a number to a user', tenant: 'acme', call: arrives('+15551234567'), outcome: person('ann'), variables: { SIPCTL_DIRECTION: 'inbound', SIPCTL_NUMBER: '+15551234567', SIPCTL_TRUNK: 'telnyx_main', SIPCTL_TENANT: 'acme', accountcode: 'acme' } },
  { name: 'digits', tenant: 'acme', call: arrives('15551234567'), outcome: person('ann') },
  { name: 'ten digits', tenant: 'acme', call: arrives('5551234567'), outcome: person('ann') },
  { name: '011 and the number', tenant: 'acme', call: arrives('01115551234567'), outcome: person('ann') },
  { name: '00 and the number', tenant: 'acme', call: arrives('0015551234567'), outcome: person('ann') },
  { name: 'a German number with its national prefix', tenant: 'acme', call: arrives('030123456'), outcome: person('bob') },
  { name: 'To where the request URI holds the account', tenant: 'acme', call: arrives('telnyxmain', { to: '+15551234567' }), outcome: person('ann') },
  { name: 'To where the request URI holds s', tenant: 'acme', call: arrives('s', { to: '15551234567' }), outcome: person('ann') },
  { name: 'the request URI before To', tenant: 'acme', call: arrives('+15551234576', { to: '+15551234567' }), outcome: person('bob') },
  { name: 'a number on another trunk than its own', tenant: 'acme', call: arrives('+15551234567', { trunk: 'twilio' }), outcome: person('ann'), variables: { SIPCTL_TRUNK: 'twilio' } },
  { name: 'a number that nobody has', tenant: 'acme', call: arrives('+15559999999'), outcome: told(1, 404) },
  { name: 'another tenant’s number', tenant: 'acme', call: arrives('+4930987654'), outcome: told(1, 404) },
  { name: 'a disabled number', tenant: 'acme', call: arrives('+15551234572'), outcome: told(1, 404) },
  { name: 'a number without calls in', tenant: 'acme', call: arrives('+15551234577'), outcome: told(1, 404) },
  { name: 'a number without a destination', tenant: 'acme', call: arrives('+15551234571'), outcome: told(1, 404) },
  { name: 'a number of a disabled user', tenant: 'acme', call: arrives('+15551234578'), outcome: told(20, 480) },
  { name: 'a number of a disabled group', tenant: 'acme', call: arrives('+15551234583'), outcome: told(20, 480) },
  { name: 'a number that is refused', tenant: 'acme', call: arrives('+15551234579'), outcome: told(34, 503) },
  { name: 'a number to a voicemail box', tenant: 'acme', call: arrives('+15551234581'), outcome: message('ann', '1001') },
  { name: 'a number to a context of one’s own', tenant: 'acme', call: arrives('+15551234573'), outcome: { kind: 'app', context: 'acme-bot', number: '+15551234573' }, variables: { BOT: 'sales', LANG: 'en' } },
  { name: 'a number to the outside', tenant: 'acme', call: arrives('+15551234574'), ...outside(hop('telnyx_main', '+15557654321', '+15551234567')), variables: { SIPCTL_DIRECTION: 'inbound', SIPCTL_NUMBER: '+15551234574' } },
  { name: 'a recorded number', tenant: 'acme', call: arrives('+15551234575'), outcome: person('ann'), recorded: true },
  { name: 'a recorded number, and nobody talks', tenant: 'acme', call: arrives('+15551234575'), world: { phones: { ann: 'no-answer' } }, outcome: message('ann', '1001') },
  { name: 'before the open hours', tenant: 'acme', call: arrives('+15551234570', { at: '2026-11-20T07:59:00Z' }), outcome: message('ann', '1001') },
  { name: 'the first open minute', tenant: 'acme', call: arrives('+15551234570', { at: '2026-11-20T08:00:00Z' }), outcome: person('bob') },
  { name: 'the last open minute', tenant: 'acme', call: arrives('+15551234570', { at: '2026-11-20T15:59:59Z' }), outcome: person('bob') },
  { name: 'the end of the open hours', tenant: 'acme', call: arrives('+15551234570', { at: '2026-11-20T16:00:00Z' }), outcome: message('ann', '1001') },
  { name: 'in summer the clock is another one', tenant: 'acme', call: arrives('+15551234570', { at: '2026-07-20T07:00:00Z' }), outcome: person('bob') },
  { name: 'a Sunday', tenant: 'acme', call: arrives('+15551234570', { at: '2026-11-22T10:30:00Z' }), outcome: message('ann', '1001') },
  { name: 'a holiday', tenant: 'acme', call: arrives('+15551234570', { at: '2026-11-18T10:00:00Z' }), outcome: message('ann', '1001') },
  { name: 'a holiday of every year', tenant: 'acme', call: arrives('+15551234570', { at: '2029-12-25T10:00:00Z' }), outcome: message('ann', '1001') },

  // Menus (6, 7)
  { name: 'key 1', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['1'] }, outcome: person('ann') },
  { name: 'key 2', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['2'] }, outcome: person('ann', ['ann', 'bob']) },
  { name: 'a key to a menu, and one there', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['4', '1'] }, outcome: person('bob') },
  { name: 'a key to a menu, and one back', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['4', '*', '1'] }, outcome: person('ann') },
  { name: 'a key to a disabled user', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['9'] }, outcome: told(20, 480) },
  { name: 'a key that ends the call', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['0'] }, outcome: told(17, 486) },
  { name: 'a wrong key, then a good one', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['8', '1'] }, outcome: person('ann') },
  { name: 'only wrong keys', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['8', '8'] }, outcome: person('cleo') },
  { name: 'no key', tenant: 'acme', call: arrives('+15551234569'), outcome: person('bob') },
  { name: 'a wrong key, then none', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['8', ''] }, outcome: person('bob') },
  { name: 'no key in a menu that says nothing of it', tenant: 'acme', call: calls('ann', '3001'), outcome: told(20, 480) },
  { name: 'an extension', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['1002'] }, outcome: person('bob') },
  { name: 'a group’s extension', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['2001'] }, outcome: person('cleo') },
  { name: 'an outside number in a menu', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['15557654321', '1'] }, outcome: person('ann') },
  { name: 'an emergency number in a menu is its first key', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['911'] }, outcome: told(20, 480) },
  { name: 'a feature code in a menu', tenant: 'acme', call: arrives('+15551234569'), world: { pressed: ['*98', '1'] }, outcome: person('ann') },
  { name: 'no extensions in a menu without them', tenant: 'acme', call: calls('ann', '3001'), world: { pressed: ['1003'] }, outcome: person('bob') },
  { name: 'a number to a room', tenant: 'acme', call: arrives('+15551234582'), world: { pressed: ['1234#'] }, outcome: { kind: 'conference', room: 'board', role: 'participant' }, recorded: true },

  // To the outside (10, 11)
  { name: 'E.164', tenant: 'acme', call: calls('ann', '+442071234567'), ...outside(hop('telnyx_main', '+442071234567', annId)), variables: { SIPCTL_DIRECTION: 'outbound', SIPCTL_TRUNK: 'telnyx_main' } },
  { name: 'the international prefix', tenant: 'acme', call: calls('ann', '011442071234567'), ...outside(hop('telnyx_main', '+442071234567', annId)) },
  { name: 'eleven digits', tenant: 'acme', call: calls('ann', '12125551234'), ...outside(hop('telnyx_main', '+12125551234', annId)) },
  { name: 'ten digits to the outside', tenant: 'acme', call: calls('ann', '2125551234'), ...outside(hop('telnyx_main', '+12125551234', annId)) },
  { name: 'a national number in Germany, over the implicit route', tenant: 'globex', call: calls('greta', '089123456'), ...outside(hop('z_first', '+4989123456', null)) },
  { name: 'the implicit route in its order, each in its format', tenant: 'globex', call: calls('greta', '089123456'), world: { trunks: { z_first: 'down', b_second: 34 } }, ...outside(hop('z_first', '+4989123456', null, 'unreachable'), hop('b_second', '4989123456', null, 34), hop('a_third', '089123456', '030987654')) },
  { name: 'an international number in the national format', tenant: 'globex', call: calls('greta', '0015551234567'), world: { trunks: { z_first: 'down', b_second: 'down' } }, ...outside(hop('z_first', '+15551234567', null, 'unreachable'), hop('b_second', '15551234567', null, 'unreachable'), hop('a_third', '0015551234567', '030987654')) },
  { name: 'the longest prefix, in the US national format', tenant: 'acme', call: calls('ann', '+14165551234'), ...outside(hop('voipms', '14165551234', '15551234568')) },
  { name: 'abroad in the US national format', tenant: 'acme', call: calls('ann', '+4989123456'), ...outside(hop('voipms', '0114989123456', '15551234568')) },
  { name: 'digits only', tenant: 'acme', call: calls('ann', '+4989123456'), world: { trunks: { voipms: 'down' } }, ...outside(hop('voipms', '0114989123456', '15551234568', 'unreachable'), hop('vonage', '4989123456', '15551234568')) },
  { name: 'a tech prefix, and the route’s caller ID', tenant: 'acme', call: calls('ann', '011525512345678'), ...outside(hop('flowroute', '12345678*525512345678', '15551234580')) },
  { name: 'the tenant’s caller ID', tenant: 'acme', call: calls('bob', '2125551234'), ...outside(hop('telnyx_main', '+12125551234', '+15551234567')) },
  { name: 'a caller ID that makes no calls is passed over', tenant: 'acme', call: calls('fay', '2125551234'), ...outside(hop('telnyx_main', '+12125551234', '+15551234567')) },
  { name: 'digits of a route', tenant: 'acme', call: calls('ann', '116117'), ...outside(hop('twilio', '116117', annId)) },
  { name: 'any digits of a route', tenant: 'acme', call: calls('ann', '711'), ...outside(hop('twilio', '711', annId)) },
  { name: 'more digits than a route takes', tenant: 'acme', call: calls('ann', '7111'), outcome: told(1, 404) },
  { name: 'an access code', tenant: 'acme', call: calls('ann', '92125551234'), ...outside(hop('vonage', '12125551234', '15551234568')) },
  { name: 'too few digits', tenant: 'acme', call: calls('ann', '+12345'), outcome: told(28, 484) },
  { name: 'too many digits', tenant: 'acme', call: calls('ann', '0111234567890123456'), outcome: told(28, 484) },
  { name: 'a star in a number', tenant: 'acme', call: calls('ann', '+1555123*4567'), outcome: told(28, 484) },
  { name: 'a disabled route is not there', tenant: 'acme', call: calls('ann', '+442071234567'), ...outside(hop('telnyx_main', '+442071234567', annId)) },
  { name: 'a route whose trunks are all disabled', tenant: 'acme', call: calls('ann', '+85012345678'), outcome: told(3, 404) },
  { name: 'an own number from inside', tenant: 'acme', call: calls('bob', '5551234567'), outcome: person('ann'), variables: { SIPCTL_DIRECTION: 'internal', SIPCTL_NUMBER: '+15551234567' } },
  { name: 'an own number from inside, with its schedule', tenant: 'acme', call: { ...calls('ann', '+15551234570'), at: new Date('2026-11-22T10:30:00Z') }, outcome: message('ann', '1001') },
  { name: 'an own number from inside by one who may not call out', tenant: 'acme', call: calls('cleo', '+15551234567'), outcome: person('ann') },
  { name: 'internal: nothing outside', tenant: 'acme', call: calls('cleo', '2125551234'), outcome: told(21, 403) },
  { name: 'internal: no digits of a route', tenant: 'acme', call: calls('cleo', '116117'), outcome: told(21, 403) },
  { name: 'internal: colleagues', tenant: 'acme', call: calls('cleo', '1002'), outcome: person('bob') },
  { name: 'national: the own country', tenant: 'acme', call: calls('bob', '+14165551234'), ...outside(hop('voipms', '14165551234', '15551234567')) },
  { name: 'national: not abroad', tenant: 'acme', call: calls('bob', '+442071234567'), outcome: told(21, 403) },
  { name: 'national: digits of a route', tenant: 'acme', call: calls('bob', '116117'), ...outside(hop('twilio', '116117', '+15551234567')) },
  { name: 'toll classes are of users: a destination calls anywhere', tenant: 'acme', call: calls('cleo', '+15551234574'), ...outside(hop('telnyx_main', '+15557654321', '+15551234567')) },

  // Failover (12)
  { name: '503, then the second', tenant: 'acme', call: calls('ann', '2125551234'), world: { trunks: { telnyx_main: 34 } }, ...outside(hop('telnyx_main', '+12125551234', annId, 34), hop('twilio', '+12125551234', annId)), variables: { SIPCTL_TRUNK: 'twilio' } },
  { name: 'unreachable, then the second', tenant: 'acme', call: calls('ann', '2125551234'), world: { trunks: { telnyx_main: 'down' } }, ...outside(hop('telnyx_main', '+12125551234', annId, 'unreachable'), hop('twilio', '+12125551234', annId)) },
  { name: '486 is the called party’s word', tenant: 'acme', call: calls('ann', '2125551234'), world: { trunks: { telnyx_main: 17 } }, outcome: told(17, 486), hops: [hop('telnyx_main', '+12125551234', annId, 17)] },
  { name: '404 is the network’s word', tenant: 'acme', call: calls('ann', '2125551234'), world: { trunks: { telnyx_main: 1 } }, outcome: told(1, 404), hops: [hop('telnyx_main', '+12125551234', annId, 1)] },
  { name: 'no answer is no failure', tenant: 'acme', call: calls('ann', '2125551234'), world: { trunks: { telnyx_main: 19 } }, outcome: told(19, 480), hops: [hop('telnyx_main', '+12125551234', annId, 19)] },
  { name: 'the last one’s cause', tenant: 'acme', call: calls('ann', '2125551234'), world: { trunks: { telnyx_main: 34, twilio: 17 } }, outcome: told(17, 486), hops: [hop('telnyx_main', '+12125551234', annId, 34), hop('twilio', '+12125551234', annId, 17)] },
  { name: 'all are down', tenant: 'acme', call: calls('ann', '2125551234'), world: { trunks: { telnyx_main: 'down', twilio: 'down' } }, outcome: told(34, 503), hops: [hop('telnyx_main', '+12125551234', annId, 'unreachable'), hop('twilio', '+12125551234', annId, 'unreachable')] },
  { name: 'causes of the route’s own: busy goes on', tenant: 'acme', call: calls('ann', '+33123456789'), world: { trunks: { twilio: 17 } }, ...outside(hop('twilio', '+33123456789', annId, 17), hop('voipms', '01133123456789', '15551234568')) },
  { name: 'causes of the route’s own: 503 does not', tenant: 'acme', call: calls('ann', '+33123456789'), world: { trunks: { twilio: 34 } }, outcome: told(34, 503), hops: [hop('twilio', '+33123456789', annId, 34)] },

  // Emergency (13)
  { name: 'an emergency call, as dialled', tenant: 'acme', call: calls('ann', '911'), ...outside(hop('voipms', '911', '15551234567')), variables: { SIPCTL_DIRECTION: 'emergency' } },
  { name: 'an emergency call of one who may not call out', tenant: 'acme', call: calls('cleo', '911'), ...outside(hop('voipms', '911', '15551234567')) },
  { name: 'an emergency call over all limits', tenant: 'acme', call: calls('eve', '911'), world: { calls: { tenant: 10, users: { eve: 1 }, trunks: { voipms: 5 } } }, ...outside(hop('voipms', '911', '15551234567')) },
  { name: 'an emergency call goes on after every failure', tenant: 'acme', call: calls('ann', '911'), world: { trunks: { voipms: 17 } }, ...outside(hop('voipms', '911', '15551234567', 17), hop('telnyx_main', '911', '+15551234567')) },
  { name: 'an emergency number without trunks takes them all', tenant: 'acme', call: calls('ann', '933'), world: { trunks: { telnyx_main: 'down', twilio: 1, voipms: 'down' } }, ...outside(hop('telnyx_main', '933', '+15551234567', 'unreachable'), hop('twilio', '933', '+15551234567', 1), hop('voipms', '933', '15551234567', 'unreachable'), hop('flowroute', '933', '15551234567')) },
  { name: 'an emergency number before an extension', tenant: 'globex', call: calls('greta', '112'), ...outside(hop('z_first', '112', '+4930987654')) },
]; // biome-ignore format: a table

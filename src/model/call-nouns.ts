import * as call from './call-rules.ts';
import { field, noun } from './declare.ts';
import type { ObjectOf } from './field.ts';
import * as rule from './rules.ts';

/** The nouns that say where calls go. All of them belong to a tenant, and name only what is the same tenant's. */

const notes = field('text', 'notes', rule.text(1000), 'free text, never rendered');

const extension = (help: string) => field('text', 'extension', rule.extension, help);

const destination = (flag: string, help: string) =>
  field('text', flag, call.destination, help, { mentions: call.mentionsOfDestination });

const trunks = field('list', 'trunks', rule.listOf(rule.trunkName), 'trunks in the order they are tried', {
  mentions: call.mentionsOf('trunk'),
});

export const group = noun({
  name: 'group',
  table: 'groups',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    extension: extension('number that reaches the group from inside'),
    members: field('list', 'members', rule.listOf(call.member), 'users, or external:<number>, in order', {
      required: true,
      mentions: call.mentionsOfMembers,
    }),
    strategy: field(
      'text',
      'strategy',
      rule.oneOf('all', 'order'),
      'ring all at once, or one after another',
      {
        initial: 'all',
      },
    ),
    ringTime: field(
      'integer',
      'ring-time',
      rule.integer(3, 600),
      'seconds: of all together, or of each in order',
      {
        initial: 20,
      },
    ),
    unanswered: destination('unanswered', 'where a call goes that nobody answers'),
    notes,
  },
});

export const ivr = noun({
  name: 'ivr',
  table: 'ivrs',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    extension: extension('number that reaches the menu from inside'),
    greeting: field('text', 'greeting', rule.sound, 'sound file the caller hears, without its ending', {
      required: true,
    }),
    keys: field('list', 'key', rule.listOf(call.menuKey), 'what each key does: 1=user:ann,2=group:sales', {
      required: true,
      mentions: call.mentionsOfMenuKeys,
    }),
    directDial: field(
      'boolean',
      'direct-dial',
      rule.boolean,
      'let callers dial an extension instead of a key',
      {
        initial: false,
      },
    ),
    timeout: field('integer', 'timeout', rule.integer(1, 60), 'seconds to wait for a key', { initial: 5 }),
    attempts: field('integer', 'attempts', rule.integer(1, 10), 'how often the greeting is played', {
      initial: 3,
    }),
    invalidSound: field('text', 'invalid-sound', rule.sound, 'sound file after a wrong key', {
      initial: 'pbx-invalid',
    }),
    unanswered: destination('unanswered', 'where a call goes that pressed nothing in all attempts'),
    invalid: destination(
      'invalid',
      'where a call goes whose last key was wrong; as --unanswered when not set',
    ),
    notes,
  },
});

export const conference = noun({
  name: 'conference',
  table: 'conferences',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    extension: field('text', 'extension', rule.extension, 'number that reaches the room', { required: true }),
    pin: field('secret', 'pin', call.pin, 'PIN of participants'),
    moderatorPin: field('secret', 'moderator-pin', call.pin, 'PIN of moderators'),
    profile: field(
      'text',
      'profile',
      rule.oneOf('meeting', 'lecture'),
      'meeting: everybody talks; lecture: only moderators do',
      { initial: 'meeting' },
    ),
    waitForModerator: field(
      'boolean',
      'wait-for-moderator',
      rule.boolean,
      'participants hear music until a moderator is there',
      { initial: false },
    ),
    maxMembers: field('integer', 'max-members', rule.integer(0, 1000), 'members at once; 0: no limit', {
      initial: 0,
    }),
    announce: field('boolean', 'announce', rule.boolean, 'play a tone when somebody comes or goes', {
      initial: true,
    }),
    record: field('boolean', 'record', rule.boolean, 'record the room', { initial: false }),
    notes,
  },
});

export const schedule = noun({
  name: 'schedule',
  table: 'schedules',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    timeZone: field('text', 'time-zone', call.timeZone, 'time zone of its hours, for example Europe/Berlin', {
      required: true,
    }),
    open: field(
      'list',
      'open',
      rule.listOf(call.openHours),
      'open hours: "mon-fri 09:00-17:00,sat 10:00-13:00"',
      {
        required: true,
      },
    ),
    holidays: field(
      'list',
      'holidays',
      rule.listOf(call.holiday),
      'closed days: 2026-12-24, or 12-25 for every year',
    ),
    closed: field('text', 'closed', call.destination, 'where calls go outside the open hours', {
      required: true,
      mentions: call.mentionsOfDestination,
    }),
    notes,
  },
});

export const route = noun({
  name: 'route',
  table: 'routes',
  tenantScoped: true,
  key: 'name',
  keyRule: rule.slug,
  fields: {
    match: field(
      'list',
      'match',
      rule.listOf(call.dialMatch),
      'what it is for: E.164 prefixes (+49, or + for all), or digits as dialled (116117, 9X.)',
      { required: true },
    ),
    trunks,
    failover: field(
      'list',
      'failover',
      rule.listOf(call.q850),
      'Q.850 causes after which the next trunk is tried; when not set: those of a carrier that is down or full',
    ),
    strip: field('integer', 'strip', rule.integer(0, 15), 'characters cut from the front of the number', {
      initial: 0,
    }),
    prepend: field('text', 'prepend', call.prepended, 'characters put before the number'),
    callerId: field('text', 'caller-id', rule.e164, 'number shown on calls of this route'),
    ringTime: field('integer', 'ring-time', rule.integer(5, 600), 'seconds a trunk may take to answer', {
      initial: 60,
    }),
    notes,
  },
});

export const emergency = noun({
  name: 'emergency',
  table: 'emergencies',
  tenantScoped: true,
  key: 'number',
  keyRule: call.emergencyNumber,
  fields: {
    callerId: field(
      'text',
      'caller-id',
      rule.e164,
      'number that emergency services call back, with its address',
      {
        required: true,
      },
    ),
    trunks,
    notes,
  },
});

export type Group = ObjectOf<typeof group> & { tenant: string };
export type Ivr = ObjectOf<typeof ivr> & { tenant: string };
export type Conference = ObjectOf<typeof conference> & { tenant: string };
export type Schedule = ObjectOf<typeof schedule> & { tenant: string };
export type Route = ObjectOf<typeof route> & { tenant: string };
export type Emergency = ObjectOf<typeof emergency> & { tenant: string };

import { user } from '../model/nouns.ts';
import { codecs as codecRule } from '../model/rules.ts';
import { toE164 } from './e164.ts';
import { FreePbxList, type FreePbxOptions, FreePbxRow, type FreePbxRows } from './freepbx.ts';
import { destinationOfFreePbx } from './freepbx-destination.ts';
import type { Table } from './table.ts';

/** Whether this is a list of extensions: FreePBX's columns have no other mark. */
export const isExtensions = ({ header }: Table): boolean => {
  const names = new Set(header.cells.map((name) => name.toLowerCase()));
  return names.has('extension') && names.has('name') && !names.has('cidnum');
};

/** The users that a Bulk Handler export of extensions describes, called like their extensions. */
export function readExtensions(table: Table, options: FreePbxOptions): FreePbxRows {
  const list = new FreePbxList(table, options);
  for (const row of table.rows) readExtension(new FreePbxRow(list, row, user), options);
  list.leaveColumns(untold);
  return list;
}

function readExtension(row: FreePbxRow, options: FreePbxOptions): void {
  const extension = row.text('extension');
  const parsed = user.keyRule(extension);
  if (!parsed.ok) {
    row.complain('extension', {
      code: 'invalid_extension',
      message: `extension: ${parsed.message}`,
      field: 'extension',
      hint: 'FreePBX names extensions by digits',
    });
    return;
  }
  const tech = row.text('tech').toLowerCase();
  if (!['', 'sip', 'pjsip'].includes(tech)) {
    row.leave('tech', `extension ${extension} is no SIP account, and is left out`);
    return;
  }
  row.take('extension', 'extension', extension);
  row.take('displayName', 'name', row.text('name'));
  row.take('password', 'secret', row.text('secret'));
  takeCalls(row, options);
  takeMedia(row);
  takeMailbox(row);
  row.declare(extension, 'extension', options.tenant);
}

function takeCalls(row: FreePbxRow, { plan }: FreePbxOptions): void {
  const shown = row.text('outboundcid');
  const [, number = shown] = /<([^>]*)>/.exec(shown) ?? [];
  const callerId = toE164(number, plan);
  if (callerId !== null) row.take('callerId', 'outboundcid', callerId);
  else if (shown !== '') row.leave('outboundcid', 'it is no number that can be written as +<country code>…');
  const ringing = Number(row.text('ringtimer'));
  // 0 and less stand for the default of FreePBX.
  if (ringing > 0) row.take('ringTime', 'ringtimer', String(Math.max(3, ringing)));
  row.take('maxCalls', 'concurrency_limit', row.text('concurrency_limit'));
  const unanswered = row.text('noanswer_dest');
  const destination = destinationOfFreePbx(unanswered);
  if (destination !== null) row.take('unanswered', 'noanswer_dest', destination);
  else if (unanswered !== '') row.leave('noanswer_dest', 'no destination of sipctl says the same');
  const recorded = recordings.filter((column) =>
    ['force', 'yes', 'always'].includes(row.text(column).toLowerCase()),
  );
  const [first] = recorded;
  if (first === undefined) return;
  row.take('record', first, 'yes');
  if (recorded.length < recordings.length) row.leave(first, 'sipctl records all calls of a user, or none');
}

const recordings = [
  'recording_in_external',
  'recording_out_external',
  'recording_in_internal',
  'recording_out_internal',
];

function takeMedia(row: FreePbxRow): void {
  const named = row
    .text('allow')
    .toLowerCase()
    .split(/[&,|]/)
    .filter((name) => name !== '' && name !== 'all');
  const known = named.filter((name) => codecRule(name).ok);
  row.take('codecs', 'allow', [...new Set(known)].join(','));
  if (known.length < named.length) row.leave('allow', 'not all of these are codecs of sipctl');
  const keys = row.text('dtmfmode').toLowerCase();
  const dtmf = keyModes[keys as keyof typeof keyModes];
  if (dtmf !== undefined) row.take('dtmf', 'dtmfmode', dtmf);
  else if (keys !== '') row.leave('dtmfmode', 'sipctl has no such way to tell keys');
  row.take('maxContacts', 'max_contacts', row.text('max_contacts'));
  const seconds = row.text('qualifyfreq') || row.text('qualify_frequency');
  const column = row.text('qualifyfreq') === '' ? 'qualify_frequency' : 'qualifyfreq';
  row.take('qualifyFrequency', column, row.text('qualify').toLowerCase() === 'no' ? '0' : seconds);
  if (row.text('webrtc').toLowerCase() === 'yes') {
    row.values.template = 'webrtc_user';
    row.places.template = row.place('webrtc');
  }
}

const keyModes = {
  rfc2833: 'rfc4733',
  rfc4733: 'rfc4733',
  inband: 'inband',
  info: 'info',
  shortinfo: 'info',
  auto: 'auto',
  auto_info: 'auto_info',
} as const;

function takeMailbox(row: FreePbxRow): void {
  const enabled = row.text('voicemail_enable').toLowerCase() === 'yes';
  const context = row.text('voicemail').toLowerCase();
  if (enabled) row.values.voicemail = true;
  else if (context === 'novm') row.values.voicemail = false;
  if (!enabled) return;
  row.take('voicemailPin', 'voicemail_vmpwd', row.text('voicemail_vmpwd'));
  const [first = '', ...others] = row
    .text('voicemail_email')
    .split(/[,;|]/)
    .map((part) => part.trim());
  row.take('email', 'voicemail_email', first);
  if (others.length > 0) row.leave('voicemail_email', 'only the first address is told of voicemail');
  if (/(?:attach|delete)=yes/.test(row.text('voicemail_options')))
    row.leave('voicemail_options', 'options of a mailbox stand in the template of sipctl');
}

/** Columns for which sipctl has no field, with what they hold where nothing was set. */
const untold = {
  sipname: { usual: [], why: 'a user has one name; add an alias as a user of its own' },
  cid_masquerade: { usual: [], why: 'inside, callers are shown with their extension' },
  emergency_cid: { usual: [], why: 'set it with sipctl emergency' },
  busy_dest: { usual: [], why: 'who is busy is treated as who does not answer' },
  chanunavail_dest: { usual: [], why: 'who cannot be reached is treated as who does not answer' },
  findmefollow_enabled: { usual: ['no', '0', 'disabled'], why: 'make a ring group: sipctl group add' },
  namedcallgroup: { usual: [], why: 'call pickup has no groups here' },
  namedpickupgroup: { usual: [], why: 'call pickup has no groups here' },
  accountcode: { usual: [], why: 'calls are accounted to their tenant' },
  deny: { usual: ['0.0.0.0/0.0.0.0', '0.0.0.0/0'], why: 'networks of phones are not restricted' },
  permit: { usual: ['0.0.0.0/0.0.0.0', '0.0.0.0/0'], why: 'networks of phones are not restricted' },
  media_encryption: { usual: ['no'], why: 'the user template says it: --template of sipctl user set' },
  encryption: { usual: ['no'], why: 'the user template says it: --template of sipctl user set' },
  pinless: { usual: ['disabled'], why: 'there are no PIN sets' },
} as const;

import { number } from '../model/nouns.ts';
import { toE164 } from './e164.ts';
import { FreePbxList, type FreePbxOptions, FreePbxRow, type FreePbxRows } from './freepbx.ts';
import { destinationOfFreePbx } from './freepbx-destination.ts';
import type { Table } from './table.ts';

/** Whether this is a list of DIDs (inbound routes). */
export const isDids = ({ header }: Table): boolean => {
  const names = new Set(header.cells.map((name) => name.toLowerCase()));
  return ['extension', 'cidnum', 'destination'].every((name) => names.has(name));
};

/** The numbers that a Bulk Handler export of DIDs describes. */
export function readDids(table: Table, options: FreePbxOptions): FreePbxRows {
  const list = new FreePbxList(table, options);
  for (const row of table.rows) readDid(new FreePbxRow(list, row, number), options);
  list.leaveColumns(untold);
  return list;
}

function readDid(row: FreePbxRow, { tenant, plan, trunk }: FreePbxOptions): void {
  const did = row.text('extension');
  if (did === '' || did.startsWith('_')) {
    row.leave('extension', 'a route for any number, or for a pattern, is no number');
    return;
  }
  if (row.text('cidnum') !== '') {
    row.leave('cidnum', `a route of ${did} for one caller only is left out`);
    return;
  }
  const name = toE164(did, plan);
  if (name === null) {
    row.complain('extension', {
      code: 'invalid_number',
      message: `extension: '${did.slice(0, 40).replace(/[\p{Cc}\p{Cf}]/gu, ' ')}' is no number that can be written as +<country code>…`,
      field: 'number',
      hint: 'numbers without + are read as those of the country: --country US',
    });
    return;
  }
  row.take('label', 'description', row.text('description'));
  if (trunk !== null) row.values.trunk = trunk;
  const to = row.text('destination');
  const destination = destinationOfFreePbx(to);
  if (destination !== null) row.take('destination', 'destination', destination);
  else if (to !== '')
    row.leave('destination', `no destination of sipctl says the same: sipctl number set ${name} --to …`);
  row.declare(name, 'extension', tenant);
}

/** Columns for which sipctl has no field, with what they hold where nothing was set. */
const untold = {
  privacyman: { usual: ['0', 'no'], why: 'callers without a number are not asked for one' },
  alertinfo: { usual: ['0'], why: 'the ringing is the phone’s own' },
  ringing: { usual: ['0', 'no'], why: 'callers hear what the destination plays' },
  grppre: { usual: [], why: 'nothing is put before a caller’s name' },
  pricid: { usual: ['0', 'no'], why: 'numbers have no priority by caller' },
  reversal: { usual: ['0', 'no'], why: 'calls are not refused by their charge' },
} as const;

import { describe, expect, it } from 'vitest';
import { readMapping } from '../../src/csv/columns.ts';
import { declareRows, type RowOptions } from '../../src/csv/declare-rows.ts';
import { readTable } from '../../src/csv/table.ts';
import { number, trunk, user } from '../../src/model/nouns.ts';

const options: RowOptions = {
  noun: user,
  tenant: 'acme',
  map: new Map(),
  onlyKnown: false,
  clearEmpty: false,
  generatePasswords: false,
};
const read = (text: string, more: Partial<RowOptions> = {}) =>
  declareRows(readTable(text, 't.csv'), { ...options, ...more });

describe('rows', () => {
  it('give values by the rules of their fields, and say where each stands', () => {
    const { declared, problems } = read(
      'Username,Extension,Display Name,max_contacts,record,codecs,enabled\nann,1001,Ann Öz,3,yes,"ulaw,alaw",no\n',
    );
    expect(problems).toEqual([]);
    expect(declared).toEqual([
      {
        noun: user,
        tenant: 'acme',
        name: 'ann',
        values: {
          extension: '1001',
          displayName: 'Ann Öz',
          maxContacts: 3,
          record: true,
          codecs: ['ulaw', 'alaw'],
          enabled: false,
        },
        extent: 'given',
        generated: [],
        faulty: [],
        place: { source: 't.csv', line: 2, column: 1 },
        places: expect.objectContaining({ codecs: { source: 't.csv', line: 2, column: 6 } }),
      },
    ]);
  });

  it('name users by their extension where nothing else does', () => {
    expect(read('extension\n1001\n').declared.map(({ name }) => name)).toEqual(['1001']);
    expect(read('displayName\nAnn\n').problems).toMatchObject([
      { code: 'missing_column', field: 'username' },
    ]);
  });

  it('are mapped by header, pass over what is told to, and take flags for fields', () => {
    const map = readMapping('DDI=number,Goes, to=to,Comment=-');
    const { declared, problems } = read('DDI,"Goes, to",Comment,Tenant\n+4930123456,user:ann,x,blue\n', {
      noun: number,
      map,
    });
    expect(problems).toEqual([]);
    expect(declared).toMatchObject([
      { tenant: 'blue', name: '+4930123456', values: { destination: 'user:ann' } },
    ]);
  });

  it('complain of every bad cell at once, with line, column and header, and never show a secret', () => {
    const { problems, declared } = read(
      'username,Ext,password,voicemail pin\nann,10a,"hidden\u0007one",1234\n,1002,x,12\nbob!,1003,x,\n',
      { map: new Map([['Ext', 'extension']]) },
    );
    expect(problems.map(({ field, place, message }) => [field, place?.line, place?.column, message])).toEqual(
      [
        ['extension', 2, 2, "Ext: '10a' is not an extension"],
        ['password', 2, 3, 'password: the password holds a control character or a line break'],
        ['username', 3, 1, 'username: must not be empty'],
        ['voicemailPin', 3, 4, 'voicemail pin: the PIN is not 3 to 12 digits'],
        ['username', 4, 1, "username: 'bob!' is not a SIP user name"],
      ],
    );
    expect(JSON.stringify(problems)).not.toMatch(/hidden/);
    expect(declared.map(({ name, faulty }) => [name, faulty])).toEqual([['ann', ['extension', 'password']]]);
  });

  it('refuse columns that are not known, and name the nearest', () => {
    const { problems } = read('username,extention,Mood\nann,1001,good\n');
    expect(problems.map(({ code, hint }) => [code, hint])).toEqual([
      ['unknown_column', expect.stringContaining('--map "extention=extension"')],
      ['unknown_column', expect.stringContaining('--map "Mood=-"')],
    ]);
    expect(read('username,extension,Mood\nann,1001,good\n', { onlyKnown: true }).problems).toEqual([]);
    expect(read('extension,Ext\n1,2\n', { map: new Map([['Ext', 'extension']]) }).problems).toMatchObject([
      { code: 'column_twice', place: { line: 1, column: 2 } },
    ]);
    expect(read('extension\n1\n', { map: new Map([['Ext', 'extension']]) }).problems).toMatchObject([
      { code: 'no_such_column' },
    ]);
  });

  it('are refused with a cell too many or too few', () => {
    const { problems } = read('username,extension,displayName\nann,1001,Smith, Ann\nbob,1002\n');
    expect(problems.map(({ code, place }) => [code, place?.line, place?.column])).toEqual([
      ['wrong_cell_count', 2, 4],
      ['wrong_cell_count', 3, 2],
    ]);
  });

  it('say so where a spreadsheet has rounded a number', () => {
    expect(read('number\n1.5551E+10\n', { noun: number }).problems[0]?.hint).toContain(
      'format the column as text',
    );
  });

  it('leave fields of empty cells alone, or set them back where that is asked for, but never a secret', () => {
    const text = 'name,username,password,priority,notes\nmain,,,,\n';
    expect(read(text, { noun: trunk }).declared[0]?.values).toEqual({});
    expect(read(text, { noun: trunk, clearEmpty: true }).declared[0]?.values).toEqual({
      username: null,
      priority: 10,
      notes: null,
    });
  });

  it('make passwords only where the table has none', () => {
    const text = 'username,password\nann,\nbob,x1Y!\n';
    const { declared } = read(text, { generatePasswords: true });
    expect(declared.map(({ generated }) => generated)).toEqual([['password'], []]);
  });

  it('take the guard against formulas away, but not from a password', () => {
    const { declared } = read(`username,displayName,password\nann,'=Ann,'=x\n`);
    expect(declared[0]?.values.displayName).toBe('=Ann');
    expect((declared[0]?.values.password as { reveal(): string }).reveal()).toBe("'=x");
  });
});

import { describe, expect, it } from 'vitest';
import {
  hostFileText,
  type IncludeTrace,
  indexPath,
  timesRead,
  traceIncludes,
} from '../../../src/platforms/asterisk/include-lines.ts';

const folder = '/etc/asterisk';
const trace = (files: Record<string, string>): Promise<IncludeTrace> =>
  traceIncludes(async (path) => files[path] ?? null, folder);

const delivered = {
  'pjsip_trunks.conf': hostFileText('pjsip_trunks.conf'),
  'pjsip_users.conf': hostFileText('pjsip_users.conf'),
  [indexPath('pjsip_trunks.conf')]: '',
  [indexPath('pjsip_users.conf')]: '',
};
const reach = async (main: string, more: Record<string, string> = {}): Promise<number[]> => {
  const found = await trace({ ...delivered, ...more, 'pjsip.conf': main });
  return ['pjsip_trunks.conf', 'pjsip_users.conf'].map((file) => timesRead(found, indexPath(file)));
};

describe('the include lines', () => {
  it.each([
    ['by name', '#include pjsip_trunks.conf\n#include pjsip_users.conf\n'],
    ['in quotes and brackets', '#include "pjsip_trunks.conf"\n  #include <pjsip_users.conf> ; ours\n'],
    ['by tryinclude', '#tryinclude pjsip_trunks.conf\n#tryinclude pjsip_users.conf\n'],
    [
      'by absolute path',
      '#include /etc/asterisk/pjsip_trunks.conf\n#include /etc/asterisk/pjsip_users.conf\n',
    ],
    ['by a pattern', '#include pjsip_*.conf\n'],
    ['by a pattern with classes', '#include pjsip_[a-z]?[!0-9]*s.conf\n'],
    ['directly', '#include sipctl/current/*.conf\n'],
    ['with CRLF', '#include pjsip_trunks.conf\r\n#include pjsip_users.conf\r\n'],
  ])('are found %s', async (_, main) => {
    expect(await reach(main)).toEqual([1, 1]);
  });

  it.each([
    ['commented out', ';#include pjsip_trunks.conf\n;--\n#include pjsip_users.conf\n--;\n'],
    ['in another folder', '#include /etc/other/pjsip_trunks.conf\n#include sub/pjsip_users.conf\n'],
    ['by a pattern that does not match', '#include pjsip.d/*.conf\n#include *_other.conf\n'],
    ['as a program', '#exec pjsip_trunks.conf\n'],
    ['behind an unclosed bracket', '[open\n#include pjsip_*.conf\n'],
    ['behind a file that is missing', '#include gone.conf\n#include pjsip_*.conf\n'],
    ['behind a comment that is not closed', ';-- open\n#include pjsip_*.conf\n'],
  ])('do not count %s', async (_, main) => {
    expect(await reach(main)).toEqual([0, 0]);
  });

  it('are followed through other files, and go on after a broken one', async () => {
    const more = { 'a.conf': '[open\n#include pjsip_users.conf\n', 'b.conf': '#include pjsip_trunks.conf\n' };
    expect(await reach('#include a.conf\n#include b.conf\n#include pjsip_users.conf\n', more)).toEqual([
      1, 1,
    ]);
  });

  it('count twice where they stand twice', async () => {
    expect(await reach('#include pjsip_*.conf\n#include pjsip_users.conf\n')).toEqual([1, 2]);
    expect(await reach('#include pjsip_users.conf\n#include sipctl/current/pjsip_users.conf\n')).toEqual([
      0, 2,
    ]);
  });

  it('say where reading ends, and which files could not be told', async () => {
    const found = await trace({
      'pjsip.conf': '#include pjsip.d/*.conf\n#include /opt/x.conf\n#include a.conf\n#include gone.conf\n',
      'a.conf': '\n\n[open\n',
    });
    expect(found.faults).toEqual([
      { file: 'a.conf', line: 3, message: `a section name has no ']'` },
      { file: 'pjsip.conf', line: 4, message: 'gone.conf is missing' },
    ]);
    expect(found.opaque).toEqual([
      'pjsip.conf:1: #include pjsip.d/*.conf',
      'pjsip.conf:2: #include /opt/x.conf',
    ]);
  });

  it('end where a file includes itself', async () => {
    const found = await trace({
      'pjsip.conf': '#include a.conf\n',
      'a.conf': '#include b.conf\n',
      'b.conf': '#include a.conf\n',
    });
    expect(found.faults).toEqual([{ file: 'b.conf', line: 1, message: 'a.conf includes itself' }]);
  });
});

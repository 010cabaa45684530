import { describe, expect, it } from 'vitest';
import { textDiff } from '../../src/report/diff.ts';
import { maskSecrets } from '../../src/report/mask.ts';

const file = (password: string, name = 'Ann', tail = ''): string =>
  `[ann]\ntype = auth\nusername = ann\npassword = ${password}\n\n[ann]\ntype = endpoint\ncallerid = "${name}" <101>\n${tail}`;

describe('a diff', () => {
  it('shows what differs with some context, and nothing else', () => {
    const text = textDiff('acme/pjsip_users.conf', file('x'), file('x', 'Ann B.'));
    expect(text).toBe(
      [
        '  acme/pjsip_users.conf',
        '  …',
        '  ',
        '    [ann]',
        '    type = endpoint',
        '  - callerid = "Ann" <101>',
        '  + callerid = "Ann B." <101>',
        '',
      ].join('\n'),
    );
  });

  it('shows that a secret changed, and neither the old one nor the new one', () => {
    const text = textDiff('a', file('old-Secret-1'), file('new-Secret-2'));
    expect(text).toContain('- password = [secret]');
    expect(text).toContain('+ password = [secret]');
    expect(text).not.toMatch(/Secret-[12]/);
  });

  it('hides secrets also in the context and where a whole file comes or goes', () => {
    const long = Array.from({ length: 40 }, (_, at) => `option_${at} = ${at}\n`).join('');
    const context = textDiff('a', file('old-Secret-1', 'Ann', long), file('old-Secret-1', 'Bob', long));
    for (const text of [
      context,
      textDiff('a', '', file('old-Secret-1')),
      textDiff('a', file('old-Secret-1'), ''),
    ])
      expect(text).not.toContain('Secret-1');
  });

  it('takes two gaps for two gaps, and equal texts for no change', () => {
    const lines = Array.from({ length: 30 }, (_, at) => `line ${at}\n`);
    const changed = lines.map((line, at) => (at === 5 || at === 25 ? `new ${line}` : line));
    const text = textDiff('a', lines.join(''), changed.join(''));
    expect(text.match(/…/g)).toHaveLength(2);
    expect(text.match(/^ {2}[+-]/gm)).toHaveLength(4);
    expect(textDiff('a', 'x\n', 'x\n')).toBe('  a\n');
  });
});

describe('a masked text', () => {
  it('keeps all but the values of secrets, however the line is written', () => {
    for (const line of ['password = s3cret', 'password=s3cret', '  password => s3cret', 'md5_cred = s3cret'])
      expect(maskSecrets(`before = 1\n${line}\nafter = 2\n`)).toMatch(
        /^before = 1\n.*\[secret\]\nafter = 2\n$/,
      );
    expect(maskSecrets('username = password\ncontext = password = x\n')).toBe(
      'username = password\ncontext = password = x\n',
    );
  });

  it('hides a password that looks like the end of the line, a comment, or another option', () => {
    for (const secret of ['a;b', 'x = y', 'password = z', '\\;--', '>x', '"quoted" text'])
      expect(maskSecrets(file(secret))).toBe(file('[secret]'));
  });
});

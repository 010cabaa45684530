import { describe, expect, it } from 'vitest';
import { hostLines, withLineAfter } from '../../../src/platforms/freeswitch/host-lines.ts';

const include = '<X-PRE-PROCESS cmd="include" data="x/*.xml"/>';
const seen = (text: string) =>
  hostLines(text)
    .filter(({ include: path }) => path !== null)
    .map(({ include: path, inComment }) => `${path}${inComment ? ' in a comment' : ''}`);

describe('includes', () => {
  it.each([
    [`<a>\n  ${include}\n</a>\n`, ['x/*.xml']],
    [`<a>\r\n  ${include}\r\n</a>\r\n`, ['x/*.xml']],
    ['<x-pre-process  cmd = "INCLUDE"  data = "x" />', ['x']],
    // The whole line is taken out, the marks of the comment with it.
    [`<!-- ${include} -->\n`, ['x/*.xml']],
    [`<!--\n${include}\n-->\n`, ['x/*.xml in a comment']],
    [`<!-- one --> <!--\n${include}\n--> ${'\n'}${include}\n`, ['x/*.xml in a comment', 'x/*.xml']],
    // The start of the comment is on a line that is taken out.
    [`<!-- ${include}\n${include}\n`, ['x/*.xml', 'x/*.xml']],
    [`<include> <!--\n${include}\n`, ['x/*.xml']],
    [`<X-NO-PRE-PROCESS cmd="include" data="x"/>\n`, []],
    [`<X-PRE-PROCESS cmd="set" data="x=y"/>\n`, []],
    [`<X-PRE-PROCESS cmd='include' data='x'/>\n`, []],
  ])('%j', (text, includes) => {
    expect(seen(text)).toEqual(includes);
  });
});

describe('a line that is added', () => {
  it('stands behind the start tag, indented by two more', () => {
    expect(withLineAfter('<c>\n  <profiles>\n  </profiles>\n</c>\n', 'profiles', include)).toBe(
      `<c>\n  <profiles>\n    ${include}\n  </profiles>\n</c>\n`,
    );
  });

  it('ends as the lines around it do', () => {
    expect(withLineAfter('<c>\r\n<profiles>\r\n</profiles>\r\n', 'profiles', include)).toBe(
      `<c>\r\n<profiles>\r\n  ${include}\r\n</profiles>\r\n`,
    );
    expect(withLineAfter('<profiles>', 'profiles', include)).toBe(`<profiles>\n  ${include}\n`);
  });

  it('is never in a comment', () => {
    const text =
      '<!--\n<profiles>\n-->\n<profiles> <!-- two\nlines -->\n<profiles> <!-- one -->\n</profiles>\n';
    expect(withLineAfter(text, 'profiles', include)).toBe(
      text.replace('<!-- one -->\n', `<!-- one -->\n  ${include}\n`),
    );
  });

  it.each([
    '',
    '<profiles/>\n',
    '<profiles><profile>\n',
    '<!-- <profiles>\n',
    '<profiles> <!--\n-->\n',
  ])('has no place in %j', (text) => {
    expect(withLineAfter(text, 'profiles', include)).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import type { SourceFinder } from '../../../../src/model/reading.ts';
import { allNamed, readElements } from '../../../../src/platforms/freeswitch/reading/source.ts';

const nowhere: SourceFinder = { find: () => [] };
const read = (text: string, finder = nowhere, known = {}) =>
  readElements([{ source: 'a.xml', text }], finder, known);

describe('the preprocessor', () => {
  it('puts values in their places, also in those of later values', () => {
    const { elements, problems } = read(
      '<include>\n<X-PRE-PROCESS cmd="set" data="a=1"/>\n<X-PRE-PROCESS cmd="set" data="b=$${a}2"/>\n<user id="$${b}"/>\n</include>\n',
    );
    expect(problems).toEqual([]);
    expect(elements.map(({ attributes }) => attributes.id)).toEqual(['12']);
  });

  it('includes files where they are named, with their lines', () => {
    const finder: SourceFinder = {
      find: () => [{ source: 'b.xml', text: '<include>\n\n<user id="1"/>\n</include>' }],
    };
    const { elements } = read('<users>\n<X-PRE-PROCESS cmd="include" data="b.xml"/>\n</users>\n', finder);
    expect(allNamed(elements, 'user')[0]?.place).toEqual({ source: 'b.xml', line: 3, column: 1 });
  });

  it('tells of what FreeSWITCH passes over, as it shares a line with the tag around the file', () => {
    const { elements, problems } = read('<include><user id="1"/></include>\n<user id="2"/>\n');
    expect(elements.map(({ attributes }) => attributes.id)).toEqual(['2']);
    expect(problems).toMatchObject([{ code: 'not_taken_over', place: { line: 1 } }]);
    expect(
      read('<?xml version="1.0"?>\n<include> <!-- mine -->\n<user id="2"/>\n</include>\n').problems,
    ).toEqual([]);
  });

  it('tells of a variable that nothing sets, and takes one that is given', () => {
    expect(read('<a b="$${gone}"/>\n').problems).toMatchObject([
      { code: 'not_taken_over', place: { line: 1 } },
    ]);
    expect(read('<a b="$${gone}"/>\n', nowhere, { gone: 'x' }).elements[0]?.attributes.b).toBe('x');
  });

  it.each([
    ['<X-PRE-PROCESS cmd="exec" data="rm -rf /"/>\n', 'exec_refused'],
    ['<X-PRE-PROCESS cmd="exec-set" data="a=id"/>\n', 'exec_refused'],
    ['<a>\n<b>\n</a>\n', 'invalid_xml'],
    ['<a>\n', 'invalid_xml'],
  ])('complains of %j', (text, code) => {
    expect(read(text).problems.map((one) => one.code)).toEqual([code]);
  });
});

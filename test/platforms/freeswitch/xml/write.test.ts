import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkElements } from '../../../../src/platforms/freeswitch/xml/check.ts';
import { type Element, element, param } from '../../../../src/platforms/freeswitch/xml/element.ts';
import { parseXml } from '../../../../src/platforms/freeswitch/xml/parse.ts';
import { elementText } from '../../../../src/platforms/freeswitch/xml/write.ts';

const hostile = [
  '$${x}',
  '$$$${x}',
  '$$${password}',
  '${system(touch /tmp/x)}',
  '"/><X-PRE-PROCESS cmd="exec" data="id"/><a b="',
  'my X-PRE-PROCESS note',
  'x-Pre-Process x-pre-process',
  '<include>',
  '<?xml version="1.0"?>',
  '<!--#include "x"-->',
  'a&b&amp;<c>"d\'e',
  ']]>',
  '&#36;{x}',
  'é 漢 🙂',
  '$',
  '$$',
  '}[x=y]user/zz,',
];

describe('the text of an element', () => {
  it('is one line for each element, and two where it holds others', () => {
    expect(elementText(element('a', { b: '1' }, [param('x', 2), element('c', {})]))).toBe(
      '<a b="1">\n  <param name="x" value="2"/>\n  <c/>\n</a>\n',
    );
  });

  it.each(hostile)('gives %j back, and nothing that the preprocessor would obey', (value) => {
    const intended = [element('a', { b: value }, [param(value, value)])];
    const lines = intended.map((one) => elementText(one)).join('');
    const text = `<include>\n${lines}</include>\n`;
    checkElements(Buffer.from(text), intended);
    expect(parseXml(text)).toEqual([element('include', {}, intended)]);
    expect(lines).not.toMatch(/\$\$\{|x-pre-process|<include>|<\?|<!--/i);
    expect(lines.split('\n')).toHaveLength(4);
  });

  it.each([
    'a\nb',
    'a\rb',
    'a\tb',
    '\0',
    '\u0085',
    '\ud800',
    '\ufffe',
  ])('refuses %j without showing it', (value) => {
    expect(() => elementText(param('password', value))).toThrow(/^param value holds a character/);
  });
});

describe('reading back', () => {
  it('refuses another element, attribute or value, and a second outermost element', () => {
    const intended = [param('a', 'b')];
    for (const text of [
      '<include>\n<param name="a" value="c"/>\n</include>\n',
      '<include>\n<param name="a" value="b" x="y"/>\n</include>\n',
      '<include>\n<param name="a" value="b"><x/></param>\n</include>\n',
      '<include>\n</include>\n',
      '<include>\n<param name="a" value="b"/>\n</include>\n<x/>\n',
      '<param name="a" value="b"/>\n',
      '<include>\n<param name="a" value="b"/>\n</include',
      '<include>\n<params name="a" value="b"/>\n</include>\n',
      '<include>\n<param name="a" value="b"/>\n</includes>\n',
      '<include>\n<param name="a"value="b"/>\n</include>\n',
      '<include>\n<!-- a -- b --><param name="a" value="b"/>\n</include>\n',
      '<include>\n<param name="a" value="b"/>text\n</include>\n',
    ])
      expect(() => checkElements(Buffer.from(text), intended), text).toThrow(/exactly the intended/);
  });

  it('takes a value as it is written by reference or beyond ASCII, and no other', () => {
    const text = (value: string): Buffer =>
      Buffer.from(`<include>\n<param name="a" value="${value}"/>\n</include>\n`);
    for (const [written, value] of [
      ['&amp;&#36;&quot;', '&$"'],
      ['é漢🙂', 'é漢🙂'],
      ['&#45;é', '-é'],
    ] as const)
      expect(() => checkElements(text(written), [param('a', value)]), written).not.toThrow();
    for (const [written, value] of [
      ['&', '&'],
      ['&amp', '&amp'],
      ['&#0;', '\0'],
      ['&#10;', '\n'],
      ['a\nb', 'a\nb'],
      ['<', '<'],
      ['é\u0085', 'é\u0085'],
    ] as const)
      expect(() => checkElements(text(written), [param('a', value)]), written).toThrow(
        /exactly the intended/,
      );
    const notUtf8 = Buffer.concat([
      Buffer.from('<include>\n<a b="'),
      Buffer.of(0xff),
      Buffer.from('"/></include>'),
    ]);
    expect(() => checkElements(notUtf8, [element('a', { b: '\ufffd' })])).toThrow(/exactly the intended/);
  });

  it('takes nothing for these elements in which an independent parser finds others', () => {
    const name = fc.stringMatching(/^[a-z][a-z-]{0,3}$/);
    const value = fc.oneof(
      fc.stringMatching(/^[ -~]{0,8}$/),
      fc.constantFrom(...hostile),
      fc
        .string({ unit: 'grapheme', maxLength: 4 })
        .filter((text) => !/[\p{Cc}\p{Surrogate}\ufffe\uffff]/u.test(text)),
    );
    const holding = (children: fc.Arbitrary<Element>) =>
      fc
        .tuple(name, fc.dictionary(name, value, { maxKeys: 3 }), fc.array(children, { maxLength: 2 }))
        .map(([tag, attributes, inside]) => element(tag, attributes, inside));
    const root = holding(holding(fc.tuple(name, value).map(([one, text]) => param(one, text))));
    const piece = fc.constantFrom(
      ...'<>"&/=-! \n\ta',
      '"/>',
      '<!--',
      '-->',
      '&#36;',
      '&lt;',
      ' a="b"',
      '<a/>',
      '</a>',
      '<?a?>',
    );
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(root, { maxLength: 2 }),
        fc.nat(),
        fc.nat(3),
        fc.option(piece),
        (intended, place, cut, put) => {
          const whole = `<include>\n${intended.map((one) => elementText(one, 1)).join('')}</include>\n`;
          checkElements(Buffer.from(whole), intended);
          const at = place % whole.length;
          const text = whole.slice(0, at) + (put ?? '') + whole.slice(at + cut);
          try {
            checkElements(Buffer.from(text), intended);
          } catch {
            return;
          }
          accepted += 1;
          expect(parseXml(text)).toEqual([element('include', {}, intended)]);
        },
      ),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });

  it('says the line of what is no XML, and not its text', () => {
    expect(() => parseXml('<a>\n<b secret="x</a>')).toThrow(/^line 2: not well-formed XML$/);
  });
});

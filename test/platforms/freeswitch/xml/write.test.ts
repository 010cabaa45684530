import { describe, expect, it } from 'vitest';
import { element, param } from '../../../../src/platforms/freeswitch/xml/element.ts';
import { checkElements, parseXml } from '../../../../src/platforms/freeswitch/xml/parse.ts';
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
    checkElements(text, intended);
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
    ])
      expect(() => checkElements(text, intended)).toThrow(/exactly the intended/);
  });

  it('says the line of what is no XML, and not its text', () => {
    expect(() => parseXml('<a>\n<b secret="x</a>')).toThrow(/^line 2: not well-formed XML$/);
  });
});

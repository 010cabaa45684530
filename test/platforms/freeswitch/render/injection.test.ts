import { expect, it } from 'vitest';
import { Secret } from '../../../../src/model/secret.ts';
import type { ProviderTemplate, UserTemplate } from '../../../../src/model/template.ts';
import { renderTenant } from '../../../../src/platforms/freeswitch/render/render.ts';
import type { Element } from '../../../../src/platforms/freeswitch/xml/element.ts';
import { parseXml } from '../../../../src/platforms/freeswitch/xml/parse.ts';
import { shippedCatalog, siteOf, trunkOf, userOf } from '../../asterisk/render/sample-site.ts';

const catalog = await shippedCatalog();
const phone = catalog.users.get('basic_user') as UserTemplate;
const carrier = catalog.providers.get('custom_credential') as ProviderTemplate;

/**
 * FreeSWITCH's preprocessor (`preprocess` in switch_xml.c): what it makes of a text, line by line, before any parser sees
 * it. The global variable `x` has a value; any other one is nothing.
 */
function preprocessed(text: string): { text: string; obeyed: string[] } {
  const obeyed: string[] = [];
  const lines = text.split('\n').flatMap((line) => {
    const expanded = line.replace(/\$\$\{([^}]*)\}/g, (_, name) => (name === 'x' ? 'expanded' : ''));
    if (/x-pre-process/i.test(expanded) || /<!--#(include|exec|set|env)/.test(expanded)) {
      obeyed.push(expanded);
      return [];
    }
    return /<\/?include>|<\?/i.test(expanded) ? [] : [expanded];
  });
  return { text: lines.join('\n'), obeyed };
}

/** What begins, ends or means something to one of those on the way; drawn from and put together at random. */
const pieces = [
  ...['$${x}', '$${', '$$', '$', '${', '}', '${system(touch x)}', '$${x', '{x}', '%{x}', '\\$', '\\\\', '\\'],
  ...['X-PRE-PROCESS', 'x-pre-', 'process', 'X-pre-process', '-', '<X-PRE-PROCESS cmd="exec" data="id"/>'],
  ...['<include>', '</include>', '<?xml', '?>', '<!--', '-->', '<!--#exec', '<![CDATA[', ']]>', '</user>'],
  ...['"', "'", '&', '&amp;', '&#36;', '&#x24;', '&quot;', '<', '>', '/>', '=', ' ', ';', ',', '|', '[x=y]'],
  ...[
    'é',
    '漢',
    '🎺',
    '\u202e',
    '\u2028',
    '\u00a0',
    '\ufeff',
    'a',
    '1',
    'user/zz',
    '!USER_BUSY',
    'XML t-beta',
  ],
];

/** The same sequence on every run: mulberry32. */
function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Names of all elements and of their attributes, in their order: what no value may change. */
const shape = ({ name, attributes, children }: Element): string =>
  `${name}(${attributes.map(([key]) => key)})[${children.map(shape).join()}]`;

const values = (element: Element): string[] => [
  ...element.attributes.map(([, value]) => value),
  ...element.children.flatMap(values),
];

const render = (displayName: string, password: string): string[] =>
  renderTenant(
    siteOf({
      users: [userOf(phone, { displayName, password: new Secret(password) })],
      trunks: [trunkOf(carrier, 'credential', { password: new Secret(password) })],
    }),
  ).map(({ text }) => text.toString('utf8'));

const plain = render('Ann', 'secret');

it('keeps random texts what they are, through preprocessor and parser', () => {
  const draw = draws(4711);
  const text = (): string =>
    Array.from({ length: 1 + draw(8) }, () => pieces[draw(pieces.length)]).join('') || 'x';
  for (let round = 0; round < 2000; round++) {
    const [displayName, password] = [text(), text()];
    const about = JSON.stringify({ displayName, password });
    const files = render(displayName, password);
    expect(files.length, about).toBe(plain.length);
    for (const [at, file] of files.entries()) {
      const read = preprocessed(file);
      expect(read.obeyed, about).toEqual([]);
      // The preprocessor takes the outermost <include> away, and nothing else.
      expect(`<include>\n${read.text.trimEnd()}\n</include>\n`, about).toBe(file);
      const [elements, harmless] = [parseXml(file), parseXml(plain[at] ?? '')];
      expect(elements.map(shape), about).toEqual(harmless.map(shape));
      // All differences are values that were given, a secret's digest, or a name without what would end it.
      const before = harmless.flatMap(values);
      for (const [place, value] of elements.flatMap(values).entries()) {
        if (value === before[place] || value === password || /^(line=)?[0-9a-f]{32}$/.test(value)) continue;
        if (/line=[0-9a-f]{32}/.test(value)) continue;
        expect(value, about).toBe(displayName.replace(/["\\<>$]+/g, ' ').trim());
      }
    }
  }
});

it('has a model of the preprocessor that sees what is wrong', () => {
  expect(preprocessed('<a b="$${x}"/>').text).toBe('<a b="expanded"/>');
  expect(preprocessed('<a b="$${y}"/>').text).toBe('<a b=""/>');
  expect(preprocessed('<a b="my X-PRE-process note"/>').obeyed).toHaveLength(1);
  expect(preprocessed('<include><a/></include>').text).toBe('');
});

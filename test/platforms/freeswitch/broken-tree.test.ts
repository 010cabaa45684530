import { expect, it } from 'vitest';
import { unclosed } from '../../../src/platforms/freeswitch/broken-tree.ts';

it.each([
  ['<a name="1">\n<b name="2">\n</a>\n', ['<b name="2">', '<a name="1">']],
  ['<a><!-- </b> --><b x="a > b" name="n"/><c id="3"></a>', ['<c id="3">', '<a>']],
  [
    '<?xml version="1.0"?>\n<d><user id="u"><param name="password" value="s"/></users></d>',
    ['<user id="u">', '<d>'],
  ],
  ['<a name="1"><b>', ['<b>', '<a name="1">']],
  ['<a>1 & 2 < 3</a>', []],
  ['', []],
])('names what is not closed in %j', (text, open) => {
  expect(unclosed(text)).toEqual(open);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProviderTemplate, UserTemplate } from '../../../model/template.ts';
import { precompilePlain, precompileSource, type Source, templateKey } from './compiler.ts';
import { digestOfShapes, plainShapes, shapesFrom } from './shapes.ts';

/**
 * The text of the module that stands in for shipped.ts in a build: every shipped template compiled, and the
 * shapes, which templates of the user's own still need. Same templates, same text.
 * @throws SipctlError `invalid` with what is wrong with a template
 */
export function precompileShipped(
  catalog: { providers: Iterable<ProviderTemplate>; users: Iterable<UserTemplate> },
  shapeFolder: string,
): string {
  const shapes = shapesFrom((file) => readFileSync(join(shapeFolder, `${file}.hbs`), 'utf8'));
  const sources: Source[] = [
    ...[...catalog.providers].map(({ id, asterisk }) => ({ kind: 'trunk' as const, id, sections: asterisk })),
    ...[...catalog.users].map(({ id, asterisk }) => ({ kind: 'user' as const, id, sections: asterisk })),
  ];
  const entries = sources.map((source) => [templateKey(source), precompileSource(shapes, source)]);
  const plain = plainShapes.map((shape) => [shape, precompilePlain(shapes, shape)]);
  const members = [...entries, ...plain].map(
    ([key, specification]) => `${JSON.stringify(key)}: ${specification}`,
  );
  const texts = Object.fromEntries(Object.values(shapes).map(({ file, text }) => [file, text]));
  return [
    `export const specifications = {\n${members.join(',\n')}\n};`,
    `const shapes = ${JSON.stringify(texts)};`,
    'export const shapeText = (file) => shapes[file];',
    `export const shapesDigest = () => ${JSON.stringify(digestOfShapes(shapes))};`,
    '',
  ].join('\n');
}

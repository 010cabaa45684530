import { existsSync, readFileSync } from 'node:fs';
import { digestOfShapes, shapesFrom } from './shapes.ts';

/**
 * The shapes of the files, and the shipped templates compiled into functions. Run from its sources, sipctl reads
 * the shapes and compiles on demand; the build puts what precompile.ts writes in the place of this module, so that
 * a released sipctl reads no shape and loads no compiler.
 */

/** `trunk <provider id>`, `user <template id>` and `index` → what Handlebars makes of it. */
export const specifications: Readonly<Record<string, TemplateSpecification>> = {};

// Seen from this file, and from a bundle one folder below the root.
const places = ['../../../../templates/asterisk/', '../templates/asterisk/'];

/** The text of a shape: `templates/asterisk/<file>.hbs`. */
export function shapeText(file: string): string {
  const urls = places.map((place) => new URL(`${place}${file}.hbs`, import.meta.url));
  const found = urls.find((url) => existsSync(url));
  if (found === undefined) throw new Error(`the shape ${file}.hbs is missing`);
  return readFileSync(found, 'utf8');
}

let digest: string | undefined;

/** Digest of the shapes; a released sipctl has it from its build. */
export function shapesDigest(): string {
  digest ??= digestOfShapes(shapesFrom(shapeText));
  return digest;
}

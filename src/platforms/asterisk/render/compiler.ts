import Handlebars from 'handlebars';
import type { Sections } from '../../../model/template.ts';
import { blockTemplate, compileOptions, plainTemplate } from './block-template.ts';
import { trunkVariables, userVariables } from './contexts.ts';
import type { PlainShape, Shapes } from './shapes.ts';

/** What is compiled of a provider or user template. */
export interface Source {
  kind: 'trunk' | 'user';
  id: string;
  sections: Sections;
}

/** The key of a compiled template among all. */
export const templateKey = ({ kind, id }: Pick<Source, 'kind' | 'id'>): string => `${kind} ${id}`;

/** A template as a function. @throws SipctlError `invalid` with everything that is wrong with it */
export const compileSource = (shapes: Shapes, source: Source): Handlebars.TemplateDelegate =>
  Handlebars.compile(treeOf(shapes, source), compileOptions(shapes[source.kind]));

export const compilePlain = (shapes: Shapes, shape: PlainShape): Handlebars.TemplateDelegate =>
  Handlebars.compile(plainTemplate(shapes[shape]), compileOptions(shapes[shape]));

/** The same as the text of an object of JavaScript, which `handlebars/runtime` makes a function again. */
export const precompileSource = (shapes: Shapes, source: Source): string =>
  String(Handlebars.precompile(treeOf(shapes, source), compileOptions(shapes[source.kind])));

export const precompilePlain = (shapes: Shapes, shape: PlainShape): string =>
  String(Handlebars.precompile(plainTemplate(shapes[shape]), compileOptions(shapes[shape])));

function treeOf(shapes: Shapes, { kind, id, sections }: Source): hbs.AST.Program {
  return blockTemplate(shapes[kind], id, sections, kind === 'trunk' ? trunkVariables : userVariables);
}

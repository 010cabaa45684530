import type Handlebars from 'handlebars';
import runtimeModule from 'handlebars/runtime.js';

// The package declares the runtime as a part of itself, and its types name the whole only.
const runtime = runtimeModule as unknown as typeof Handlebars;

/** A compiled file: what stands at its top, and the text of one object. */
export interface CompiledFile<Context> {
  header(context: { tenant: string }): string;
  block(context: Context): string;
}

/** A template that was compiled at the build. */
export const fromSpecification = (specification: TemplateSpecification): Handlebars.TemplateDelegate =>
  runtime.template(specification);

/**
 * The parts of a compiled file. Its block is handed out once, by the helper it stands in, and then called for every
 * object: calling the whole template would set up its environment anew each time, at several times the cost.
 */
export function partsOf<Context>(template: Handlebars.TemplateDelegate, each: string): CompiledFile<Context> {
  let block: ((context: Context) => string) | undefined;
  const helpers = {
    [each]: (options: Handlebars.HelperOptions) => {
      block = options.fn;
      return '';
    },
  };
  const header = (context: unknown): string => template(context, { helpers });
  header({ tenant: '' });
  if (block === undefined) throw new Error(`the shape has no block {{#${each}}}`);
  return { header, block };
}

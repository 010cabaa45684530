import Handlebars from 'handlebars';
import { SipctlError } from '../../../errors.ts';
import { optionName, type Sections } from '../../../model/template.ts';
import { isType, optionOf } from '../options.ts';
import type { Known } from './contexts.ts';
import {
  block,
  content,
  ExpressionError,
  isBlock,
  isContent,
  mustache,
  type Node,
  optionLine,
  parseExpression,
  path,
  program,
  variableOf,
} from './expression.ts';
import type { Shape } from './shapes.ts';

/** How every template is compiled: no HTML escaping, no data frames, nothing that is not known here. */
export const compileOptions = (shape: Shape) => ({
  noEscape: true,
  knownHelpersOnly: true,
  knownHelpers: { [shape.each]: true, if: true, unless: true },
  data: false,
  ignoreStandalone: true,
});

/**
 * A shape with the sections of a provider or user template in their place, ready for the compiler. Names of
 * sections and options come from here and are checked; only their values come from expressions.
 * @throws SipctlError `invalid` with everything that is wrong with the template
 */
export function blockTemplate(shape: Shape, template: string, sections: Sections, known: Known) {
  const lines = sectionLines(template, sections, known);
  // A tag alone on its line leaves no line behind; Handlebars sees to that for blocks only.
  const place = (nodes: readonly Node[]): Node[] =>
    nodes.flatMap((node, at) => {
      if (variableOf(node) === 'sections') return lines;
      const before = nodes[at - 1];
      const follows = before !== undefined && variableOf(before) === 'sections';
      return isContent(node) && follows ? [content(node.value.replace(/^\n/, ''))] : [node];
    });
  return withBlock(shape, place);
}

/** A shape that has no sections, as it stands. */
export const plainTemplate = (shape: Shape): hbs.AST.Program => withBlock(shape, (nodes) => [...nodes]);

function withBlock(shape: Shape, body: (nodes: readonly Node[]) => Node[]): hbs.AST.Program {
  const parsed = Handlebars.parse(shape.text);
  return program(
    parsed.body.map((node) => {
      if (!isBlock(node)) return node;
      return block(shape.each, [], body(node.program.body), []);
    }),
  );
}

function sectionLines(template: string, sections: Sections, known: Known): Node[] {
  const problems: SipctlError['problems'][number][] = [];
  const attempt = <T>(where: string, build: () => T): T | undefined => {
    try {
      return build();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const message = `template '${template}': ${where}: ${error.message}`;
      problems.push({ code: 'invalid_template', message, field: where, hint: lintHint });
      return undefined;
    }
  };
  const lines = Object.entries(sections).flatMap(([type, options]) => {
    const named = [content('['), mustache('id'), content(`]\ntype=${type}\n`)];
    const built = Object.entries(options).flatMap(([key, expression]) =>
      key === '$when' ? [] : (attempt(`${type}.${key}`, () => line(type, key, expression, known)) ?? []),
    );
    const section = [...named, ...built, content('\n')];
    const when = attempt(type, () => conditionOf(type, options, known));
    return when === undefined || when === null ? section : [block('if', [path(when)], section, [])];
  });
  if (problems.length > 0) throw new SipctlError('invalid', problems);
  return lines;
}

const lintHint = 'check it with: sipctl provider lint';

function line(type: string, key: string, expression: string, known: Known): Node[] {
  const option = optionName(key);
  if (option === 'type' || optionOf(type, option) === undefined) {
    throw new ExpressionError(`'${option}' is not an option of ${type}`);
  }
  return optionLine(option, parseExpression(expression, known), known);
}

function conditionOf(type: string, options: Sections[string], known: Known): string | null {
  if (!isType(type)) throw new ExpressionError(`'${type}' is not a type of pjsip.conf`);
  const { $when: when } = options;
  if (when === undefined) return null;
  if (!Object.hasOwn(known, when)) throw new ExpressionError(`$when: there is no variable '${when}'`);
  return when;
}

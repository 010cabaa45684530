import Handlebars from 'handlebars';
import { escapeValue } from '../conf/write.ts';
import type { Known } from './contexts.ts';

/**
 * Expressions of templates as syntax trees of Handlebars. Only plain text, `{{variable}}` and the blocks `if` and
 * `unless` come through, and each node is built anew, so that nothing else (partials, helpers, whitespace control)
 * can reach the structure of a file. Loads the compiler: only the build and a user's own templates come here.
 */

export type Node = hbs.AST.Statement;

const mostBlocks = 10;

/** What is wrong with an expression; the caller knows where it stands. */
export class ExpressionError extends Error {}

/** The nodes of an expression, its text escaped for a .conf file. @throws ExpressionError */
export function parseExpression(source: string, known: Known): Node[] {
  // Telling cases apart doubles what is nested, so the nesting has a bound.
  if (source.split('{{#').length > mostBlocks) throw new ExpressionError(`more than ${mostBlocks} blocks`);
  let program: hbs.AST.Program;
  try {
    program = Handlebars.parseWithoutProcessing(source);
  } catch (error) {
    throw new ExpressionError((error as Error).message.split('\n')[0]);
  }
  return program.body.map((node) => rebuilt(node, known));
}

/**
 * The line of an option, or nothing where the expression turns out empty. Where it starts with something that may
 * be empty, a block tells both cases apart, so that in each of them it is known what stands after the `=`.
 */
export function optionLine(option: string, expression: readonly Node[], known: Known): Node[] {
  const nodes = withoutLeadingBlanks(expression);
  const [first, ...rest] = nodes;
  if (first === undefined) return [];
  const line = [content(`${option}=`), ...guarded(nodes, known), content('\n')];
  if (isContent(first)) return line;
  if (isBlock(first)) {
    const [condition] = first.params as [hbs.AST.PathExpression];
    const present = optionLine(option, [...first.program.body, ...rest], known);
    const otherwise = optionLine(option, [...(first.inverse?.body ?? []), ...rest], known);
    return [block(nameOf(first.path), [condition], present, otherwise)];
  }
  const variable = variableOf(first) as string;
  if (known[variable]?.always === true) return line;
  return [block('if', [path(variable)], line, optionLine(option, rest, known))];
}

export const content = (value: string): Node =>
  ({ type: 'ContentStatement', value, original: value, loc: nowhere }) as unknown as Node;

export const mustache = (variable: string): Node =>
  ({
    type: 'MustacheStatement',
    path: path(variable),
    params: [],
    escaped: true,
    strip: noStrip(),
    loc: nowhere,
  }) as unknown as Node;

/** `{{#helper params}}body{{else}}otherwise{{/helper}}` */
export const block = (
  helper: string,
  params: readonly hbs.AST.PathExpression[],
  body: readonly Node[],
  otherwise: readonly Node[],
): Node =>
  ({
    type: 'BlockStatement',
    path: path(helper),
    params,
    program: program(body),
    ...(otherwise.length === 0 ? {} : { inverse: program(otherwise), inverseStrip: noStrip() }),
    openStrip: noStrip(),
    closeStrip: noStrip(),
    loc: nowhere,
  }) as unknown as Node;

export const path = (variable: string): hbs.AST.PathExpression => ({
  type: 'PathExpression',
  data: false,
  depth: 0,
  parts: [variable],
  original: variable,
  loc: nowhere,
});

export const program = (body: readonly Node[]): hbs.AST.Program =>
  ({ type: 'Program', body: [...body], strip: {}, loc: nowhere }) as unknown as hbs.AST.Program;

export const isBlock = (node: Node): node is hbs.AST.BlockStatement => node.type === 'BlockStatement';
export const isContent = (node: Node): node is hbs.AST.ContentStatement => node.type === 'ContentStatement';

/** The variable that a `{{variable}}` names, or null for any other node. */
export const variableOf = (node: Node): string | null =>
  node.type === 'MustacheStatement'
    ? nameOf((node as hbs.AST.MustacheStatement).path as hbs.AST.PathExpression)
    : null;

function rebuilt(node: Node, known: Known): Node {
  if (isContent(node)) return content(escapeText(node.value));
  if (node.type === 'MustacheStatement') {
    const { path: named, params, hash } = node as hbs.AST.MustacheStatement;
    if (params.length > 0 || hash !== undefined) throw new ExpressionError('helpers are not allowed');
    return mustache(variable(named, known));
  }
  if (!isBlock(node)) throw new ExpressionError(`${node.type} is not allowed`);
  const helper = nameOf(node.path);
  const [condition, ...more] = node.params;
  const plain = helper === 'if' || helper === 'unless';
  if (!plain || condition === undefined || more.length > 0 || node.hash !== undefined) {
    throw new ExpressionError('only {{#if name}} and {{#unless name}} may open a block');
  }
  const inside = (part: hbs.AST.Program | undefined): Node[] =>
    (part?.body ?? []).map((one) => rebuilt(one, known));
  return block(helper, [path(variable(condition, known))], inside(node.program), inside(node.inverse));
}

function escapeText(text: string): string {
  try {
    // Blanks at its ends are inner blanks of the value, except where optionLine takes them away.
    return text.replace(/\S(?:[\s\S]*\S)?/, (inner) => escapeValue(inner, 'the expression', 'its text'));
  } catch {
    throw new ExpressionError('an option is one line: the expression holds a control character');
  }
}

function variable(node: hbs.AST.Node, known: Known): string {
  const simple = node as hbs.AST.PathExpression;
  if (simple.type !== 'PathExpression' || simple.data || simple.depth > 0 || simple.parts.length !== 1) {
    throw new ExpressionError('only plain names of variables are allowed');
  }
  const found = nameOf(simple);
  if (!Object.hasOwn(known, found)) throw new ExpressionError(`there is no variable '${found}'`);
  return found;
}

const nameOf = (of: hbs.AST.PathExpression): string => String(of.parts[0]);

function withoutLeadingBlanks(nodes: readonly Node[]): readonly Node[] {
  const [first, ...rest] = nodes;
  if (first === undefined || !isContent(first)) return nodes;
  const text = first.value.trimStart();
  return text === '' ? withoutLeadingBlanks(rest) : [content(text), ...rest];
}

// See valueGuard: what follows `=` must not start with `>`.
function guarded(nodes: readonly Node[], known: Known): readonly Node[] {
  const [first] = nodes;
  if (first === undefined) return nodes;
  if (isContent(first)) return first.value.startsWith('>') ? [content(' '), ...nodes] : nodes;
  const named = variableOf(first);
  return named !== null && known[named]?.guarded === true ? [mustache(`${named}Guard`), ...nodes] : nodes;
}

const noStrip = (): hbs.AST.StripFlags => ({ open: false, close: false });
const nowhere = { source: '', start: { line: 1, column: 0 }, end: { line: 1, column: 0 } };

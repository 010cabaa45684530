/**
 * The expressions of a template: a small part of Handlebars, `{{name}}` and `{{#if name}}…{{else}}…{{/if}}` with
 * `unless` likewise. Anything more would let a value reach into the structure of a file.
 */

/** What an expression of a provider template may name. */
export const trunkVariables: readonly string[] = [
  'id', 'name', 'tenant', 'username', 'authUsername', 'password', 'realm', 'host', 'port', 'hostPort',
  'transport', 'transportName', 'context', 'codecs', 'dtmf', 'fromUser', 'fromDomain', 'did', 'contactUser', 'networks',
  'registration', 'expiry', 'srtp', 'serverUri', 'clientUri', 'contactUri', 'outboundProxyUri',
  'qualifyFrequency', 'maxCalls', 'inbound', 'outbound', 'techPrefix', 'tls', 'isCredential',
]; // biome-ignore format: a list

/** What an expression of a user template may name. */
export const userVariables: readonly string[] = [
  'id', 'username', 'password', 'extension', 'displayName', 'callerid', 'codecs', 'dtmf', 'maxContacts',
  'qualifyFrequency', 'transport', 'context', 'mailbox', 'maxCalls', 'domain', 'tenant',
]; // biome-ignore format: a list

/** What is wrong with an expression; `variable` is the name that is not known, where that is the fault. */
export interface ExpressionFault {
  message: string;
  variable?: string;
}

/** Blocks in one expression: telling their cases apart doubles the text of each. */
const mostBlocks = 9;

const tag = /\{\{(.*?)\}\}/gs;
const variableTag = /^[A-Za-z][A-Za-z0-9]*$/;
const openTag = /^#(if|unless) +([A-Za-z][A-Za-z0-9]*)$/;

/** The first fault of an expression, or null. Whatever passes, Handlebars compiles without a helper of ours. */
export function expressionFault(expression: string, variables: readonly string[]): ExpressionFault | null {
  const open: { word: string; elseSeen: boolean }[] = [];
  const outside = outsideFault(expression);
  if (outside !== null) return outside;
  for (const [, inside = ''] of expression.matchAll(tag)) {
    const fault = tagFault(inside, open, variables);
    if (fault !== null) return fault;
  }
  const left = open.pop();
  return left === undefined ? null : { message: `{{#${left.word}}} is not closed: add {{/${left.word}}}` };
}

// A backslash before a tag switches it off in Handlebars, and three braces ask for text without escaping.
function outsideFault(expression: string): ExpressionFault | null {
  if (/\{\{\{|\}\}\}/.test(expression)) return { message: 'three braces are not allowed, write {{name}}' };
  if (expression.includes('\\{{')) return { message: 'a backslash before {{ is not allowed' };
  if (expression.split('{{#').length > mostBlocks + 1)
    return { message: `holds more than ${mostBlocks} blocks` };
  const rest = expression.replace(tag, '');
  return /\{\{|\}\}/.test(rest) ? { message: 'a {{ has no }}, or the other way round' } : null;
}

function tagFault(
  inside: string,
  open: { word: string; elseSeen: boolean }[],
  variables: readonly string[],
): ExpressionFault | null {
  const opening = openTag.exec(inside);
  if (opening !== null) {
    open.push({ word: opening[1] as string, elseSeen: false });
    return variableFault(opening[2] as string, variables);
  }
  if (inside === 'else') {
    const block = open.at(-1);
    if (block === undefined || block.elseSeen) return { message: '{{else}} belongs to no open block' };
    block.elseSeen = true;
    return null;
  }
  if (inside === '/if' || inside === '/unless') {
    const block = open.pop();
    return block?.word === inside.slice(1) ? null : { message: `{{${inside}}} closes no open block` };
  }
  return variableTag.test(inside)
    ? variableFault(inside, variables)
    : { message: `{{${inside}}} is not {{name}}, {{#if name}}, {{#unless name}}, {{else}} or an end of one` };
}

function variableFault(name: string, variables: readonly string[]): ExpressionFault | null {
  return variables.includes(name)
    ? null
    : { message: `there is no variable '${name}' in this kind of template`, variable: name };
}

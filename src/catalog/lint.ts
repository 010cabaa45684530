import type { Problem } from '../errors.ts';
import { nearest } from '../model/check.ts';
import { optionName, type ProviderTemplate, type Sections, type UserTemplate } from '../model/template.ts';
import type { Base } from './read.ts';
import { locator, readProvider, readUser } from './read.ts';

/** What an engine's table says of one option; more may stand there. */
export interface OptionFacts {
  since?: readonly string[];
  kind?: string;
  values?: readonly string[];
  /** False: the oldest supported Asterisk, 16, does not have it. */
  in16?: boolean;
}

/** Object type → option → what is known of it. */
export type OptionTable = Readonly<Record<string, Readonly<Record<string, OptionFacts>>>>;

export interface LintRequest {
  kind: 'provider' | 'user';
  /** What the template inherits: `bases.provider` or `bases.user` of the shipped catalog. */
  base: Base;
  options: OptionTable;
  /** ISO date. */
  today: string;
}

/** Errors keep the template from being used; warnings are worth a look. */
export interface Lint {
  errors: Problem[];
  warnings: Problem[];
}

/**
 * Everything that is wrong with one template file, each complaint with line and column. Loads yaml and zod:
 * import this module only where a file is to be linted.
 * @param fileName its last part must be `<id>.yaml`
 */
export function lintTemplate(text: string, fileName: string, request: LintRequest): Lint {
  const file = { name: fileName, text };
  const { template, problems } =
    request.kind === 'provider'
      ? readProvider(file, request.base, 'overlay')
      : readUser(file, request.base, 'overlay');
  if (template === null) return { errors: problems, warnings: [] };
  const findings = [
    ...optionFindings(template.asterisk, request.options),
    ...dateFindings(template, request.today),
    ...numberFormatFindings(template),
  ];
  const at = locator(file);
  return {
    errors: findings.filter((one) => one.severity === 'error').map(at),
    warnings: findings.filter((one) => one.severity === 'warning').map(at),
  };
}

interface Finding {
  severity: 'error' | 'warning';
  path: readonly string[];
  message: string;
  hint: string;
}

function optionFindings(sections: Sections, table: OptionTable): Finding[] {
  return Object.entries(sections).flatMap(([type, options]) =>
    Object.entries(options)
      .filter(([key]) => key !== '$when')
      .flatMap(([key, expression]) => optionFinding(type, key, expression, table)),
  );
}

function optionFinding(type: string, key: string, expression: string, table: OptionTable): Finding[] {
  const path = ['asterisk', type, key];
  const known = Object.keys(table[type] ?? {}).filter((option) => option !== 'type');
  const facts = known.includes(optionName(key)) ? table[type]?.[optionName(key)] : undefined;
  if (facts === undefined) {
    const near = nearest(optionName(key), known);
    const hint = near === null ? 'Asterisk drops the whole object for it' : `did you mean '${near}'?`;
    const message = `Asterisk has no option '${optionName(key)}' in a section of type ${type}`;
    return [{ severity: 'error', path, message, hint }];
  }
  const value = valueFinding(path, expression, facts);
  return facts.in16 === false ? [...value, newerFinding(path, facts)] : value;
}

function newerFinding(path: readonly string[], facts: OptionFacts): Finding {
  const since = facts.since?.join(', ') ?? 'a later release';
  return {
    severity: 'warning',
    path,
    message: `Asterisk 16 has no such option, it came with ${since}`,
    hint: 'a node with an older Asterisk refuses a trunk that has it',
  };
}

// Only a value without a variable can be judged before it is rendered.
function valueFinding(path: readonly string[], expression: string, facts: OptionFacts): Finding[] {
  if (expression.includes('{{')) return [];
  const allowed = facts.kind === 'boolean' ? ['yes', 'no'] : facts.values;
  if (allowed === undefined || expression.split(',').every((word) => allowed.includes(word.trim())))
    return [];
  return [
    {
      severity: 'error',
      path,
      message: `'${expression}' is not a value of this option`,
      hint: `Asterisk takes ${allowed.join(', ')}`,
    },
  ];
}

// Words say how the carrier wants numbers, and sipctl does not read words.
function numberFormatFindings(template: ProviderTemplate | UserTemplate): Finding[] {
  if (!('numberFormat' in template)) return [];
  if (template.dialedFormat === null || template.numberFormat !== null) return [];
  const message = 'says how numbers are written, but number_format does not: + and E.164 is sent';
  const hint = 'add number_format: plus, digits or national';
  return [{ severity: 'warning', path: ['dialed_format'], message, hint }];
}

/** Days after which a carrier's addresses and rules want another look. */
const staleAfterDays = 365;

function dateFindings(template: ProviderTemplate | UserTemplate, today: string): Finding[] {
  if (!('verified' in template)) return [];
  const dates: [path: string[], date: string][] = [[['verified'], template.verified]];
  if (template.networks !== null) dates.push([['networks', 'read'], template.networks.read]);
  return dates.flatMap(([path, date]) => dateFinding(path, date, today));
}

function dateFinding(path: readonly string[], date: string, today: string): Finding[] {
  const age = Math.round((Date.parse(today) - Date.parse(date)) / 86_400_000);
  if (age < 0) {
    const hint = 'write the day on which the documents were read';
    return [{ severity: 'error', path, message: `${date} lies in the future`, hint }];
  }
  if (age <= staleAfterDays) return [];
  const message = `was read ${age} days ago`;
  return [{ severity: 'warning', path, message, hint: 'read the documents again, then set today’s date' }];
}

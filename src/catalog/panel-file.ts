import {
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import { type Place, type Problem, SipctlError } from '../errors.ts';

/** Keys and positions from the top of a JSON file to one of its values. */
export type Path = readonly (string | number)[];

/** The carriers of a `provider_templates.json`, with the way to say where something of them stands. */
export interface PanelFile {
  providers: { id: string; path: Path; entry: Readonly<Record<string, unknown>> }[];
  /** What stands beside the carriers. */
  others: { key: string; path: Path }[];
  placeOf: (path: Path) => Place;
}

const wrappers = ['providers', 'provider_templates', 'providerTemplates'];
const otherKinds = ['user_templates', 'userTemplates', 'users', 'version', 'description', '$schema', 'info'];

/**
 * Reads the JSON by which a panel describes carriers: their names with what is said of each, at the top or
 * below `providers`. Loads yaml, which knows where each value stands.
 * @throws SipctlError `invalid` with every complaint about its form
 */
export function readPanelFile(text: string, source: string): PanelFile {
  const lines = new LineCounter();
  const value = parsed(text, source, lines);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeAt = (offset: number): Place => placed(source, lines, offset);
  const placeOf = (path: Path): Place => placeAt(offsetOf(document, path));
  const doubled = document.errors.filter(({ code }) => code === 'DUPLICATE_KEY');
  const problems = doubled.map(({ pos }) => formProblem('this key stands twice', placeAt(pos[0])));
  if (!isBlock(value)) problems.push(formProblem('the file does not hold carriers by name', placeOf([])));
  if (problems.length > 0) throw new SipctlError('invalid', problems);
  return sorted(value as Record<string, unknown>, placeOf);
}

function sorted(top: Readonly<Record<string, unknown>>, placeOf: PanelFile['placeOf']): PanelFile {
  const wrapper = wrappers.find((key) => key in top);
  const outside = Object.keys(top).filter((key) => key !== wrapper && (wrapper || otherKinds.includes(key)));
  const inside = wrapper === undefined ? top : top[wrapper];
  const base: Path = wrapper === undefined ? [] : [wrapper];
  if (!isBlock(inside))
    throw new SipctlError('invalid', formProblem('this is no block of carriers by name', placeOf(base)));
  const entries = Object.entries(inside).filter(([key]) => wrapper !== undefined || !outside.includes(key));
  const problems = entries
    .filter(([, entry]) => !isBlock(entry))
    .map(([id]) => formProblem(`${id}: a carrier is a block of keys`, placeOf([...base, id])));
  if (entries.length === 0) problems.push(formProblem('there is no carrier in it', placeOf(base)));
  if (problems.length > 0) throw new SipctlError('invalid', problems);
  return {
    providers: entries.map(([id, entry]) => ({
      id,
      path: [...base, id],
      entry: entry as Record<string, unknown>,
    })),
    others: outside.map((key) => ({ key, path: [key] })),
    placeOf,
  };
}

const isBlock = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const formProblem = (message: string, place: Place): Problem => ({
  code: 'invalid_providers_file',
  message,
  hint: 'write {"carrier": {"display_name": …, "auth_type": …, "endpoint": …}, …}',
  place,
});

// JSON is read as strictly as JSON is: what only YAML understands was not meant.
function parsed(text: string, source: string, lines: LineCounter): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    parseDocument(text, { lineCounter: lines, prettyErrors: false });
    throw new SipctlError('invalid', {
      code: 'invalid_json',
      message: `not well-formed JSON: ${faultOf(message)}`,
      hint: 'the fault stands there, or just before',
      place: placed(source, lines, faultOffset(text)),
    });
  }
}

// Not every message of V8 names a position, so the fault is found as the first character no JSON could go on with.
function faultOffset(text: string): number {
  let [good, bad] = [0, text.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (canGoOn(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return Math.min(good, text.trimEnd().length);
}

function canGoOn(start: string): boolean {
  try {
    JSON.parse(start);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const position = /at position (\d+)/.exec(message)?.[1];
    if (/end of JSON input|^Unterminated/.test(message)) return true;
    return position !== undefined && Number(position) >= start.length;
  }
}

// V8 quotes the file in its message, which may hold a password.
const faultOf = (message: string): string =>
  /^(?:Unexpected token|Unexpected end|Unexpected non-whitespace|Expected [^.]*?(?= in JSON)|Bad [a-z ]+)/.exec(
    message,
  )?.[0] ?? 'it cannot be read';

function placed(source: string, lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { source, line: Math.max(line, 1), column: Math.max(col, 1) };
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let at: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (!isCollection(at)) break;
    const pair = isMap(at) ? at.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    const next = isPair(pair) ? pair.value : at.get(step, true);
    const node = (isPair(pair) ? pair.key : next) as Node | undefined;
    if (!node?.range) break;
    offset = node.range[0];
    at = next;
  }
  return offset;
}

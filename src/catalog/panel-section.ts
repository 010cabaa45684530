import { expressionFault, trunkVariables } from './expressions.ts';

/** One option of a section, its value as an expression of our templates. */
export interface PanelOption {
  section: string;
  option: string;
  value: string;
}

/** What a section says, and what of it cannot be said in a template. */
export interface PanelSection {
  options: PanelOption[];
  left: { section: string; option: string | null; message: string }[];
}

/**
 * Reads a section of a panel's template: lines of pjsip.conf with placeholders, in one text or a list, or a
 * block of options. A header between its lines starts another section, whose `type` says which.
 * @param key the name it has in the JSON, which is its type where no line says one; null where it is no section
 */
export function readPanelSection(key: string, content: unknown): PanelSection | null {
  const lines = linesOf(content);
  if (lines === null) return null;
  const found: PanelSection = { options: [], left: [] };
  const around: string[] = [];
  let options: [option: string, value: string][] = [];
  const close = (): void => {
    take(found, options.find(([option]) => option === 'type')?.[1] ?? key, options);
    options = [];
  };
  for (const line of lines) {
    const assignment = /^([^=\s[\]{}]+)\s*(?:\+?=>?)\s*(.*)$/.exec(line);
    if (/^\[.*\]/.test(line)) close();
    else if (/^\{\{\s*#/.test(line) && assignment === null) around.push(line);
    else if (/^\{\{\s*\//.test(line) && around.length > 0) around.pop();
    else if (assignment === null)
      found.left.push({ section: key, option: null, message: 'a line that is no option' });
    else options.push([(assignment[1] as string).toLowerCase(), wrapped(assignment[2] as string, around)]);
  }
  close();
  return found;
}

function linesOf(content: unknown): string[] | null {
  if (typeof content === 'string') return cleanLines(content);
  if (Array.isArray(content))
    return content.every((line) => typeof line === 'string') ? cleanLines(content.join('\n')) : null;
  if (typeof content !== 'object' || content === null) return null;
  const pairs = Object.entries(content).flatMap(([option, value]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, unknown] => [option, one]),
  );
  const isPlain = pairs.every(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return isPlain ? pairs.map(([option, value]) => `${option}=${wordOf(value)}`) : null;
}

const wordOf = (value: unknown): string =>
  typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);

// A semicolon starts a comment in pjsip.conf, unless a backslash stands before it.
const cleanLines = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) =>
      line
        .replace(/(?<!\\);.*$/, '')
        .replaceAll('\\;', ';')
        .trim(),
    )
    .filter((line) => line !== '');

const wrapped = (value: string, around: readonly string[]): string =>
  value === ''
    ? ''
    : `${around.join('')}${value}${around
        .map((tag) => (/unless/.test(tag) ? '{{/unless}}' : '{{/if}}'))
        .toReversed()
        .join('')}`;

function take(found: PanelSection, section: string, options: readonly [string, string][]): void {
  for (const [option, text] of options) {
    if (option === 'type' || text === '') continue;
    const { value, fault } = translated(text);
    if (fault === null) found.options.push({ section, option, value });
    else found.left.push({ section, option, message: fault });
  }
}

/** Words of panels, without case and marks, and the variable of ours that they mean. */
const words: Readonly<Record<string, readonly string[]>> = {
  id: ['trunkname', 'trunk', 'trunkid', 'name', 'id'],
  username: ['username', 'user', 'account', 'sipusername', 'login'],
  authUsername: ['authusername', 'authuser', 'authid'],
  password: ['password', 'secret', 'sippassword'],
  host: ['server', 'host', 'hostname', 'domain', 'sipserver', 'defaultserver', 'siphost', 'proxy'],
  port: ['port', 'defaultport', 'serverport', 'sipport'],
  context: ['context', 'defaultcontext'],
  codecs: ['codecs', 'codec', 'allow', 'defaultcodecs'],
  did: ['did', 'didnumber', 'phonenumber', 'number'],
  fromUser: ['fromuser'],
  fromDomain: ['fromdomain'],
  realm: ['realm'],
  transport: ['transport', 'protocol'],
  expiry: ['expiration', 'expiry', 'expires'],
  qualifyFrequency: ['qualifyfrequency', 'qualify'],
  dtmf: ['dtmf', 'dtmfmode'],
  contactUser: ['contactuser'],
  networks: [
    'ip',
    'ips',
    'match',
    'matchip',
    'providerip',
    'serverip',
    'ipaddress',
    'allowedips',
    'networks',
    'peerip',
  ],
  maxCalls: ['maxcalls', 'calllimit', 'maxconcurrentcalls'],
};
const variableOf = new Map(
  Object.entries(words).flatMap(([variable, all]) => all.map((word) => [word, variable])),
);

/** The variable of our templates that a panel's word means, such as `host` for `sip_server`; undefined for none. */
export const panelVariable = (word: string): string | undefined =>
  variableOf.get(word.toLowerCase().replaceAll(/[_-]/g, ''));

const placeholder =
  /\{\{\s*#(if|unless)\s+(\w+)\s*\}\}|\{\{\s*(else|\/if|\/unless)\s*\}\}|\{\{\s*([\w-]+)\s*\}\}|\$?\{\s*([\w-]+)\s*\}/g;

function translated(text: string): { value: string; fault: string | null } {
  const unknown: string[] = [];
  const named = (word: string): string => {
    const variable = panelVariable(word);
    if (variable === undefined) unknown.push(word);
    return variable ?? word;
  };
  const rest = text.replace(placeholder, '');
  const value = text
    .replace(placeholder, (_, block, condition, end, double, single) => {
      if (block) return `{{#${block} ${named(condition)}}}`;
      return end ? `{{${end}}}` : `{{${named(double ?? single)}}}`;
    })
    // An option that comes to nothing is left out anyway.
    .replace(/^\{\{#if (\w+)\}\}(\{\{\1\}\})\{\{\/if\}\}$/, '$2');
  if (unknown.length > 0) return { value, fault: `nothing of a trunk is called '${unknown.join("', '")}'` };
  if (/[{}]/.test(rest)) return { value, fault: 'its placeholders cannot be read' };
  return { value, fault: expressionFault(value, trunkVariables)?.message ?? null };
}

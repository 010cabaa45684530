import { stringify } from 'yaml';
import type { Place, Problem } from '../errors.ts';
import { trunk } from '../model/nouns.ts';
import * as rule from '../model/rules.ts';
import { type LintRequest, lintTemplate } from './lint.ts';
import type { PanelFile, Path } from './panel-file.ts';
import { type PanelFacts, takeOption } from './panel-options.ts';
import { type PanelOption, panelVariable, readPanelSection } from './panel-section.ts';
import { readProvider } from './read.ts';

/** A carrier of the file as a provider template: its text, and what of the file is not in it. */
export interface ImportedProvider {
  id: string;
  /** As it would be written; empty where there are problems. */
  text: string;
  problems: Problem[];
  left: Problem[];
  warnings: Problem[];
}

type Entry = Readonly<Record<string, unknown>>;

const sectionNames = ['registration', 'auth', 'aor', 'endpoint', 'identify'];
const told = ['docs', 'documentation', 'website'];
const knownKeys = [
  ...sectionNames,
  ...told,
  ...['display_name', 'auth_type', 'default_server', 'default_port', 'default_transport', 'default_codecs'],
  ...['required_fields', 'optional_fields', 'description', 'notes'],
];

/**
 * The templates of a panel's file. Their sections hold only what differs from the ones that every template
 * inherits, so what sipctl adds for all carriers comes along. Loads yaml and zod.
 */
export function importProviders(file: PanelFile, source: string, request: LintRequest): ImportedProvider[] {
  return file.providers.map(({ id, path, entry }) =>
    new Import(id, entry, path, file.placeOf).run(source, request),
  );
}

class Import {
  private readonly problems: Problem[] = [];
  private readonly left: Problem[] = [];
  private readonly id: string;
  private readonly entry: Entry;
  private readonly path: Path;
  private readonly placeOf: (path: Path) => Place;

  constructor(id: string, entry: Entry, path: Path, placeOf: (path: Path) => Place) {
    this.id = id;
    this.entry = entry;
    this.path = path;
    this.placeOf = placeOf;
  }

  run(source: string, request: LintRequest): ImportedProvider {
    const { id, problems, left } = this;
    const parsed = rule.templateId(id);
    if (!parsed.ok)
      this.wrong([], `'${id}' is not a template id`, 'use a-z, 0-9 and _, at most 40 characters');
    for (const key of Object.keys(this.entry).filter((one) => !knownKeys.includes(one)))
      this.leave(key, key, 'a template has no word for it');
    const facts = this.facts();
    const required = this.required(facts);
    this.takeSections(facts);
    const text = problems.length > 0 ? '' : this.written(facts, required, source, request);
    const found = text === '' ? { errors: [], warnings: [] } : lintTemplate(text, `${id}.yaml`, request);
    problems.push(...found.errors);
    return { id, text: problems.length > 0 ? '' : text, problems, left, warnings: found.warnings };
  }

  private wrong(path: Path, message: string, hint: string): void {
    const where = [...this.path, ...path];
    const field = where.join('.');
    this.problems.push({
      code: 'invalid_providers_file',
      message: `${field}: ${message}`,
      field,
      hint,
      place: this.placeOf(where),
    });
  }

  private leave(key: string, what: string, message: string): void {
    const where = [...this.path, key];
    this.left.push({
      code: 'not_taken_over',
      message: `${this.id}: ${what}: ${message}`,
      field: [...this.path, what].join('.'),
      hint: 'see whether the trunks need it, then edit the written file',
      place: this.placeOf(where),
    });
  }

  private textOf(key: string): string | null {
    const value = this.entry[key];
    if (value === undefined || value === null || value === '') return null;
    if (typeof value === 'string') return value.trim();
    this.wrong([key], 'is not a text', 'write it in quotes');
    return null;
  }

  private facts(): PanelFacts {
    const authType = this.textOf('auth_type') ?? 'credential';
    if (authType !== 'credential' && authType !== 'ip')
      this.wrong(['auth_type'], `'${authType}' is not one of credential, ip`, 'write one of them');
    const host = this.textOf('default_server');
    const isPattern = host !== null && /[{<]/.test(host);
    const checked = host === null || isPattern ? null : rule.host(host);
    if (checked?.ok === false)
      this.wrong(['default_server'], checked.message, checked.hint ?? 'write a host name or an address');
    const facts: PanelFacts = {
      ...{ authType: authType === 'ip' ? 'ip' : 'credential', host: checked?.ok ? checked.value : null },
      ...{
        port: this.port(),
        transports: null,
        codecs: null,
        expiry: null,
        qualifyFrequency: null,
        realm: null,
      },
      ...{
        fromUser: null,
        pai: false,
        rpid: false,
        t38: false,
        srtp: false,
        dtmf: null,
        networks: [],
        asterisk: {},
      },
    };
    if (isPattern)
      this.leave('default_server', 'default_server', 'each trunk has a host of its own: give --host');
    this.apply(
      'default_transport',
      { section: 'endpoint', option: 'transport', value: this.textOf('default_transport') ?? '' },
      facts,
    );
    this.apply('default_codecs', { section: 'endpoint', option: 'allow', value: this.codecWords() }, facts);
    return facts;
  }

  private port(): number {
    const value = this.entry.default_port ?? 5060;
    const parsed = rule.port(String(value));
    if (!parsed.ok) this.wrong(['default_port'], parsed.message, 'write a number from 1 to 65535');
    return parsed.ok ? parsed.value : 5060;
  }

  private codecWords(): string {
    const value = this.entry.default_codecs;
    return Array.isArray(value) ? value.join(',') : (this.textOf('default_codecs') ?? '');
  }

  private apply(key: string, option: PanelOption, facts: PanelFacts): void {
    const fault = option.value === '' ? null : takeOption(option, facts);
    if (fault !== null) this.leave(key, key === option.section ? `${key}.${option.option}` : key, fault);
  }

  private required(facts: PanelFacts): string[] {
    const fields = new Set<string>(facts.authType === 'credential' ? ['username', 'password'] : []);
    for (const word of this.words('required_fields')) {
      const variable = panelVariable(word);
      if (variable === 'id' || (variable === 'host' && facts.host !== null)) continue;
      if (variable !== undefined && variable in trunk.fields) fields.add(variable);
      else this.leave('required_fields', 'required_fields', `nothing of a trunk is called '${word}'`);
    }
    for (const word of this.words('optional_fields'))
      if (panelVariable(word) === undefined && !(word in trunk.fields))
        this.leave('optional_fields', 'optional_fields', `nothing of a trunk is called '${word}'`);
    return [...fields];
  }

  private words(key: string): string[] {
    const value = this.entry[key] ?? [];
    if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
    this.wrong([key], 'is not a list of names', 'write ["trunk_name", "username", "password"]');
    return [];
  }

  private takeSections(facts: PanelFacts): void {
    for (const name of sectionNames.filter((one) => this.has(one))) {
      const section = readPanelSection(name, this.entry[name]);
      if (section === null) {
        this.wrong(
          [name],
          'is neither lines of pjsip.conf nor a block of options',
          'write "type=endpoint\\n…" or {"context": …}',
        );
        continue;
      }
      for (const one of section.left)
        this.leave(name, [one.section, one.option].filter(Boolean).join('.'), one.message);
      for (const option of joined(section.options)) this.takeIn(name, option, facts);
    }
  }

  private takeIn(name: string, option: PanelOption, facts: PanelFacts): void {
    const what = `${option.section}.${option.option}`;
    const fault = this.sectionFault(option.section, facts) ?? takeOption(option, facts);
    if (fault !== null) this.leave(name, what, fault);
  }

  private sectionFault(section: string, { authType }: PanelFacts): string | null {
    if (!sectionNames.includes(section)) return 'a trunk has no section of this type';
    const isAccount = ['registration', 'auth'].includes(section);
    return isAccount && authType === 'ip' ? 'a trunk by address neither registers nor signs in' : null;
  }

  private has(name: string): boolean {
    const value = this.entry[name];
    return value !== undefined && value !== null && value !== '';
  }

  // What every template says anyway is left out, and what Asterisk would not take is told instead of written.
  private written(facts: PanelFacts, required: string[], source: string, request: LintRequest): string {
    const head = `# Taken from ${source.split('/').at(-1)}. Check it with: sipctl provider lint\n`;
    const file = this.file(facts, required, source, request.today);
    const yaml = (asterisk: PanelFacts['asterisk']): string =>
      head + stringify(Object.keys(asterisk).length === 0 ? file : { ...file, asterisk }, { lineWidth: 0 });
    const bare = readProvider({ name: `${this.id}.yaml`, text: yaml({}) }, request.base, 'overlay').template;
    const wanted: PanelFacts['asterisk'] = {};
    for (const [section, option, given] of optionsOf(facts.asterisk)) {
      const value = plainValue(section, option, given, request);
      const fault = this.optionFault(yaml({ [section]: { [option]: value } }), request);
      if (fault !== null) this.leave(section, `${section}.${option}`, fault);
      else if (bare?.asterisk[section]?.[option] !== value)
        wanted[section] = { ...wanted[section], [option]: value };
    }
    return yaml(wanted);
  }

  private optionFault(text: string, request: LintRequest): string | null {
    const found = lintTemplate(text, `${this.id}.yaml`, request).errors.find(({ field }) =>
      field?.startsWith('asterisk.'),
    );
    return found === undefined
      ? null
      : found.message.slice(found.message.indexOf(`${found.field}: `) + `${found.field}: `.length);
  }

  private file(
    facts: PanelFacts,
    required: string[],
    source: string,
    today: string,
  ): Record<string, unknown> {
    const { authType, host, transports, port } = facts;
    const isTold = ['endpoint', 'aor', 'registration'].some((name) => this.has(name));
    const registers = authType === 'credential' && (this.has('registration') || !isTold);
    const needed = [
      ...(host === null ? ['host'] : []),
      ...(authType === 'ip' && facts.networks.length === 0 ? ['networks'] : []),
    ];
    const optional = {
      realm: facts.realm,
      networks:
        facts.networks.length > 0 ? { source: this.docs(source), read: today, cidrs: facts.networks } : null,
      from_user: facts.fromUser ?? (this.has('endpoint') ? 'caller' : null),
      caller_id: this.has('endpoint') ? { pai: facts.pai, rpid: facts.rpid } : null,
      ...{ codecs: facts.codecs, dtmf: facts.dtmf, srtp: facts.srtp ? 'required' : null },
      ...{ t38: facts.t38 ? true : null, qualify_frequency: facts.qualifyFrequency, notes: this.notes() },
      ports: port === 5060 ? null : portsOf(transports ?? ['udp'], port),
    };
    return {
      ...{
        id: this.id,
        display_name: this.textOf('display_name') ?? this.id,
        docs: this.docs(source),
        verified: today,
      },
      ...{ auth_types: [authType], transports: transports ?? ['udp'] },
      ...(host === null ? {} : { hosts: [{ host, region: 'main' }] }),
      required_fields: { [authType]: [...new Set([...needed, ...required])] },
      registration: registers
        ? { mode: 'optional', ...(facts.expiry === null ? {} : { expiry: facts.expiry }) }
        : { mode: 'none' },
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null)),
    };
  }

  private docs(source: string): string {
    const key = told.find((one) => typeof this.entry[one] === 'string' && this.entry[one] !== '');
    return key === undefined ? (source.split('/').at(-1) as string) : (this.entry[key] as string);
  }

  private notes(): string[] | null {
    const lines: string[] = [];
    for (const key of ['description', 'notes']) {
      const given = [this.entry[key] ?? []].flat();
      for (const line of given.flatMap((note) => String(note).split(/\s*\n\s*/)).filter(Boolean)) {
        if (rule.text(500)(line).ok) lines.push(line);
        else this.leave(key, key, 'a line of it is too long, or holds what cannot be shown');
      }
    }
    return lines.length === 0 ? null : lines;
  }
}

const optionsOf = (sections: PanelFacts['asterisk']): [section: string, option: string, value: string][] =>
  Object.entries(sections).flatMap(([section, options]) =>
    Object.entries(options).map(([option, value]): [string, string, string] => [section, option, value]),
  );

// Asterisk adds these up where they stand on several lines.
function joined(options: readonly PanelOption[]): PanelOption[] {
  const adding = ['endpoint.allow', 'identify.match'];
  const result: PanelOption[] = [];
  for (const option of options) {
    const twin = result.find((one) => one.section === option.section && one.option === option.option);
    const name = `${option.section}.${option.option}`;
    if (twin === undefined || name === 'endpoint.set_var') result.push({ ...option });
    else twin.value = adding.includes(name) ? `${twin.value},${option.value}` : option.value;
  }
  return result;
}

function portsOf(transports: readonly string[], port: number): Record<string, number> {
  const isOnlyTls = transports.every((one) => one === 'tls');
  return isOnlyTls ? { tls: port } : { udp: port, tcp: port, tls: 5061 };
}

function plainValue(section: string, option: string, value: string, { options }: LintRequest): string {
  if (options[section]?.[option]?.kind !== 'boolean') return value;
  if (/^(?:yes|y|true|t|1|on)$/i.test(value)) return 'yes';
  return /^(?:no|n|false|f|0|off)$/i.test(value) ? 'no' : value;
}

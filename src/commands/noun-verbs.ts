import type { App } from '../app.ts';
import type { Problem } from '../errors.ts';
import { Complaints } from '../errors.ts';
import { commandOf, type Noun, pluralOf, titleOf, type Value } from '../model/field.ts';
import { isLabelled } from '../model/labelled.ts';
import type { Catalog } from '../model/template.ts';
import { displayObject, displayObjects } from '../report/objects.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Stored } from '../store/rows.ts';
import type { Patch, Writer } from '../store/writer.ts';
import { applyAfterWrite } from './apply-after-write.ts';
import type { Input, OptionSpec, Result, Run, VerbGroup, VerbSpec } from './command.ts';
import { camel, fieldOptions, missingFields, missingProblems, oneOf, readPatch } from './noun-input.ts';
import { remove } from './noun-remove.ts';
import { refOf } from './object-ref.ts';

/** What is special about one noun; everything else is the same for all of them. */
export interface NounCommand {
  noun: Noun;
  summary: string;
  /** Fields that `list` shows after the name. */
  listed: readonly string[];
  examples?: readonly string[];
  /** What a complete object's values mean together. */
  check?: (values: Stored, catalog: Catalog, ref: ObjectRef) => Problem[];
  needsCatalog?: boolean;
  /** What the object means to the rest of its tenant. Warnings do not stop it. */
  checkAround?: (draft: ObjectDraft, app: App) => Promise<Findings>;
  /** What else is written with the object, in the same transaction. */
  alongside?: (writer: Writer, ref: ObjectRef, values: Patch) => Promise<void>;
  /** What to say of an object that was written and is in use. */
  warnings?: (app: App, ref: ObjectRef) => Promise<Problem[]>;
  /** Fields of `show` that are worked out: where each value comes from. */
  effective?: (object: Stored, app: App) => Promise<Record<string, { value: Value; origin: string }>>;
  /** Asks for what is missing where a person can be asked. */
  ask?: (
    app: App,
    ref: ObjectRef,
    values: Record<string, Value>,
    missing: readonly string[],
  ) => Promise<void>;
  /** More verbs than the usual ones. */
  more?: readonly (VerbSpec | VerbGroup)[];
}

/** An object as it would be written. */
export interface ObjectDraft {
  noun: Noun;
  ref: ObjectRef;
  values: Stored;
  /** Fields of an object that is there already to which this command gives a value. */
  changed: readonly string[];
}

export interface Findings {
  problems: readonly Problem[];
  warnings: readonly Problem[];
}

const applyOption: OptionSpec = ['--apply', 'plan and apply at once'];
const unsetOption: OptionSpec = ['--unset <fields>', 'set fields back to their default, separated by commas'];
const allTenants: OptionSpec = ['--all-tenants', 'of every tenant'];
const revealOption: OptionSpec = ['--reveal', 'show secrets; leaves an audit row'];

/** A noun with the verbs that every noun has. */
export function nounCommand(command: NounCommand): VerbGroup {
  const { noun } = command;
  const name = `<${noun.key}>`;
  const fields = fieldOptions(noun);
  const write = [...fields, applyOption];
  const verbs: (VerbSpec | VerbGroup)[] = [
    { name: 'list', summary: `list ${pluralOf(noun)}`, options: listOptions(noun), run: list(command) },
    { name: 'show', summary: `show ${oneOf(noun)}`, args: name, options: [revealOption], run: show(command) },
    {
      name: 'add',
      summary: `add ${oneOf(noun)} that does not exist yet`,
      args: name,
      options: write,
      examples: command.examples ?? [],
      run: add(command),
    },
    {
      name: 'set',
      summary: `change ${oneOf(noun)} that exists`,
      args: name,
      options: [...write, unsetOption],
      run: set(command),
    },
    {
      name: 'ensure',
      summary: 'add or change; repeating it changes nothing',
      args: name,
      options: [...write, unsetOption],
      run: ensure(command),
    },
    {
      name: 'remove',
      summary: `remove ${oneOf(noun)}`,
      args: name,
      options: [
        ['--cascade', 'remove what refers to it, too, and take it out of what names it'],
        applyOption,
      ],
      run: remove(noun),
    },
    {
      name: 'enable',
      summary: `render ${oneOf(noun)} again`,
      args: name,
      options: [applyOption],
      run: enable(command, true),
    },
    {
      name: 'disable',
      summary: `keep ${oneOf(noun)}, but do not render it`,
      args: name,
      options: [applyOption],
      run: enable(command, false),
    },
    ...(command.more ?? []),
  ];
  return { name: commandOf(noun).split(' ').at(-1) as string, summary: command.summary, verbs };
}

const listOptions = (noun: Noun): OptionSpec[] => [
  ...(noun.tenantScoped ? [allTenants] : []),
  ...('labels' in noun.fields ? ([['--label <label>', 'only those with this label']] as const) : []),
];

const list =
  ({ noun, listed }: NounCommand): Run =>
  async (app, { options }) => {
    const store = await app.store();
    const everywhere = !noun.tenantScoped || options.allTenants === true;
    const found = await store.records.list(noun, { tenant: everywhere ? null : app.config.tenant });
    const objects = (found as unknown as Stored[]).filter(({ labels }) => isLabelled(labels, options.label));
    const shown = everywhere && noun.tenantScoped ? ['tenant', ...listed] : listed;
    return {
      data: { [camel(noun.table.replaceAll('_', '-'))]: objects, count: objects.length },
      text: (style) =>
        displayObjects(noun, objects, shown, style) +
        (everywhere ? '' : otherTenants(app, noun, objects.length)),
    };
  };

const otherTenants = (app: App, noun: Noun, count: number): string =>
  count === 0
    ? `no ${pluralOf(noun)} in tenant '${app.config.tenant}': --tenant names another one, --all-tenants shows all\n`
    : '';

const show =
  (command: NounCommand): Run =>
  async (app, input) => {
    const { noun } = command;
    const store = await app.store();
    const ref = refOf(noun, app, input);
    const object = (await store.records.get(noun, ref)) as unknown as Stored;
    const effective = (await command.effective?.(object, app)) ?? {};
    const shown = input.options.reveal === true ? revealed(noun, object) : object;
    if (input.options.reveal === true) {
      const tenant = noun.tenantScoped ? ref.tenant : null;
      await store.audit({ action: 'reveal', noun: noun.name, tenant, name: ref.name, detail: {} });
    }
    const hasEffective = Object.keys(effective).length > 0;
    return {
      data: { [noun.name]: shown, ...(hasEffective ? { effective } : {}) },
      text: (style) => displayObject(noun, shown, effective, style),
    };
  };

function revealed(noun: Noun, object: Stored): Stored {
  const copy = { ...object };
  for (const [name, field] of Object.entries(noun.fields)) {
    const value = object[name];
    if (field.kind === 'secret' && typeof value === 'object' && value !== null && 'reveal' in value)
      copy[name] = value.reveal();
  }
  return copy;
}

const add =
  (command: NounCommand): Run =>
  async (app, input) => {
    const ref = refOf(command.noun, app, input);
    const { values, warnings } = await newValues(command, app, input, ref);
    const work = async (writer: Writer): Promise<Done> => {
      await writer.add(command.noun, ref, values);
      await command.alongside?.(writer, ref, values);
      return 'added';
    };
    return written(command, app, input, { ref, warnings, work });
  };

const set =
  (command: NounCommand): Run =>
  async (app, input) => {
    const ref = refOf(command.noun, app, input);
    const { values, warnings } = await changedValues(command, app, input, ref);
    return written(command, app, input, {
      ref,
      warnings,
      work: (writer) => change(command, writer, ref, values),
    });
  };

const ensure =
  (command: NounCommand): Run =>
  async (app, input) => {
    const ref = refOf(command.noun, app, input);
    const store = await app.store();
    if ((await store.records.find(command.noun, ref)) === null) return add(command)(app, input);
    // A password is made once: to repeat the command is to change nothing.
    const { generatePassword: _, ...options } = input.options;
    return set(command)(app, { ...input, options });
  };

const enable =
  (command: NounCommand, enabled: boolean): Run =>
  async (app, input) => {
    const ref = refOf(command.noun, app, input);
    return written(command, app, input, {
      ref,
      warnings: [],
      work: (writer) => change(command, writer, ref, { enabled }),
    });
  };

type Done = 'added' | 'changed' | 'unchanged';

async function change(command: NounCommand, writer: Writer, ref: ObjectRef, patch: Patch): Promise<Done> {
  const differs = await writer.set(command.noun, ref, patch);
  await command.alongside?.(writer, ref, patch);
  return differs ? 'changed' : 'unchanged';
}

/** Values that nothing speaks against, and what is to be said of them all the same. */
interface Checked {
  values: Record<string, Value>;
  warnings: readonly Problem[];
}

async function newValues(command: NounCommand, app: App, input: Input, ref: ObjectRef): Promise<Checked> {
  const { noun } = command;
  const complaints = new Complaints();
  const values = await readPatch(noun, input, app, complaints);
  for (const [name, field] of Object.entries(noun.fields)) values[name] ??= field.initial ?? null;
  const missing = missingFields(noun, values);
  if (app.terminal.interactive && complaints.problems.length === 0)
    await command.ask?.(app, ref, values, missing);
  missingProblems(noun, values, complaints);
  const draft = { noun, ref, values: values as Stored, changed: [] };
  const warnings = await checkTogether(command, app, draft, complaints);
  complaints.throwIfAny();
  return { values, warnings };
}

async function changedValues(command: NounCommand, app: App, input: Input, ref: ObjectRef): Promise<Checked> {
  const { noun } = command;
  const complaints = new Complaints();
  const values = await readPatch(noun, input, app, complaints);
  const store = await app.store();
  const before = (await store.records.get(noun, ref)) as unknown as Stored;
  const draft = { noun, ref, values: { ...before, ...values } as Stored, changed: Object.keys(values) };
  const warnings = await checkTogether(command, app, draft, complaints);
  complaints.throwIfAny();
  return { values, warnings };
}

async function checkTogether(
  command: NounCommand,
  app: App,
  draft: ObjectDraft,
  complaints: Complaints,
): Promise<readonly Problem[]> {
  const catalog = command.needsCatalog === true ? await app.catalog() : emptyCatalog;
  const own = command.check?.(draft.values, catalog, draft.ref) ?? [];
  const around = await command.checkAround?.(draft, app);
  // What is wrong with one value says enough: its absence is not complained of a second time.
  const complained = new Set(complaints.problems.map(({ field }) => field));
  for (const problem of [...own, ...(around?.problems ?? [])])
    if (!complained.has(problem.field)) complaints.add(problem);
  return around?.warnings ?? [];
}

const emptyCatalog: Catalog = { providers: new Map(), users: new Map(), digest: '' };

interface WriteWork {
  ref: ObjectRef;
  work: (writer: Writer) => Promise<Done>;
}

async function written(
  command: NounCommand,
  app: App,
  input: Input,
  { ref, warnings, work }: Pick<Checked, 'warnings'> & WriteWork,
): Promise<Result> {
  const { noun } = command;
  const store = await app.store();
  const done = await store.write(work);
  const object = (await store.records.get(noun, ref)) as unknown as Stored;
  const result: Result = {
    changed: done !== 'unchanged',
    data: { [noun.name]: object },
    text: (style) => `${titleOf(noun)} ${style.bold(ref.name)} ${done}\n`,
    warnings: [...warnings, ...(done === 'unchanged' ? [] : ((await command.warnings?.(app, ref)) ?? []))],
  };
  return applyAfterWrite(app, input, result);
}

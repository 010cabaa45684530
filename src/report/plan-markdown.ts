import type { Problem } from '../errors.ts';
import { titleOf } from '../model/field.ts';
import { changedObjects, countObjects } from '../plan/diff.ts';
import { countEdits, type ObjectEdit, type SiteChange } from '../plan/edits.ts';
import { type Action, isPending, type NodePlan, type ObjectChange } from '../plan/plan.ts';
import { isServicePending, resourceTitle, type ServicePlan } from '../plan/service-plan.ts';
import type { Plan } from '../plan/site-plan.ts';
import { optionLine } from './hosted-services.ts';
import { fieldText } from './site-change.ts';

/** What a comment on a change request shows. */
export interface Shown {
  /** What site files change in the database, where a plan is made of some. */
  change?: SiteChange;
  plan: Plan | null;
  /** Lines that differ, by node; secrets are hidden. */
  diffs: ReadonlyMap<string, string>;
  warnings: readonly Problem[];
}

/** Bytes that a comment has at most: GitHub takes 65,536 characters, and GitLab more. */
const largest = 60_000;

/** Rows of one table; what is more is counted. */
const rows = 100;

const signs: Record<Action, string> = { create: '➕', update: '✏️', delete: '❌' };

/** A plan as Markdown: what changes in sum, each tenant's objects, what is refused, and the lines that differ, folded. */
export function planMarkdown(shown: Shown): string {
  const { change, plan, warnings } = shown;
  const parts = [
    `### sipctl plan\n\n${summary(shown)}\n`,
    refused(plan),
    ...(change === undefined || change.edits.length === 0 ? [] : [database(change)]),
    ...(plan?.nodes.filter(isPending).map(node) ?? []),
    ...(plan?.services.filter(isServicePending).map(service) ?? []),
    listOf('Warnings', warnings.map(complaint)),
  ];
  return withDiffs(parts.filter((part) => part !== '').join('\n'), shown);
}

function summary({ change, plan }: Shown): string {
  const lines: string[] = [];
  if (change !== undefined) {
    const { create, update, delete: gone } = countEdits(change);
    lines.push(
      `**Database**: ${create} to add, ${update} to change, ${gone} to remove, ${change.unchanged} unchanged.`,
    );
  }
  const pending = plan?.nodes.filter(isPending) ?? [];
  const counts = pending.map((one) => countObjects(one.changes));
  const sum = (action: Action): number => counts.reduce((total, one) => total + one[action], 0);
  const on = pending.length === 1 ? '1 node' : `${pending.length} nodes`;
  if (pending.length > 0)
    lines.push(
      `**Nodes**: ${sum('create')} to create, ${sum('update')} to change, ${sum('delete')} to delete on ${on}.`,
    );
  const services = plan?.services.filter(isServicePending) ?? [];
  if (services.length > 0) lines.push(`**Services**: ${services.length} to change.`);
  if (plan !== null && pending.length + services.length === 0) lines.push('**Nodes**: nothing to do.');
  return lines.join('\n');
}

function refused(plan: Plan | null): string {
  if (plan === null) return '';
  const all = [
    ...plan.nodes.flatMap(({ node: on, refusals }) => refusals.map((refusal) => ({ on, ...refusal }))),
    ...plan.services.flatMap(({ service: on, refusals }) => refusals.map((refusal) => ({ on, ...refusal }))),
  ];
  const failures = [
    ...plan.failures.map(({ node: on, error }) => ({ on, message: (error as Error).message })),
    ...plan.serviceFailures.map(({ service: on, error }) => ({ on, message: (error as Error).message })),
  ];
  return [
    listOf(
      'Refused',
      all.map(({ on, message, hint }) => `${code(on)}: ${text(message)}; ${text(hint)}`),
    ),
    listOf(
      'Not planned',
      failures.map(({ on, message }) => `${code(on)}: ${text(message)}`),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

const database = (change: SiteChange): string =>
  `#### Database\n\n${table(
    ['', 'Tenant', 'Object', 'Change'],
    change.edits.map((edit) => [signs[edit.action], tenantOf(edit), objectOf(edit), fieldsOf(edit)]),
  )}`;

const tenantOf = ({ noun, tenant, name }: ObjectEdit): string =>
  noun.name === 'tenant' ? code(name) : tenant === null ? '' : code(tenant);

const objectOf = ({ noun, name }: ObjectEdit): string => `${titleOf(noun)} ${code(name)}`;

const fieldsOf = ({ action, fields }: ObjectEdit): string =>
  few(fields.map((field) => code(fieldText(action, field))));

function node(plan: NodePlan): string {
  const reload = plan.reload.map((step) =>
    step.kind === 'reload-module' ? `reload ${step.module}` : `${step.kind} ${step.registration}`,
  );
  const head = `#### Node ${code(plan.node)}: generation ${plan.base} → next\n\nReload: ${reload.length === 0 ? 'none' : few(reload.map(code))}\n\n`;
  const objects = changedObjects(plan.changes);
  if (objects.length === 0) return `${head}Delivered before, and never verified.\n`;
  return head + table(['', 'Tenant', 'Object', 'Change'], objects.map(objectRow));
}

const objectRow = ({ action, tenant, kind, name, options }: ObjectChange): string[] => [
  signs[action],
  code(tenant),
  `${text(kind)} ${code(name)}`,
  few(options.map((option) => code(optionLine(option).trim()))),
];

const service = (plan: ServicePlan): string =>
  `#### ${text(plan.service)}\n\n${table(
    ['', 'Resource', 'Change'],
    plan.changes.map((change) => [
      signs[change.action],
      code(resourceTitle(change)),
      few(change.options.map((option) => code(optionLine(option).trim()))),
    ]),
  )}`;

function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const shown = lines.slice(0, rows).map((cells) => `| ${cells.join(' | ')} |\n`);
  const rest = lines.length - shown.length;
  return `| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}\n${shown.join('')}${rest > 0 ? `\n… and ${rest} more\n` : ''}`;
}

const listOf = (title: string, lines: readonly string[]): string =>
  lines.length === 0
    ? ''
    : `#### ${title}\n\n${lines
        .slice(0, rows)
        .map((line) => `- ${line}\n`)
        .join('')}${lines.length > rows ? `- … and ${lines.length - rows} more\n` : ''}`;

const complaint = ({ message, hint, place }: Problem): string =>
  `${place === undefined ? '' : `${code(`${place.source}:${place.line}`)} `}${text(message)}${hint === undefined ? '' : ` (${text(hint)})`}`;

/** A cell holds a few parts. */
const most = 12;
const few = (parts: readonly string[]): string =>
  parts.slice(0, most).join(', ') + (parts.length > most ? ` … and ${parts.length - most} more` : '');

/** As code, so that nothing in it is a mention, a link or a tag; a bar would end the cell also there. */
function code(value: string): string {
  const short = value.length > 200 ? `${value.slice(0, 200)}…` : value;
  return `\`${short.replace(/`/g, 'ˋ').replace(/\|/g, '\\|').replace(/\s+/g, ' ')}\``;
}

// A mark of Markdown that means something is escaped; an at sign would call people.
const text = (value: string): string =>
  value
    .replace(/[\\`*_{}[\]<>#|~]/g, '\\$&')
    .replace(/@/g, '@\u200b')
    .replace(/\s+/g, ' ');

/** Adds the lines that differ as long as there is room, and cuts what is too long all the same. */
function withDiffs(head: string, { diffs }: Shown): string {
  let markdown = cut(head, largest - 200, '\n\n… cut: sipctl plan shows all of it.\n');
  for (const [name, diff] of diffs) {
    if (diff === '') continue;
    const body = diff.replace(/^ {2}/gm, '');
    const fence = '`'.repeat(Math.max(3, ...[...body.matchAll(/`+/g)].map(([run]) => run.length + 1)));
    const open = `\n<details><summary>Lines that differ on ${text(name)}</summary>\n\n${fence}diff\n`;
    const close = `${fence}\n\n</details>\n`;
    const room = largest - 200 - bytes(markdown) - bytes(open) - bytes(close);
    if (room < 200)
      return `${markdown}\nThe lines that differ do not all fit here: sipctl plan --diff shows them.\n`;
    markdown += open + cut(body, room, '\n… cut: sipctl plan --diff shows all of it\n') + close;
  }
  return markdown;
}

const bytes = (value: string): number => new TextEncoder().encode(value).length;

/** At most so many bytes, in whole lines. */
function cut(value: string, most: number, note: string): string {
  if (bytes(value) <= most) return value;
  let kept = '';
  let size = bytes(note);
  for (const line of value.split('\n')) {
    size += bytes(line) + 1;
    if (size > most) break;
    kept += `${line}\n`;
  }
  return kept.trimEnd() + note;
}

import { plain, type Style } from './style.ts';
import { table } from './table.ts';

export interface ShownStatus {
  node: string;
  place: string;
  generation: number;
  verified: boolean | null;
  pending: boolean;
  engine: { kind: string; version: string } | null;
  states: readonly { id: string; kind: 'registration' | 'endpoint'; state: string; contacts: number }[];
  error: { message: string } | null;
}

/** How every node stands, and what its trunks and users are doing. */
export function statusText(nodes: readonly ShownStatus[], style: Style = plain): string {
  return nodes.map((node) => nodeText(node, style)).join('\n');
}

function nodeText(status: ShownStatus, style: Style): string {
  const proved =
    status.verified === null
      ? style.warn('delivered')
      : status.verified
        ? style.good('verified')
        : style.bad('not verified');
  const pending = status.pending ? style.warn('changes pending: sipctl plan') : style.good('up to date');
  const head = `${style.bold(status.node)} (${status.place}): generation ${status.generation}, ${proved}, ${pending}\n`;
  if (status.error !== null) return `${head}  ${style.bad('not reached')}: ${status.error.message}\n`;
  if (status.engine === null) return head;
  const engine = `  ${status.engine.kind} ${status.engine.version}\n`;
  const rows = table(
    status.states,
    [
      { title: 'NAME', value: ({ id }) => id },
      { title: 'KIND', value: ({ kind }) => kind },
      {
        title: 'STATE',
        value: ({ state }) => state,
        style: ({ state }) =>
          /^(Registered|Not in use|In use|Ringing)/i.test(state) ? style.good : style.warn,
      },
      {
        title: 'CONTACTS',
        value: ({ kind, contacts }) => (kind === 'endpoint' ? String(contacts) : '-'),
        align: 'right',
      },
    ],
    style,
  );
  return `${head}${engine}${status.states.length === 0 ? '' : rows.replace(/^/gm, '  ').trimEnd()}\n`;
}

import type { Problem } from '../errors.ts';
import { plain, type Style } from './style.ts';

/** One thing that was looked at, as a back-end reports it. */
export interface ShownCheck {
  name: string;
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  message: string;
  hint?: string;
}

const order = ['failed', 'warning', 'ok', 'skipped'] as const;

/** The gravest status of all. */
export const worst = (checks: readonly ShownCheck[]): ShownCheck['status'] =>
  order.find((status) => checks.some((check) => check.status === status)) ?? 'ok';

/** The checks that failed, as the errors that a command ends with. */
export const failures = (checks: readonly ShownCheck[], prefix = ''): Problem[] =>
  checks
    .filter(({ status }) => status === 'failed')
    .map(({ name, message, hint }) => ({
      code: 'check_failed',
      message: `${prefix}${name}: ${message}`,
      ...(hint === undefined ? {} : { hint }),
    }));

/** One line for each check, and its remedy below it where there is one. */
export function checks(node: string, found: readonly ShownCheck[], style: Style = plain): string {
  const marks = {
    ok: style.good('ok     '),
    warning: style.warn('warning'),
    failed: style.bad('failed '),
    skipped: style.dim('skipped'),
  };
  const lines = found.map(({ name, status, message, hint }, at) => {
    // One remedy mends several things: it is said below the last of them.
    const again = found[at + 1]?.hint === hint && found[at + 1]?.status === status;
    const remedy =
      hint === undefined || status === 'ok' || again ? '' : `\n${hint.replace(/^/gm, '           ')}`;
    return `  ${marks[status]}  ${name}: ${message}${remedy}\n`;
  });
  return `${style.bold(node)}\n${lines.join('')}`;
}

import { type Outcome, SipctlError } from '../errors.ts';
import type { Result } from './command.ts';

/** How a command ends whose nodes had these errors; nothing to add where there was none. */
export function endedBy(errors: readonly SipctlError[]): Pick<Result, 'outcome' | 'errors'> {
  if (errors.length === 0) return {};
  return { outcome: gravest(errors), errors: errors.flatMap((error) => error.problems) };
}

/** One exit code for several nodes: a failed roll-back is said before all else. */
function gravest(errors: readonly SipctlError[]): Outcome {
  const order: Outcome[] = [
    ...(['rollbackFailed', 'notVerified', 'interrupted'] as const),
    ...(['unreachable', 'conflict', 'refused'] as const),
  ];
  return (
    order.find((outcome) => errors.some((error) => error.outcome === outcome)) ??
    errors[0]?.outcome ??
    'failed'
  );
}

/** What Ctrl-C left undone. @param left names of nodes and services where nothing was begun */
export const interruption = (left: readonly string[]): SipctlError =>
  new SipctlError('interrupted', {
    code: 'interrupted',
    message:
      left.length === 0
        ? 'interrupted: the step at work came to its end'
        : `interrupted before anything was put in force on ${left.join(', ')}`,
    hint: 'sipctl plan shows what is left to do',
  });

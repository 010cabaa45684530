import type { Dialled } from '../../../model/flow/call-flow.ts';
import { dialled, type Extension, extension, transfer } from './dialplan.ts';
import { inChunks } from './numbers.ts';
import { type Plan, userOf } from './plan.ts';

/**
 * The extensions for all that can be dialled, in its order. Users that stand side by side, each under the own extension,
 * share one: a call is held against one expression and not against one for each of them, and the file is half as large.
 */
export function withUsersTogether(
  plan: Plan,
  all: readonly Dialled[],
  other: (one: Dialled) => Extension[],
): Extension[] {
  const extensions: Extension[] = [];
  let users: string[] = [];
  const close = (): void => {
    for (const expression of inChunks(users))
      extensions.push(
        extension('users', [dialled(expression, [transfer(plan.names.context('users'), '$1')])]),
      );
    users = [];
  };
  for (const one of all) {
    if (isOwnExtension(plan, one)) users.push(one.pattern.literal);
    else {
      close();
      extensions.push(...other(one));
    }
  }
  close();
  return extensions;
}

const isOwnExtension = (plan: Plan, { action, pattern }: Dialled): boolean =>
  action.kind === 'reach' &&
  action.to.kind === 'user' &&
  !pattern.more &&
  pattern.anyDigits === 0 &&
  pattern.literal === userOf(plan, action.to.name).extension;

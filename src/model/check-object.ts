import type { Problem } from '../errors.ts';
import { checkTrunk, checkUser, type TrunkValues, type UserValues } from './check.ts';
import {
  checkConference,
  checkGroup,
  checkIvr,
  checkNumber,
  checkSchedule,
  checkUserCalls,
} from './check-calls.ts';
import { checkNode } from './check-node.ts';
import type { Noun, Value } from './field.ts';
import type { Catalog } from './template.ts';
import { accountProblems } from './twilio/account.ts';

export type ObjectValues = Readonly<Record<string, Value>>;

type Check = (values: ObjectValues, name: string, catalog: Catalog) => Problem[];

/** The checks of nouns whose values mean something together; what values are missing is complained of elsewhere. */
const checks: Readonly<Record<string, Check>> = {
  trunk: (values, _, catalog) =>
    (values.provider ?? null) === null ? [] : checkTrunk(values as unknown as TrunkValues, catalog),
  user: (values, name, catalog) => [
    ...checkUser(values as unknown as UserValues, catalog),
    ...checkUserCalls(values, name, catalog.users.get(values.template as string)),
  ],
  number: checkNumber,
  group: checkGroup,
  ivr: checkIvr,
  conference: checkConference,
  schedule: checkSchedule,
  node: checkNode,
  twilioAccount: accountProblems,
};

/** What the values of one object mean together. All complaints at once. */
export const checkObject = (noun: Noun, name: string, values: ObjectValues, catalog: Catalog): Problem[] =>
  checks[noun.name]?.(values, name, catalog) ?? [];

import type { App } from '../app.ts';
import { checkUser, type UserValues } from '../model/check.ts';
import { checkUserCalls, keepsVoicemail } from '../model/check-calls.ts';
import type { Value } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import { resolveUser } from '../model/resolve.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Stored } from '../store/rows.ts';
import { boxProblems, lostBoxProblems } from './call-surroundings.ts';
import { nounCommand } from './noun-verbs.ts';
import { userTest } from './user-test.ts';

/** What is rendered where the user leaves a field open, and who says so. */
async function effective(
  object: Stored,
  app: App,
): Promise<Record<string, { value: Value; origin: string }>> {
  const store = await app.store();
  const user = object as unknown as nouns.User;
  const template = (await app.catalog()).users.get(user.template);
  if (template === undefined) return {};
  const tenant = (await store.records.get(nouns.tenant, {
    tenant: null,
    name: user.tenant,
  })) as unknown as nouns.Tenant;
  const resolved = resolveUser(user, tenant, template) as unknown as Record<string, Value>;
  const origins = {
    codecs: `template ${user.template}`,
    dtmf: 'default',
    maxContacts: `template ${user.template}`,
    qualifyFrequency: `template ${user.template}`,
    context: 'tenant',
    callerId: 'tenant',
  };
  return {
    endpoint: { value: resolved.id ?? null, origin: 'name on the PBX' },
    ...Object.fromEntries(
      Object.entries(origins).map(([field, origin]) => [
        field,
        { value: resolved[field] ?? null, origin: (object[field] ?? null) === null ? origin : 'user' },
      ]),
    ),
    voicemail: {
      value: keepsVoicemail(user, template),
      origin: user.voicemail === null ? `template ${user.template}` : 'user',
    },
  };
}

async function ask(
  app: App,
  ref: ObjectRef,
  values: Record<string, Value>,
  missing: readonly string[],
): Promise<void> {
  if (missing.length === 0) return;
  const catalog = await app.catalog();
  const { askForUser } = await import('./wizard.ts');
  await askForUser(ref.name, values, catalog);
}

export const userCommand = nounCommand({
  noun: nouns.user,
  summary: 'SIP accounts that phones register with',
  listed: ['extension', 'displayName', 'template', 'context', 'createdAt'],
  needsCatalog: true,
  examples: [
    'sipctl user add john_doe --tenant acme --extension 1001 --template basic_user --generate-password',
  ],
  check: (values, catalog, { name }) => [
    ...checkUser(values as unknown as UserValues, catalog),
    ...checkUserCalls(values, name, catalog.users.get(values.template as string)),
  ],
  checkAround: async (draft, app) => ({
    problems: [...(await boxProblems(app, draft)), ...(await lostBoxProblems(app, draft))],
    warnings: [],
  }),
  effective,
  ask,
  more: [userTest],
});

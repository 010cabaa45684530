import type { App } from '../app.ts';
import type { Problem } from '../errors.ts';
import { twilioAccount, twilioTrunk } from '../model/service-nouns.ts';
import { accountProblems } from '../model/twilio/account.ts';
import { visible } from '../report/calls.ts';
import { listing, shown } from '../report/table.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Patch } from '../store/writer.ts';
import type { Run } from './command.ts';
import { nounCommand } from './noun-verbs.ts';
import { accountAsked } from './twilio-scope.ts';

/** What sipctl made is in the account in which it was made: there it is looked for, and taken away. */
export async function moveProblems(app: App, ref: ObjectRef, values: Patch): Promise<Problem[]> {
  const store = await app.store();
  const before = await store.records.find(twilioAccount, ref);
  if (before === null || values.accountSid === undefined || values.accountSid === before.accountSid)
    return [];
  const tenant = ref.tenant as string;
  const trunks = await store.records.list(twilioTrunk, { tenant });
  const problems: Problem[] = [];
  for (const { name } of trunks.filter(({ account }) => account === ref.name)) {
    if ((await store.resourceMemory({ kind: 'twilio', tenant, name }).list()).length === 0) continue;
    problems.push({
      code: 'twilio_account_in_use',
      message: `accountSid: Twilio trunk '${name}' is in ${before.accountSid}`,
      field: 'accountSid',
      hint: `add the other account under a name of its own, or first: sipctl twilio destroy ${name} --tenant ${tenant}`,
    });
  }
  return problems;
}

/** Proves that Twilio takes the credentials. */
const verify: Run = async (app, input) => {
  const account = await accountAsked(app, input, input.args[0]);
  const view = await app.twilioView(account);
  const facts = await view.verify(app.signal);
  const isActive = facts.status === null || facts.status === 'active';
  return {
    data: { account: account.name, ...facts },
    text: (style) =>
      `${style.bold(account.name)}: ${style.good('Twilio takes the credentials')}\n${listing(
        [
          ['account', facts.sid],
          ['name', visible(shown(facts.friendlyName))],
          ['status', shown(facts.status)],
          ['type', shown(facts.type)],
        ],
        style,
      )}`,
    warnings: isActive ? [] : [inactive(account.name, facts.status)],
  };
};

const inactive = (name: string, status: string | null): Problem => ({
  code: 'twilio_account_inactive',
  message: `Twilio account '${name}' is ${status}: its trunks carry no calls`,
  hint: 'see the Twilio console',
});

export const twilioAccountCommand = nounCommand({
  noun: twilioAccount,
  summary: 'accounts at Twilio, with their credentials',
  listed: ['accountSid', 'apiKey', 'label'],
  examples: [
    'printf %s "$TWILIO_AUTH_TOKEN" | sipctl twilio account add main --tenant acme --account-sid AC0123456789abcdef0123456789abcdef --auth-token-stdin',
    'sipctl twilio account add main --account-sid AC0123456789abcdef0123456789abcdef --api-key SK0123456789abcdef0123456789abcdef --api-secret env:TWILIO_API_SECRET',
  ],
  check: (values) => accountProblems(values),
  checkAround: async ({ ref, values }, app) => ({
    problems: await moveProblems(app, ref, values),
    warnings: [],
  }),
  more: [
    { name: 'verify', summary: 'ask Twilio whether it takes the credentials', args: '[name]', run: verify },
  ],
});

import type { Problem } from '../errors.ts';
import type { Value } from '../model/field.ts';
import { twilioAccount } from '../model/service-nouns.ts';
import { listing, shown } from '../report/table.ts';
import type { Run } from './command.ts';
import { nounCommand } from './noun-verbs.ts';
import { accountAsked } from './twilio-scope.ts';

/** An account signs in with its auth token, or with an API key and its secret. */
export function accountProblems(values: Readonly<Record<string, Value>>): Problem[] {
  const has = (name: string): boolean => (values[name] ?? null) !== null;
  if (has('apiKey') !== has('apiSecret')) {
    const [missing, flag] = has('apiKey') ? ['apiSecret', 'api-secret-stdin'] : ['apiKey', 'api-key'];
    const message = `${missing}: an API key goes with its secret`;
    return [{ code: 'missing_api_key', message, field: missing, hint: `give --${flag}` }];
  }
  if (has('authToken') || has('apiKey')) return [];
  return [
    {
      code: 'missing_auth_token',
      message: 'authToken: a Twilio account needs it, or an API key',
      field: 'authToken',
      hint: 'give --auth-token-stdin, --auth-token-file or --auth-token env:NAME; or --api-key and --api-secret-stdin',
    },
  ];
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
          ['name', shown(facts.friendlyName)],
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
  more: [
    { name: 'verify', summary: 'ask Twilio whether it takes the credentials', args: '[name]', run: verify },
  ],
});

import { randomInt } from 'node:crypto';
import type { App } from '../app.ts';
import type { TwilioAccount } from '../model/service-nouns.ts';
import { chooseTrunkNames } from '../model/twilio/names.ts';
import { generateSipPassword } from '../model/twilio/password.ts';
import type { DescribedTwilioTrunk } from '../pipeline/described-services.ts';
import { rehearseService } from '../pipeline/rehearse-service.ts';
import { type Check, checked } from '../platforms/target.ts';
import { checks, failures } from '../report/checks.ts';
import type { Result, Run, VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { accountAsked, accountOption } from './twilio-scope.ts';

type Account = DescribedTwilioTrunk['account'];

const run: Run = async (app, input) => {
  const account = (await accountAsked(app, input, input.args[0] ?? input.options.account)) as Account;
  const isLive = input.options.live === true;
  if (isLive)
    await confirm(app, `Make a trunk in Twilio account ${account.accountSid}, and take it away again?`);
  const found = await looks(app, account);
  const isUsable = found.every(({ status }) => status !== 'failed');
  if (isUsable && isLive) found.push(...(await rehearsed(app, account)));
  else if (!isLive) found.push(notLive);
  return resultOf(app, account, found);
};

const notLive: Check = {
  ...{ name: 'make', status: 'skipped', message: 'nothing was made' },
  hint: '--live makes a trunk with everything that belongs to it, and takes it away again; it costs nothing',
};

/** What can be seen without making anything: credentials, and what they may read. */
async function looks(app: App, account: TwilioAccount): Promise<Check[]> {
  const view = await app.twilioView(account);
  const credentials = await checked('credentials', async () => {
    const { status } = await view.verify(app.signal);
    return status === null ? 'Twilio takes them' : `Twilio takes them; the account is ${status}`;
  });
  if (credentials.status === 'failed') return [credentials];
  return [
    credentials,
    await checked('trunks', async () => {
      const ours = (await view.leftovers(app.signal)).filter(({ kind }) => kind === 'trunk');
      return `they can be read; ${ours.length} with a name of sipctl’s`;
    }),
    await checked(
      'numbers',
      async () => `they can be read; ${(await view.numbers(app.signal)).length} bought`,
    ),
  ];
}

/** A trunk of its own names, which no database keeps. */
async function rehearsed(app: App, account: Account): Promise<Check[]> {
  const { tenant } = account;
  const at = app.now().toISOString();
  const common = { id: 0, tenant, name: 'test', enabled: true, createdAt: at, updatedAt: at };
  const described: DescribedTwilioTrunk = {
    ...{ kind: 'twilio', account, numbers: [] },
    trunk: {
      ...{ ...common, ...chooseTrunkNames(tenant, app.now()), sipPassword: generateSipPassword(randomInt) },
      ...{ account: account.name, secure: false, trunk: null },
      ...{ recording: 'do-not-record', trim: 'do-not-trim' },
    },
    originations: [
      { ...common, twilioTrunk: 'test', sipUrl: 'sip:sip.example.com', priority: 10, weight: 10 },
    ],
  };
  const store = await app.store();
  await store.audit({
    ...{ action: 'test', noun: 'twilioAccount', tenant, name: account.name },
    detail: { trunk: described.trunk.friendlyName },
  });
  const found = await rehearseService({
    ...{ salt: store.salt, signal: app.signal },
    open: (isToGo) => app.openService(described, isToGo),
  });
  return found.map((check) =>
    check.status === 'failed' && check.name === 'take away' ? { ...check, hint: leftHint } : check,
  );
}

const leftHint = 'sipctl twilio orphans shows what is left; --remove takes it away';

function resultOf(app: App, account: Account, found: readonly Check[]): Result {
  const title = `twilio ${account.tenant}/${account.name}`;
  const failed = failures(found, `${title}: `);
  return {
    data: { account: account.name, tenant: account.tenant, checks: found },
    text: (style) => checks(title, found, style),
    ...(failed.length > 0 ? { outcome: app.signal.aborted ? 'interrupted' : 'failed', errors: failed } : {}),
  };
}

export const twilioTest: VerbSpec = {
  name: 'test',
  summary: 'try an account: what its credentials may do; with --live, make a trunk and take it away',
  args: '[account]',
  options: [
    accountOption,
    ['--live', 'make a trunk with all that belongs to it, compare it, and take it away again'],
  ],
  examples: ['sipctl twilio test --tenant acme', 'sipctl twilio test --tenant acme --live --yes'],
  run,
};

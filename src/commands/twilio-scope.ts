import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { type TwilioAccount, type TwilioTrunk, twilioAccount, twilioTrunk } from '../model/service-nouns.ts';
import type { PlannedService } from '../pipeline/hosted-services.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Input, OptionSpec } from './command.ts';
import { refOf } from './object-ref.ts';

/** Twilio objects of a tenant that needs only one of each have this name. */
export const usualName = 'main';

export const trunkOption: OptionSpec = [
  '--twilio-trunk <name>',
  'which Twilio trunk; needed where the tenant has several',
];

export const accountOption: OptionSpec = [
  '--account <name>',
  'which Twilio account; needed where the tenant has several',
];

export type StoredTrunk = TwilioTrunk & { tenant: string };

/** The Twilio trunk that a command names, or the tenant's only one. @throws SipctlError `notFound`, `usage` */
export async function trunkAsked(app: App, input: Input, named?: string): Promise<StoredTrunk> {
  const { records } = await app.store();
  const name = named ?? input.options.twilioTrunk;
  if (typeof name === 'string') {
    const ref = refOf(twilioTrunk, app, { ...input, args: [name] });
    return (await records.get(twilioTrunk, ref)) as StoredTrunk;
  }
  const { tenant } = app.config;
  const [only, ...more] = await records.list(twilioTrunk, { tenant });
  if (only === undefined) throw noTrunk(tenant);
  if (more.length > 0)
    throw severalOf(
      'Twilio trunks',
      [only, ...more].map((one) => one.name),
      'behind the verb, or by --twilio-trunk where the verb has it',
    );
  return only as StoredTrunk;
}

/** The Twilio account that `--account` names, or the tenant's only one. @throws SipctlError `notFound`, `usage` */
export async function accountAsked(
  app: App,
  input: Input,
  named = input.options.account,
): Promise<TwilioAccount> {
  const { records } = await app.store();
  if (typeof named === 'string')
    return records.get(twilioAccount, refOf(twilioAccount, app, { ...input, args: [named] }));
  return onlyAccount(app, app.config.tenant);
}

/** @throws SipctlError `notFound`, `usage` where the tenant has not exactly one account at Twilio */
export async function onlyAccount(app: App, tenant: string): Promise<TwilioAccount> {
  const { records } = await app.store();
  const all = await records.list(twilioAccount, { tenant });
  const [only, ...more] = all.filter(({ enabled }) => enabled);
  if (only === undefined) throw noAccount(tenant);
  if (more.length > 0)
    throw severalOf(
      'Twilio accounts',
      all.map(({ name }) => name),
      '--account <name>',
    );
  return only;
}

/** The service of one Twilio trunk. */
export async function serviceOf(app: App, ref: ObjectRef, areToGo = false): Promise<PlannedService> {
  const filter = { kind: 'twilio', tenant: ref.tenant as string, name: ref.name, areToGo } as const;
  const [planned] = await app.services(filter);
  return planned as PlannedService;
}

const noTrunk = (tenant: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'twilio_trunk_not_found',
    message: `tenant '${tenant}' has no Twilio trunk`,
    field: 'twilioTrunk',
    hint: `sipctl twilio ensure --tenant ${tenant} makes one`,
  });

const noAccount = (tenant: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'twilio_account_not_found',
    message: `tenant '${tenant}' has no Twilio account`,
    field: 'account',
    hint: `sipctl twilio account add ${usualName} --tenant ${tenant} --account-sid AC… --auth-token-stdin`,
  });

const severalOf = (what: string, names: readonly string[], flag: string): SipctlError =>
  new SipctlError('usage', {
    code: 'several',
    message: `the tenant has several ${what}: ${names.join(', ')}`,
    hint: `name the one that is meant: ${flag}`,
  });

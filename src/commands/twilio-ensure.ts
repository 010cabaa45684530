import { randomInt } from 'node:crypto';
import type { App } from '../app.ts';
import { Complaints, type Problem, SipctlError } from '../errors.ts';
import { fieldProblem, type Noun, type Value } from '../model/field.ts';
import { twilioAccount, twilioOrigination, twilioTrunk } from '../model/service-nouns.ts';
import { accountProblems } from '../model/twilio/account.ts';
import { chooseTrunkNames } from '../model/twilio/names.ts';
import { generateSipPassword } from '../model/twilio/password.ts';
import { originationUrl } from '../model/twilio/rules.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Patch, Writer } from '../store/writer.ts';
import type { Input, OptionSpec, Result, Run, VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';
import { fieldOptions, missingProblems, readPatch } from './noun-input.ts';
import { refOf } from './object-ref.ts';
import { moveProblems } from './twilio-account.ts';
import { provision, provisionedResult } from './twilio-provision.ts';
import { accountOption, onlyAccount, type StoredTrunk, usualName } from './twilio-scope.ts';

/** What a new trunk is to be, as the command line gave it. */
interface Wish {
  /** null: it is there, or the tenant's only one is meant. */
  accountName: string | null;
  /** Fields of the account; empty: it is there. */
  account: Record<string, Value>;
  trunk: Record<string, Value>;
  livekitSipUri: string | null;
}

const run: Run = async (app, input) => {
  if (input.options.all === true) return ensureAll(app, input);
  const wish = await wishOf(app, input);
  const name = input.args[0] ?? usualName;
  const ref = refOf(twilioTrunk, app, { ...input, args: [name] });
  const trunk = await described(app, ref, wish);
  return provisionedResult(app, await provision(app, trunk), 'provisioned');
};

async function wishOf(app: App, input: Input): Promise<Wish> {
  const complaints = new Complaints();
  const { account: accountName } = input.options;
  const account = await readPatch(twilioAccount, input, app, complaints);
  const { account: _, ...trunk } = await readPatch(twilioTrunk, input, app, complaints);
  const uri = input.options.livekitSipUri;
  const parsed = typeof uri === 'string' ? originationUrl(uri) : null;
  if (parsed !== null && !parsed.ok) complaints.add(fieldProblem('livekitSipUri', 'livekit-sip-uri', parsed));
  complaints.throwIfAny();
  return {
    ...{ accountName: typeof accountName === 'string' ? accountName : null, account, trunk },
    livekitSipUri: typeof uri === 'string' ? uri : app.config.livekitSipUri,
  };
}

/** Writes what is to be, with names that are chosen once: all of it before anything is asked of Twilio. */
async function described(app: App, ref: ObjectRef, wish: Wish): Promise<StoredTrunk> {
  const store = await app.store();
  const there = await store.records.find(twilioTrunk, ref);
  const tenant = ref.tenant as string;
  if (Object.keys(wish.account).length > 0) await checkAccount(app, accountRef(wish, tenant), wish.account);
  const account = there?.account ?? (await accountOf(app, wish, tenant));
  if (there !== null && wish.accountName !== null && wish.accountName !== there.account)
    throw otherAccount(ref, there.account);
  await store.write(async (writer) => {
    if (Object.keys(wish.account).length > 0)
      await addOrSet(writer, twilioAccount, accountRef(wish, tenant), wish.account);
    if (there === null) await writer.add(twilioTrunk, ref, newTrunk(app, tenant, account, wish));
    else await writer.set(twilioTrunk, ref, wish.trunk);
    if (wish.livekitSipUri !== null) await ensureLivekit(writer, ref, wish.livekitSipUri);
  });
  return (await store.records.get(twilioTrunk, ref)) as StoredTrunk;
}

const newTrunk = (app: App, tenant: string, account: string, wish: Wish): Patch => ({
  ...chooseTrunkNames(tenant, app.now()),
  sipPassword: generateSipPassword(randomInt),
  ...wish.trunk,
  account,
});

async function accountOf(app: App, wish: Wish, tenant: string): Promise<string> {
  if (Object.keys(wish.account).length > 0 || wish.accountName !== null) return accountRef(wish, tenant).name;
  return (await onlyAccount(app, tenant)).name;
}

const accountRef = ({ accountName }: Wish, tenant: string): ObjectRef => ({
  tenant,
  name: accountName ?? usualName,
});

async function checkAccount(app: App, ref: ObjectRef, values: Record<string, Value>): Promise<void> {
  const { records } = await app.store();
  const before = await records.find(twilioAccount, ref);
  const complaints = new Complaints();
  const all = { ...before, ...values } as Record<string, Value>;
  missingProblems(twilioAccount, all, complaints);
  for (const problem of [...accountProblems(all), ...(await moveProblems(app, ref, values))])
    complaints.add(problem);
  complaints.throwIfAny();
}

async function addOrSet(writer: Writer, noun: Noun, ref: ObjectRef, values: Patch): Promise<void> {
  if ((await writer.find(noun, ref)) === null) await writer.add(noun, ref, values);
  else await writer.set(noun, ref, values);
}

/** The address of LiveKit among those that get the calls of a trunk; names are unique in the tenant. */
export async function ensureLivekit(
  writer: Writer,
  { tenant, name }: ObjectRef,
  sipUrl: string,
): Promise<void> {
  const candidates = ['livekit', `livekit-${name}`].map((one) => ({ tenant, name: one }));
  for (const ref of candidates) {
    const there = await writer.find(twilioOrigination, ref);
    if (there !== null && there.twilioTrunk !== name) continue;
    await addOrSet(writer, twilioOrigination, ref, { twilioTrunk: name, sipUrl });
    return;
  }
}

/** Every trunk of every tenant, and a first one for each account that has none. One that fails does not hide the others. */
async function ensureAll(app: App, input: Input): Promise<Result> {
  if (input.args[0] !== undefined || input.options.account !== undefined) throw allOrOne();
  const wish = await wishOf(app, input);
  if (Object.keys(wish.account).length > 0) throw allOrOne();
  const results: { tenant: string; name: string; result: Result }[] = [];
  const errors: SipctlError[] = [];
  for (const { ref, accountName } of await everyTrunk(app)) {
    if (app.signal.aborted) break;
    try {
      const one = await provision(app, await described(app, ref, { ...wish, accountName }));
      if (one.outcome.error !== null) errors.push(inTenant(one.outcome.error, ref));
      const result = await provisionedResult(app, one, 'provisioned');
      results.push({ tenant: ref.tenant as string, name: ref.name, result });
    } catch (error) {
      if (!(error instanceof SipctlError)) throw error;
      errors.push(inTenant(error, ref));
    }
  }
  return {
    changed: results.some(({ result }) => result.changed === true),
    data: { trunks: results.map(({ result }) => result.data), count: results.length },
    text: (style) =>
      results.length + errors.length === 0
        ? 'no tenant has a Twilio account\n'
        : results.map(({ result }) => result.text(style)).join('\n'),
    ...endedBy(errors),
  };
}

interface Meant {
  ref: ObjectRef;
  accountName: string | null;
}

/** All trunks that are there; then, for each account without one, what is to be its first. */
async function everyTrunk(app: App): Promise<Meant[]> {
  const store = await app.store();
  const enabled = new Set((await store.tenantStates()).filter((one) => one.enabled).map(({ name }) => name));
  const trunks = await store.records.list(twilioTrunk);
  const names = new Set(trunks.map(({ tenant, name }) => `${tenant}/${name}`));
  const served = new Set(trunks.map(({ tenant, account }) => `${tenant}/${account}`));
  const accounts = (await store.records.list(twilioAccount)).filter((one) => one.enabled);
  const inUse = new Set(accounts.map(({ tenant, name }) => `${tenant}/${name}`));
  const meant = trunks
    .filter(({ tenant, account, enabled: isOn }) => isOn && inUse.has(`${tenant}/${account}`))
    .map(({ tenant, name }): Meant => ({ ref: { tenant: tenant as string, name }, accountName: null }));
  for (const account of accounts) {
    const tenant = account.tenant as string;
    if (served.has(`${tenant}/${account.name}`)) continue;
    const name = names.has(`${tenant}/${usualName}`) ? account.name : usualName;
    names.add(`${tenant}/${name}`);
    meant.push({ ref: { tenant, name }, accountName: account.name });
  }
  return meant.filter(({ ref }) => enabled.has(ref.tenant as string));
}

function inTenant(error: SipctlError, { tenant }: ObjectRef): SipctlError {
  const problems = error.problems.map(
    (problem): Problem => ({ ...problem, message: `tenant ${tenant}: ${problem.message}` }),
  );
  return new SipctlError(error.outcome, problems, { cause: error });
}

const otherAccount = ({ tenant, name }: ObjectRef, account: string): SipctlError =>
  new SipctlError('conflict', {
    code: 'twilio_trunk_elsewhere',
    message: `Twilio trunk '${name}' is in the account '${account}', and cannot move to another one`,
    field: 'account',
    hint: `give the new one another name, or first: sipctl twilio destroy ${name} --tenant ${tenant}`,
  });

const allOrOne = (): SipctlError =>
  new SipctlError('usage', {
    code: 'all_or_one',
    message: '--all goes with no name and no account',
    hint: 'leave them out, or leave --all out',
  });

// An account that is there needs none of them.
const accountOptions = fieldOptions(twilioAccount).map(
  ([flags, help]): OptionSpec => [flags, help.replace(/ \(needed\)$/, '')],
);

/** Fields of a trunk that are somebody's choice. */
const chosen = ['--secure', '--no-secure', '--recording', '--trim'];

const trunkOptions: OptionSpec[] = fieldOptions(twilioTrunk).filter(([flags]) =>
  chosen.includes(flags.split(' ')[0] as string),
);

export const twilioEnsure: VerbSpec = {
  name: 'ensure',
  summary:
    'make a trunk at Twilio with credentials, and the trunk for the PBXs; repeating it changes nothing',
  args: '[name]',
  options: [
    accountOption,
    ...accountOptions,
    ...trunkOptions,
    ['--livekit-sip-uri <uri>', 'send the trunk’s calls to LiveKit: sip:host:port (LIVEKIT_SIP_URI)'],
    ['--all', 'every tenant: all trunks, and a first one for each account without'],
  ],
  examples: [
    'sipctl twilio ensure --tenant acme',
    'printf %s "$TOKEN" | sipctl twilio ensure --tenant acme --account-sid AC0123456789abcdef0123456789abcdef --auth-token-stdin --label Production',
    'sipctl twilio ensure --tenant acme --livekit-sip-uri "sip:example.sip.livekit.cloud"',
    'sipctl twilio ensure --all',
  ],
  run,
};

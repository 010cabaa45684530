import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { number as numberNoun } from '../model/nouns.ts';
import { twilioTrunk } from '../model/service-nouns.ts';
import type { BoughtNumber } from '../model/twilio/view.ts';
import { visible } from '../report/calls.ts';
import { shown, table } from '../report/table.ts';
import type { Input, Run, VerbGroup } from './command.ts';
import { refOf } from './object-ref.ts';
import { provision, provisionedResult } from './twilio-provision.ts';
import { accountAsked, accountOption, type StoredTrunk, trunkAsked, trunkOption } from './twilio-scope.ts';

interface ShownNumber extends BoughtNumber {
  /** The Twilio trunk of sipctl's that it is attached to, as `acme/main`. */
  attachedTo: string | null;
}

const list: Run = async (app, input) => {
  const account = await accountAsked(app, input);
  const bought = await (await app.twilioView(account)).numbers(app.signal);
  const ours = await trunkNames(app);
  const numbers = bought.map(
    (one): ShownNumber => ({
      ...one,
      attachedTo: one.trunkId === null ? null : (ours.get(one.trunkId) ?? null),
    }),
  );
  return {
    data: { account: account.name, numbers, count: numbers.length },
    text: (style) =>
      numbers.length === 0
        ? `Twilio account '${account.name}' has no numbers\n`
        : table(
            numbers,
            [
              { title: 'NUMBER', value: ({ number }) => number, style: () => style.bold },
              { title: 'NAME', value: ({ friendlyName }) => visible(friendlyName) },
              { title: 'SID', value: ({ id }) => id },
              { title: 'TRUNK', value: ({ attachedTo, trunkId }) => attachedTo ?? shown(trunkId) },
            ],
            style,
          ),
  };
};

/** Twilio's ids of all trunks that sipctl made, with what sipctl calls them. */
async function trunkNames(app: App): Promise<Map<string, string>> {
  const store = await app.store();
  const names = new Map<string, string>();
  for (const { tenant, name } of (await store.records.list(twilioTrunk)) as StoredTrunk[]) {
    const made = await store.resourceMemory({ kind: 'twilio', tenant, name }).list();
    const id = made.find(({ key }) => key === 'trunk')?.id ?? null;
    if (id !== null) names.set(id, `${tenant}/${name}`);
  }
  return names;
}

/** A number of the tenant arrives on the trunk of a Twilio trunk, or does not any more; then Twilio is told. */
const move =
  (isAttached: boolean): Run =>
  async (app, input) => {
    const trunk = await trunkAsked(app, input);
    const linked = trunk.trunk;
    if (linked === null) throw notProvisioned(trunk);
    const refs = input.args.map((text) => refOf(numberNoun, app, { ...input, args: [text] }));
    if (isAttached)
      await expectBought(
        app,
        input,
        trunk,
        refs.map(({ name }) => name),
      );
    const store = await app.store();
    await store.write(async (writer) => {
      for (const ref of refs) {
        if (!isAttached) {
          const { trunk: on } = await writer.get(numberNoun, ref);
          if (on === linked) await writer.set(numberNoun, ref, { trunk: null });
          else throw elsewhere(ref.name, on, linked);
          continue;
        }
        const known = await writer.find(numberNoun, ref);
        if (known === null) await writer.add(numberNoun, ref, { trunk: linked });
        else if (known.trunk === null) await writer.set(numberNoun, ref, { trunk: linked });
        else if (known.trunk !== linked) throw elsewhere(ref.name, known.trunk, linked);
      }
    });
    const numbers = refs.map(({ name }) => name).join(', ');
    const verb = isAttached ? `has ${numbers}` : `is rid of ${numbers}`;
    return provisionedResult(app, await provision(app, trunk), verb);
  };

// Said before anything is written: what Twilio does not have would be tried with every apply.
async function expectBought(
  app: App,
  input: Input,
  trunk: StoredTrunk,
  wanted: readonly string[],
): Promise<void> {
  const account = await accountAsked(app, input, trunk.account);
  const bought = await (await app.twilioView(account)).numbers(app.signal);
  const missing = wanted.filter((one) => !bought.some(({ number }) => number === one));
  if (missing.length > 0)
    throw new SipctlError(
      'notFound',
      missing.map((one) => ({
        code: 'twilio_number_missing',
        message: `the Twilio account '${account.name}' does not have ${one}`,
        field: 'number',
        hint: `buy it in the Twilio console, or see sipctl twilio number list --tenant ${trunk.tenant}`,
      })),
    );
  const own = `${trunk.tenant}/${trunk.name}`;
  const ours = await trunkNames(app);
  const foreign = bought.filter(
    ({ number, trunkId }) => wanted.includes(number) && trunkId !== null && ours.get(trunkId) !== own,
  );
  if (foreign.length > 0)
    throw new SipctlError(
      'refused',
      foreign.map(({ number, trunkId }) =>
        takenBy(number, ours.get(trunkId as string) ?? (trunkId as string)),
      ),
    );
}

const takenBy = (number: string, trunk: string): Problem => ({
  code: 'twilio_number_taken',
  message: `${number} is attached to another trunk at Twilio: ${trunk}`,
  field: 'number',
  hint: 'take it off that trunk first, if its calls are to arrive here',
});

const notProvisioned = ({ tenant, name }: StoredTrunk): SipctlError =>
  new SipctlError('conflict', {
    code: 'twilio_not_provisioned',
    message: `Twilio trunk '${name}' is not provisioned yet`,
    hint: `sipctl twilio ensure ${name} --tenant ${tenant}`,
  });

const elsewhere = (number: string, on: string | null, linked: string): SipctlError =>
  new SipctlError('conflict', {
    code: 'number_on_other_trunk',
    message:
      on === null ? `number ${number} arrives on no trunk` : `number ${number} arrives on trunk '${on}'`,
    field: 'number',
    hint: `sipctl number set ${number} --trunk ${linked} moves it there`,
  });

export const twilioNumber: VerbGroup = {
  name: 'number',
  summary: 'numbers of the account, and those on a trunk',
  verbs: [
    { name: 'list', summary: 'numbers of the account', options: [accountOption], run: list },
    {
      name: 'attach',
      summary: 'let numbers of the account arrive on the trunk; one on a trunk of somebody else stays there',
      args: '<number...>',
      options: [trunkOption],
      examples: ['sipctl twilio number attach +15551234567 --tenant acme'],
      run: move(true),
    },
    {
      name: 'detach',
      summary: 'take numbers off the trunk; they stay in the account',
      args: '<number...>',
      options: [trunkOption],
      run: move(false),
    },
  ],
};

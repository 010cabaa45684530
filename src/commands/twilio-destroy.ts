import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { number as numberNoun, trunk as trunkNoun } from '../model/nouns.ts';
import { livekit, twilioOrigination, twilioTrunk } from '../model/service-nouns.ts';
import type { PlannedService } from '../pipeline/hosted-services.ts';
import { resourceTitle } from '../plan/service-plan.ts';
import type { Writer } from '../store/writer.ts';
import type { Result, Run, VerbSpec } from './command.ts';
import { destroyed } from './service-verbs.ts';
import { type StoredTrunk, serviceOf, trunkAsked } from './twilio-scope.ts';

const run: Run = async (app, input) => {
  const trunk = await trunkAsked(app, input, input.args[0]);
  await expectNoLivekit(app, trunk);
  const planned = await serviceOf(app, trunk, true);
  const remembered = await planned.memory.list();
  if (remembered.length === 0) await confirmTyped(app, trunk, [], input.options.confirm);
  const result =
    input.options.forget === true
      ? await forgotten(planned, () => confirmTyped(app, trunk, null, input.options.confirm))
      : await destroyed(app, planned, ({ changes }) =>
          confirmTyped(app, trunk, changes.map(resourceTitle), input.options.confirm),
        );
  if (result.outcome !== undefined) return result;
  const store = await app.store();
  const kept = await store.write((writer) => forget(writer, trunk));
  return withRemoval(result, trunk, kept);
};

/** For an account that is closed, or was taken away: nobody is asked, and nothing is taken away there. */
async function forgotten({ memory }: PlannedService, asked: () => Promise<void>): Promise<Result> {
  const remembered = await memory.list();
  if (remembered.length > 0) await asked();
  for (const { key } of remembered) await memory.forget(key);
  const left = remembered.map(resourceTitle);
  return {
    data: { services: [], leftAtTwilio: left },
    text: () => (left.length === 0 ? '' : `forgotten, and left at Twilio: ${left.join(', ')}\n`),
  };
}

function withRemoval(result: Result, trunk: StoredTrunk, keptTrunk: string | null): Result {
  const { tenant, name, friendlyName } = trunk;
  return {
    ...result,
    changed: true,
    data: { ...(result.data as object), destroyed: { tenant, name, trunkName: friendlyName }, keptTrunk },
    text: (style) => `${result.text(style)}Twilio trunk ${style.bold(name)} removed\n`,
    warnings:
      keptTrunk === null
        ? []
        : [
            {
              code: 'trunk_kept',
              message: `trunk '${keptTrunk}' is named by others: it is disabled, and stays`,
              hint: `sipctl trunk remove ${keptTrunk} --tenant ${tenant} says by whom`,
            },
          ],
  };
}

// LiveKit would go on sending calls to a trunk that is gone.
async function expectNoLivekit(app: App, { tenant, name }: StoredTrunk): Promise<void> {
  const { records } = await app.store();
  const users = (await records.list(livekit, { tenant })).filter((one) => one.twilioTrunk === name);
  if (users.length === 0) return;
  throw new SipctlError(
    'conflict',
    users.map((one) => ({
      code: 'twilio_trunk_in_use',
      message: `Twilio trunk '${name}' is used by LiveKit connection ${one.name}`,
      hint: `first: sipctl livekit destroy ${one.name} --tenant ${tenant}, then sipctl livekit remove ${one.name}`,
    })),
  );
}

/** What is not to be undone is confirmed by its name. @throws SipctlError `refused` */
async function confirmTyped(
  app: App,
  { friendlyName, tenant, name }: StoredTrunk,
  gone: readonly string[] | null,
  given: unknown,
): Promise<void> {
  const what =
    gone === null
      ? 'What is at Twilio stays there, and sipctl forgets that it is its own'
      : gone.length === 0
        ? 'nothing of it is at Twilio'
        : `Twilio loses ${gone.join(', ')}; calls over it end`;
  const question = `Destroy Twilio trunk ${tenant}/${name}? ${what}.`;
  if (given === friendlyName && app.config.yes) return;
  if (given === undefined && app.terminal.interactive) {
    const { askText } = await import('./wizard.ts');
    if ((await askText(`${question}\nType its name, ${friendlyName}, to confirm:`)) === friendlyName) return;
  }
  throw new SipctlError('refused', {
    code: 'not_confirmed',
    message: `${question} That was not confirmed.`,
    hint: `if that is meant: --yes --confirm ${friendlyName}`,
  });
}

/** Removes what the database says of the trunk. Gives the name of the PBXs' trunk where others name it still. */
async function forget(writer: Writer, { tenant, name, trunk: linked }: StoredTrunk): Promise<string | null> {
  for (const one of await writer.list(twilioOrigination, { tenant }))
    if (one.twilioTrunk === name) await writer.remove(twilioOrigination, { tenant, name: one.name });
  await writer.remove(twilioTrunk, { tenant, name });
  if (linked === null) return null;
  for (const one of await writer.list(numberNoun, { tenant }))
    if (one.trunk === linked) await writer.set(numberNoun, { tenant, name: one.number }, { trunk: null });
  const object = { noun: trunkNoun, ref: { tenant, name: linked } };
  if ((await writer.mentioners([object])).length === 0) {
    await writer.remove(trunkNoun, object.ref);
    return null;
  }
  await writer.set(trunkNoun, object.ref, { enabled: false });
  return linked;
}

export const twilioDestroy: VerbSpec = {
  name: 'destroy',
  summary: 'take a trunk and all that sipctl made for it away from Twilio, and from the database',
  args: '[name]',
  options: [
    ['--confirm <name>', 'the name of the trunk at Twilio: main-trunk-…; with --yes, for scripts'],
    ['--forget', 'ask nobody: leave at Twilio what is there, for an account that is closed'],
  ],
  examples: ['sipctl twilio destroy main --tenant acme'],
  run,
};

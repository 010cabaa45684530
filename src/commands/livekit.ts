import type { App } from '../app.ts';
import type { Problem } from '../errors.ts';
import { livekit, twilioTrunk } from '../model/service-nouns.ts';
import type { PlannedService, ServiceOutcome } from '../pipeline/hosted-services.ts';
import { resourceTitle } from '../plan/service-plan.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Patch } from '../store/writer.ts';
import type { CommandSpec, Result, Run, VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { livekitConfig } from './livekit-config.ts';
import { existingConnection, namedConnection } from './livekit-named.ts';
import { leadToProject, originationWarnings, recordOrigination } from './livekit-origination.ts';
import { fieldOptions } from './noun-input.ts';
import { nounCommand } from './noun-verbs.ts';
import { bringUpToDate } from './service-run.ts';
import { destroyed, outcomesResult, verified, verifyOptions } from './service-verbs.ts';
import { provision } from './twilio-provision.ts';
import { trunkAsked } from './twilio-scope.ts';

/** A tenant with one trunk at Twilio means that one. */
const withTrunk =
  (run: Run): Run =>
  async (app, input) => {
    if (input.options.twilioTrunk !== undefined) return run(app, input);
    const store = await app.store();
    const [only, ...others] = await store.records.list(twilioTrunk, { tenant: app.config.tenant });
    if (only === undefined || others.length > 0) return run(app, input);
    return run(app, { ...input, options: { ...input.options, twilioTrunk: only.name } });
  };

const connections = nounCommand({
  noun: livekit,
  summary: 'LiveKit projects: agents that answer a Twilio trunk’s calls',
  listed: ['url', 'twilioTrunk', 'sipUri', 'agent', 'roomPrefix'],
  examples: [
    'printf %s "$LIVEKIT_API_SECRET" | sipctl livekit add main --tenant acme --url wss://acme.livekit.cloud --api-key APIabc --api-secret-stdin --sip-uri sip:abc.sip.livekit.cloud --agent receptionist',
  ],
  alongside: recordOrigination,
  checkAround: async ({ ref, values }, app) => ({
    problems: [],
    warnings: await moveWarnings(app, ref, values),
  }),
});

// Another address may be the same project, or another one, where nothing of this is known.
async function moveWarnings(app: App, { tenant, name }: ObjectRef, { url }: Patch): Promise<Problem[]> {
  const store = await app.store();
  const before = await store.records.find(livekit, { tenant, name });
  if (before === null || url === undefined || url === before.url) return [];
  const made = await store.resourceMemory({ kind: 'livekit', tenant: tenant as string, name }).list();
  if (made.length === 0) return [];
  return [
    {
      code: 'livekit_moved',
      message: `what sipctl made for LiveKit connection '${name}' is at ${before.url}, and stays there where that is another project`,
      field: 'url',
      hint: `then go back to that address, and first: sipctl livekit destroy ${name} --tenant ${tenant}`,
    },
  ];
}

const nounVerbs: readonly VerbSpec[] = 'verbs' in connections ? (connections.verbs as VerbSpec[]) : [];
const nounVerb = (name: string): VerbSpec => nounVerbs.find((verb) => verb.name === name) as VerbSpec;

/** Describes the connection where fields are given, then makes it, at Twilio and at LiveKit. */
const ensure: Run = async (app, input) => {
  const named = (await namedConnection(app, input)) ?? { tenant: app.config.tenant, name: 'main' };
  const store = await app.store();
  const isNew = (await store.records.find(livekit, named)) === null;
  const isGiven = Object.keys(input.options).some((option) => fieldFlags.has(option));
  if (isNew && !isGiven) await existingConnection(app, input);
  const described = isGiven
    ? await (isNew ? withTrunk(nounVerb('add').run) : nounVerb('set').run)(app, {
        ...input,
        args: [named.name],
      })
    : null;
  return make(app, await existingConnection(app, { ...input, args: [named.name] }), described);
};

const fieldFlags = new Set(
  [...fieldOptions(livekit).map(([flags]) => flags), '--unset'].map((flags) =>
    flags.replace(/^--([a-z-]+).*$/, '$1').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  ),
);

async function make(app: App, ref: TenantRef, described: Result | null): Promise<Result> {
  const store = await app.store();
  await leadToProject(app, ref);
  const { twilioTrunk: trunk } = await store.records.get(livekit, ref);
  const result = outcomesResult(await bringBoth(app, ref, trunk));
  return {
    ...result,
    changed: result.changed === true || described?.changed === true,
    data: { ...(described?.data as object), ...(result.data as object) },
    text: (style) => (described?.text(style) ?? '') + result.text(style),
    warnings: [...(described?.warnings ?? []), ...(await originationWarnings(app, ref))],
  };
}

// LiveKit's trunks are made of what Twilio's is: where that failed, there is nothing to go on with.
async function bringBoth(app: App, ref: TenantRef, trunk: string): Promise<ServiceOutcome[]> {
  const { outcome } = await provision(app, await trunkAsked(app, { args: [], options: {} }, trunk));
  if (outcome.error !== null) return [outcome];
  return [outcome, await bringUpToDate(app, await projectOf(app, ref))];
}

type TenantRef = ObjectRef & { tenant: string };

async function projectOf(app: App, { tenant, name }: TenantRef, areToGo = false): Promise<PlannedService> {
  const [planned] = await app.services({ kind: 'livekit', tenant, name, areToGo });
  return planned as PlannedService;
}

const verify: Run = async (app, input) => {
  const ref = await existingConnection(app, input);
  return {
    ...(await verified(app, [await projectOf(app, ref)], input)),
    warnings: await originationWarnings(app, ref),
  };
};

const destroy: Run = async (app, input) => {
  const planned = await projectOf(app, await existingConnection(app, input), true);
  return destroyed(app, planned, ({ service, changes }) =>
    confirm(app, `Remove ${changes.map(resourceTitle).join(', ')} from ${service}?`),
  );
};

const own: readonly VerbSpec[] = [
  {
    name: 'ensure',
    summary: 'describe a connection, and make its trunks and its rule; repeating it changes nothing',
    args: '[name]',
    options: [...fieldOptions(livekit), ['--unset <fields>', 'set fields back to their default']],
    examples: [
      'sipctl livekit ensure --tenant acme',
      'sipctl livekit ensure main --tenant acme --agent night-shift',
    ],
    run: ensure,
  },
  livekitConfig,
  {
    name: 'verify',
    summary: 'ask LiveKit whether all is there; exit 5 where something is gone',
    args: '[name]',
    options: verifyOptions,
    run: verify,
  },
  {
    name: 'destroy',
    summary: 'remove from LiveKit what sipctl made there; the description stays',
    args: '<name>',
    run: destroy,
  },
];

const summaries: Readonly<Record<string, string>> = {
  enable: 'plan and apply a connection again',
  disable: 'leave what is at LiveKit as it is',
};

const fitting = (verb: VerbSpec): VerbSpec => ({
  ...verb,
  summary: summaries[verb.name] ?? verb.summary,
  run: verb.name === 'add' ? withTrunk(verb.run) : verb.run,
});

const replaced = new Set(own.map(({ name }) => name));

export const livekitCommand: CommandSpec = {
  name: 'livekit',
  summary: connections.summary,
  verbs: [...nounVerbs.filter(({ name }) => !replaced.has(name)).map(fitting), ...own],
};

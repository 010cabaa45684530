import type { App } from '../app.ts';
import type { Problem } from '../errors.ts';
import { trunk as trunkNoun } from '../model/nouns.ts';
import { twilioTrunk } from '../model/service-nouns.ts';
import { chooseTrunkNames, trunkDomain } from '../model/twilio/names.ts';
import type { ServiceOutcome } from '../pipeline/hosted-services.ts';
import { serviceOutcomeData, serviceOutcomeText } from '../report/hosted-services.ts';
import { trunkFacts, trunkFactsText } from '../report/twilio.ts';
import type { Patch, Writer } from '../store/writer.ts';
import type { Result } from './command.ts';
import { endedBy } from './ended.ts';
import { bringUpToDate, hasChanged } from './service-run.ts';
import { type StoredTrunk, serviceOf } from './twilio-scope.ts';

/** What became of one Twilio trunk, and of the trunk that PBXs get for it. */
export interface Provisioned {
  trunk: StoredTrunk;
  outcome: ServiceOutcome;
  /** null where Twilio did not come so far. */
  linked: Linked | null;
}

interface Linked {
  name: string;
  done: 'added' | 'changed' | 'unchanged';
}

/** Makes a trunk at Twilio what the database says, then the trunk that PBXs are provisioned with. @throws like `bringUpToDate` */
export async function provision(app: App, trunk: StoredTrunk): Promise<Provisioned> {
  let current = trunk;
  let outcome = await bringUpToDate(app, await serviceOf(app, trunk));
  if (isDomainLost(outcome)) {
    current = await chooseAnew(app, trunk);
    // Somebody else had the name: with the next one it is tried at once, and once only.
    if (isDomainTaken(outcome)) outcome = await bringUpToDate(app, await serviceOf(app, current));
  }
  const isThere = outcome.outcome === 'verified' || outcome.outcome === 'unchanged';
  return { trunk: current, outcome, linked: isThere ? await link(app, current) : null };
}

const isDomainTaken = ({ error }: ServiceOutcome): boolean =>
  error?.problems.some(({ code }) => code === 'twilio_domain_taken') === true;

// The domain of a trunk that was deleted stays reserved for weeks: Twilio gives it to nobody, not even to us.
const isDomainLost = (ended: ServiceOutcome): boolean =>
  isDomainTaken(ended) ||
  (ended.outcome === 'taken-back' &&
    ended.done.some(({ action, key }) => action === 'create' && key === 'trunk'));

async function chooseAnew(app: App, trunk: StoredTrunk): Promise<StoredTrunk> {
  const { domainPrefix, friendlyName } = chooseTrunkNames(trunk.tenant, app.now());
  const store = await app.store();
  const ref = { tenant: trunk.tenant, name: trunk.name };
  await store.write((writer) => writer.set(twilioTrunk, ref, { domainPrefix, friendlyName }));
  return (await store.records.get(twilioTrunk, ref)) as StoredTrunk;
}

/**
 * After an apply that had begun by another command: the trunk of the PBXs is what Twilio's is. Says so where it was not, as
 * the PBXs were planned before.
 */
export async function follow(
  app: App,
  { tenant, name }: { tenant: string; name: string },
): Promise<Problem[]> {
  const linked = await link(app, { tenant, name });
  if (linked.done === 'unchanged') return [];
  return [
    {
      code: 'trunk_followed',
      message: `trunk '${linked.name}' of tenant '${tenant}' was ${linked.done}, as Twilio trunk '${name}' is now`,
      hint: 'sipctl apply once more brings it to the PBXs',
    },
  ];
}

/** Adds or changes the trunk of the tenant that PBXs are provisioned with. */
async function link(app: App, of: Pick<StoredTrunk, 'tenant' | 'name'>): Promise<Linked> {
  const store = await app.store();
  return store.write(async (writer) => {
    // Another run may have chosen a password since.
    const trunk = (await writer.get(twilioTrunk, { tenant: of.tenant, name: of.name })) as StoredTrunk;
    const name = trunk.trunk ?? (await freeName(writer, trunk));
    const ref = { tenant: trunk.tenant, name };
    const there = await writer.find(trunkNoun, ref);
    if (there === null) {
      await writer.add(trunkNoun, ref, { provider: 'twilio', ...linkedValues(trunk, null) });
      await writer.set(twilioTrunk, { tenant: trunk.tenant, name: trunk.name }, { trunk: name });
      return { name, done: 'added' };
    }
    const changed = await writer.set(trunkNoun, ref, linkedValues(trunk, there));
    return { name, done: changed ? 'changed' : 'unchanged' };
  });
}

async function freeName(writer: Writer, { tenant, name }: StoredTrunk): Promise<string> {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? `twilio-${name}` : `twilio-${name}-${number}`;
    if ((await writer.find(trunkNoun, { tenant, name: candidate })) === null) return candidate;
  }
}

type Before = Readonly<Record<'host' | 'transport' | 'srtp', string | boolean | null>> | null;

function linkedValues(trunk: StoredTrunk, before: Before): Patch {
  // A region's own name for the domain is somebody's choice.
  const isOurs = String(before?.host ?? '').startsWith(`${trunk.domainPrefix}.pstn.`);
  const wasSecure = before?.transport === 'tls' && before.srtp === true;
  return {
    ...(isOurs ? {} : { host: trunkDomain(trunk.domainPrefix) }),
    username: trunk.sipUsername,
    password: trunk.sipPassword,
    ...(trunk.secure ? { transport: 'tls', srtp: true } : wasSecure ? { transport: null, srtp: null } : {}),
  };
}

/** What a command says that made trunks at Twilio what the database says. */
export async function provisionedResult(app: App, one: Provisioned, verb: string): Promise<Result> {
  const { trunk, outcome, linked } = one;
  const store = await app.store();
  const memory = store.resourceMemory({ kind: 'twilio', tenant: trunk.tenant, name: trunk.name });
  const facts = trunkFacts(trunk, await memory.list());
  const success = linked !== null;
  const message = success
    ? `Twilio trunk '${trunk.name}' ${verb}`
    : (outcome.error?.message ?? 'not finished');
  return {
    changed: hasChanged(outcome) || (linked !== null && linked.done !== 'unchanged'),
    data: {
      ...{ success, message, tenant: trunk.tenant, name: trunk.name, ...facts },
      ...{ trunk: linked?.name ?? trunk.trunk, service: serviceOutcomeData(outcome) },
    },
    text: (style) =>
      [
        serviceOutcomeText(outcome, style),
        success ? trunkFactsText(facts, style) : '',
        linked === null || linked.done === 'unchanged'
          ? ''
          : `trunk ${style.bold(linked.name)} ${linked.done}: sipctl apply brings it to the PBXs\n`,
      ].join(''),
    ...(outcome.error === null ? {} : endedBy([outcome.error])),
  };
}

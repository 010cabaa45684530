import type { App } from '../app.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { calendarDay } from '../model/recording.ts';
import {
  type FoundRecordings,
  findRecordings,
  type Looking,
  type Recording,
} from '../pipeline/recordings.ts';
import { type Input, nodeNames, type OptionSpec } from './command.ts';

/** Where recordings are looked for. */
export const placeFlags: readonly OptionSpec[] = [
  ['--node <names>', 'only on these nodes'],
  ['--all-tenants', 'of every tenant'],
];

/** Which of them are meant. */
export const choiceFlags: readonly OptionSpec[] = [
  ...placeFlags,
  ['--from <day>', 'from this day of UTC on, for example 2026-11-21'],
  ['--to <day>', 'up to this day of UTC'],
  ['--number <number>', 'the caller’s or the called number, or its last digits; of calls that sipctl kept'],
];

/** How a node is looked at. */
const lookingOf = ({ signal, env }: App): Looking => ({
  signal,
  sshConfig: env.SIPCTL_SSH_CONFIG || null,
});

/** @throws SipctlError `usage`, or that of the only node where none could be looked at */
export async function recordingsAsked(
  app: App,
  input: Input,
  flags: readonly OptionSpec[] = choiceFlags,
): Promise<FoundRecordings> {
  const { options } = input;
  const number = typeof options.number === 'string' ? options.number.replace(/[^0-9]/g, '') : null;
  if (number === '') throw noDigits();
  const targets = (await app.targets(nodeNames(input))).map(({ target }) => target);
  if (targets.length === 0) throw noNodes();
  const found = await findRecordings(
    targets,
    await app.store(),
    {
      tenant: options.allTenants === true ? null : app.config.tenant,
      // Where --to is a place, it is no day.
      ...(flags === choiceFlags ? { ...dayOption(input, 'from'), ...dayOption(input, 'to') } : {}),
      ...(number === null ? {} : { number }),
    },
    lookingOf(app),
  );
  const [first] = found.errors;
  if (first !== undefined && found.folders.size === 0) throw first;
  return found;
}

/** What could not be looked at is a warning where something else could. */
export const warningsOf = ({ errors }: FoundRecordings): Problem[] =>
  errors.flatMap(({ problems }) => problems);

/** A recording as data. */
export const recordingData = (one: Recording) => ({
  ...{ node: one.node, tenant: one.tenant, id: one.id, callId: one.callId, day: one.day, path: one.path },
  ...{ size: one.size, endedAt: new Date(one.endedAt).toISOString(), state: stateOf(one) },
  ...{ direction: one.call?.direction ?? null, from: one.call?.from ?? null, to: one.call?.to ?? null },
  ...{
    sha256: one.facts?.sha256 ?? null,
    sealedAt: one.facts?.sealedAt ?? null,
    hold: one.facts?.hold ?? null,
  },
  ...{ pushedTo: one.facts?.pushedTo ?? null, pushedAt: one.facts?.pushedAt ?? null },
});

/** In one word: `writing`, `sealed`, or `new`. */
export const stateOf = ({ writing, facts }: Recording): 'writing' | 'sealed' | 'new' =>
  writing ? 'writing' : facts?.sha256 == null ? 'new' : 'sealed';

function dayOption({ options }: Input, name: 'from' | 'to'): { from?: string; to?: string } {
  const given = options[name];
  if (given === undefined) return {};
  const day = calendarDay(String(given));
  if (day.ok) return { [name]: day.value };
  const hint = day.hint ?? '';
  throw new SipctlError('invalid', { code: `invalid_${name}`, message: day.message, field: name, hint });
}

const noDigits = (): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_number',
    message: '--number holds no digits',
    field: 'number',
    hint: 'give a number, or its last digits',
  });

const noNodes = (): SipctlError =>
  new SipctlError('notFound', {
    code: 'no_nodes',
    message: 'there is no node to look for recordings on',
    hint: 'sipctl node add describes a PBX',
  });

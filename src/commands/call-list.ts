import { SipctlError } from '../errors.ts';
import type { Call } from '../model/live/call.ts';
import { callData, callsText, callText } from '../report/calls.ts';
import type { Input, Run, VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';
import { atCall, callsInScope, scopeOptions, withNodes } from './live-scope.ts';

const states = ['ringing', 'answered', 'held'] as const;
export const directions = ['inbound', 'outbound', 'internal'] as const;

const list: Run = (app, input) => {
  const isWanted = filterOf(input);
  return withNodes(app, input, async (nodes) => {
    const { found, failures } = await callsInScope(app, input, nodes);
    const calls = found.map(({ call }) => call).filter(isWanted);
    const now = app.now().getTime();
    const withTenant = input.options.allTenants === true;
    return {
      data: { calls: calls.map((call) => callData(call, now)), count: calls.length },
      text: (style) =>
        calls.length === 0
          ? failures.length > 0
            ? ''
            : `no calls${withTenant ? '' : ` of tenant '${app.config.tenant}': --tenant names another one, --all-tenants shows all`}\n`
          : callsText(calls, { now, style, withTenant }),
      ...endedBy(failures),
    };
  });
};

function filterOf({ options }: Input): (call: Call) => boolean {
  const state = oneOf(options.state, states, 'state');
  const direction = oneOf(options.direction, directions, 'direction');
  const { trunk, number } = options;
  return (call) =>
    (state === null || call.state === state) &&
    (direction === null || call.direction === direction) &&
    (typeof trunk !== 'string' || call.trunk === trunk) &&
    (typeof number !== 'string' || [call.from, call.to].some((one) => one?.includes(number) === true));
}

/** A flag that takes one of some words; null where it was not given. @throws SipctlError `invalid` */
export function oneOf<T extends string>(given: unknown, words: readonly T[], field: string): T | null {
  if (given === undefined) return null;
  const word = words.find((one) => one === given);
  if (word !== undefined) return word;
  throw new SipctlError('invalid', {
    code: `invalid_${field}`,
    message: `${field}: '${String(given)}' is none of ${words.join(', ')}`,
    field,
    hint: `give one of ${words.join(', ')}`,
  });
}

const show: Run = (app, input) =>
  atCall(app, input, async ({ call }) => {
    const now = app.now().getTime();
    return { data: { call: callData(call, now) }, text: (style) => callText(call, now, style) };
  });

export const callList: readonly VerbSpec[] = [
  {
    name: 'list',
    summary: 'list the calls that run now',
    options: [
      ...scopeOptions,
      ['--state <state>', 'only ringing, answered or held'],
      ['--direction <direction>', 'only inbound, outbound or internal'],
      ['--trunk <trunk>', 'only over this trunk'],
      ['--number <digits>', 'only from or to a number that has these digits'],
    ],
    run: list,
  },
  {
    name: 'show',
    summary: 'show a call and its legs',
    args: '<call>',
    options: scopeOptions,
    examples: ['sipctl call show 1714 --tenant acme'],
    run: show,
  },
];

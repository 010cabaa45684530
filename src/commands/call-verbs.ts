import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { Call, Leg } from '../model/live/call.ts';
import type { FoundCall, UsualLeg } from '../pipeline/live-calls.ts';
import { callData } from '../report/calls.ts';
import {
  type Input,
  integerOption,
  type OptionSpec,
  type Result,
  type Run,
  type VerbSpec,
} from './command.ts';
import { confirm } from './confirm.ts';
import { callingUser, demandReachable, dialledIn, tenantNamed } from './dialled-target.ts';
import { endedBy } from './ended.ts';
import {
  atCall,
  callsInScope,
  demandState,
  interruptedResult,
  legOf,
  legOption,
  otherOf,
  partyText,
  refOf,
  scopeOptions,
  withNodes,
} from './live-scope.ts';

/** Words for causes of ITU-T Q.850 that somebody would end a call with. */
const causes: Readonly<Record<string, number>> = {
  normal: 16,
  busy: 17,
  'no-answer': 19,
  rejected: 21,
  unavailable: 20,
  congestion: 34,
};

function causeOf({ options }: Input, usual: keyof typeof causes): number {
  const given = String(options.cause ?? usual);
  const known = causes[given] ?? (/^\d{1,3}$/.test(given) ? Number(given) : 0);
  if (known >= 1 && known <= 127) return known;
  throw new SipctlError('invalid', {
    code: 'invalid_cause',
    message: `cause: '${given}' is no cause`,
    field: 'cause',
    hint: `give ${Object.keys(causes).join(', ')}, or a number of Q.850 from 1 to 127`,
  });
}

const causeOption = (usual: string): OptionSpec => [
  '--cause <cause>',
  `what the parties are told: ${Object.keys(causes).join(', ')}, or a number of Q.850; ${usual} where not given`,
];

function done(app: App, call: Call, told: Record<string, unknown>, text: string): Result {
  const data = { ...told, call: callData(call, app.now().getTime()) };
  return { changed: true, data, text: () => `${text}\n` };
}

const hangup: Run = async (app, input) => {
  const cause = causeOf(input, 'normal');
  const all = input.options.all === true;
  if (all === (input.args[0] !== undefined)) throw oneOrAll();
  if (all) return hangUpAll(app, input, cause);
  return atCall(app, input, async (found) => {
    const { call, plane } = found;
    if (input.options.leg !== undefined) {
      const leg = await legOf(input, call, 'caller');
      await plane.hangup(refOf(leg), cause);
      return done(app, call, { hungUp: [leg.id], cause }, `${partyText(leg)} was hung up`);
    }
    const hungUp = await hangUp(found, cause);
    return done(app, call, { hungUp, cause }, `call ${call.id} was hung up`);
  });
};

const oneOrAll = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: 'one call is needed, or --all',
    hint: 'sipctl call hangup <call>, or sipctl call hangup --all --tenant acme',
  });

// Mostly the second channel goes with the first one.
async function hangUp({ plane, call }: FoundCall, cause: number): Promise<string[]> {
  const hungUp: string[] = [];
  for (const leg of call.legs) {
    try {
      await plane.hangup(refOf(leg), cause);
      hungUp.push(leg.id);
    } catch (error) {
      if (!(error instanceof SipctlError) || error.outcome !== 'notFound') throw error;
    }
  }
  return hungUp;
}

const hangUpAll = (app: App, input: Input, cause: number): Promise<Result> =>
  withNodes(app, input, async (nodes) => {
    const { found, failures } = await callsInScope(app, input, nodes);
    const whose = input.options.allTenants === true ? 'all tenants' : `tenant ${app.config.tenant}`;
    if (found.length > 0) await confirm(app, `Hang up ${counted(found.length)} of ${whose}?`);
    const errors = [...failures];
    const hungUp: string[] = [];
    for (const one of found) {
      if (app.signal.aborted) break;
      try {
        await hangUp(one, cause);
        hungUp.push(one.call.id);
      } catch (error) {
        if (!(error instanceof SipctlError)) throw error;
        errors.push(error);
      }
    }
    const count = hungUp.length;
    const changed = count > 0;
    const data = { hungUp, count, cause };
    const said = `${counted(count)} of ${whose} ${count === 1 ? 'was' : 'were'} hung up`;
    if (app.signal.aborted)
      return { ...interruptedResult(`interrupted: ${said}, of ${found.length}`, data), changed };
    return { changed, data, text: () => `${said}\n`, ...endedBy(errors) };
  });

const counted = (count: number): string => `${count} ${count === 1 ? 'call' : 'calls'}`;

type LegVerb = (app: App, input: Input, found: FoundCall, leg: Leg) => Promise<Result>;

/** A verb for one party of one call. */
const atLeg =
  (usual: UsualLeg, verb: LegVerb): Run =>
  (app, input) =>
    atCall(app, input, async (found) => verb(app, input, found, await legOf(input, found.call, usual)));

const hold = (on: boolean): Run =>
  atLeg('outside', async (app, _input, { call, plane }, leg) => {
    demandState(call, ['answered', 'held'], 'nobody can be held');
    const other = await otherOf(call, leg);
    const ref = other === null ? null : refOf(other);
    await (on ? plane.hold(refOf(leg), ref) : plane.unhold(refOf(leg), ref));
    const party = partyText(leg);
    return done(app, call, { leg: leg.id, held: on }, on ? `${party} is held` : `${party} is back`);
  });

const mute = (on: boolean): Run =>
  atLeg('outside', async (app, _input, { call, plane }, leg) => {
    await plane.mute(refOf(leg), on);
    const what = on ? 'is not heard any more' : 'is heard again';
    return done(app, call, { leg: leg.id, muted: on }, `${partyText(leg)} ${what}`);
  });

const transfer: Run = async (app, input) => {
  const { to: given, attended } = input.options;
  if (typeof given !== 'string') throw noTarget();
  return atCall(app, input, async ({ call, plane }) => {
    const leg = await legOf(input, call, attended === true ? 'user' : 'outside');
    const tenant = await tenantNamed(app, call.tenant ?? app.config.tenant);
    const dialled = await dialledIn(app, tenant, given, 'to');
    const other = await otherOf(call, leg);
    const user = (attended === true ? leg : other)?.party;
    if (user?.kind === 'user' && user.tenant === tenant.name)
      await demandReachable(app, await callingUser(app, tenant, user.name, null), dialled);
    const to = { tenant: tenant.name, dialled };
    if (attended !== true) {
      await plane.transfer(refOf(leg), to);
      return done(app, call, { leg: leg.id, to: dialled }, `${partyText(leg)} was sent to ${dialled}`);
    }
    demandState(call, ['answered', 'held'], 'there is nobody to be transferred');
    if (other === null) throw noOther(call);
    await plane.attendedTransfer(refOf(leg), refOf(other), to);
    const said = `${partyText(other)} talks to ${dialled}, and ${partyText(leg)} has left`;
    return done(app, call, { leg: leg.id, other: other.id, to: dialled }, said);
  });
};

const noTarget = (): SipctlError =>
  new SipctlError('usage', {
    code: 'usage',
    message: 'a transfer needs --to',
    field: 'to',
    hint: 'give what a user of the tenant would dial: --to 1002, --to +4930123456',
  });

const noOther = (call: Call): SipctlError =>
  new SipctlError('refused', {
    code: 'no_other_party',
    message: `call ${call.id} has not one other party that could be transferred`,
    field: 'call',
    hint: 'sipctl call show tells its legs',
  });

const park = atLeg('outside', async (app, input, { call, plane }, leg) => {
  demandState(call, ['answered', 'held'], 'it cannot be parked');
  const seconds = integerOption(input, 'timeout', 1, 'give whole seconds, for example 120') ?? 120;
  const { slot } = await plane.park(refOf(leg), { seconds });
  return done(app, call, { leg: leg.id, slot, seconds }, `${partyText(leg)} is parked: dial ${slot}`);
});

const dtmf: Run = async (app, input) => {
  const digits = (input.args[1] ?? '').toUpperCase();
  if (!/^[0-9*#A-D]{1,64}$/.test(digits)) {
    throw new SipctlError('invalid', {
      code: 'invalid_digits',
      message: 'digits: only 0 to 9, *, # and A to D can be sent, 64 at most',
      field: 'digits',
      hint: "quote them for the shell: '1234#'",
    });
  }
  return atLeg('outside', async (_app, _input, { call, plane }, leg) => {
    demandState(call, ['answered', 'held'], 'nobody hears digits');
    await plane.dtmf(refOf(leg), digits);
    // What is dialled may be a card or a PIN: it is not said again.
    return done(app, call, { leg: leg.id, count: digits.length }, `digits were sent to ${partyText(leg)}`);
  })(app, input);
};

const answer = atLeg('caller', async (app, _input, { call, plane }, leg) => {
  demandState(call, ['ringing'], 'it cannot be answered');
  await plane.answer(refOf(leg));
  return done(app, call, { leg: leg.id }, `the call of ${partyText(leg)} was answered`);
});

const reject: Run = async (app, input) => {
  const cause = causeOf(input, 'rejected');
  return atLeg('caller', async (_app, _input, { call, plane }, leg) => {
    demandState(call, ['ringing'], 'it cannot be rejected; call hangup ends it');
    await plane.reject(refOf(leg), cause);
    return done(app, call, { leg: leg.id, cause }, `the call of ${partyText(leg)} was rejected`);
  })(app, input);
};

const outside = legOption('the party outside');
const one = { args: '<call>', options: [...scopeOptions, outside] };

export const callVerbs: readonly VerbSpec[] = [
  {
    name: 'hangup',
    summary: 'end a call, or one leg of it',
    args: '[call]',
    options: [
      ...scopeOptions,
      legOption('all of them'),
      ['--all', 'every call of the tenant; asks first'],
      causeOption('normal'),
    ],
    examples: ['sipctl call hangup 1714.12 --tenant acme', 'sipctl call hangup --all --tenant acme --yes'],
    run: hangup,
  },
  { ...one, name: 'hold', summary: 'let a party hear music', run: hold(true) },
  { ...one, name: 'unhold', summary: 'bring a held party back', run: hold(false) },
  { ...one, name: 'mute', summary: 'let nobody hear a party', run: mute(true) },
  { ...one, name: 'unmute', summary: 'let a party be heard again', run: mute(false) },
  {
    name: 'transfer',
    summary: 'send a party of a call elsewhere',
    args: '<call>',
    options: [
      ...scopeOptions,
      legOption('the party outside, or with --attended the user'),
      ['--to <number>', 'what a user of the tenant would dial, or a user’s name'],
      ['--attended', 'the party at --leg talks to --to first, and leaves when that one answers'],
    ],
    examples: ['sipctl call transfer 1714.12 --tenant acme --to 1002 --attended'],
    run: transfer,
  },
  {
    name: 'park',
    summary: 'park a party, to be taken back from any phone',
    args: '<call>',
    options: [
      ...scopeOptions,
      outside,
      ['--timeout <s>', 'seconds until it rings back; 120 where not given'],
    ],
    run: park,
  },
  { ...one, args: '<call> <digits>', name: 'dtmf', summary: 'send digits to a party', run: dtmf },
  {
    name: 'answer',
    summary: 'answer a call that rings, in the place of the phones',
    args: '<call>',
    options: [...scopeOptions, legOption('the caller')],
    run: answer,
  },
  {
    name: 'reject',
    summary: 'refuse a call that rings',
    args: '<call>',
    options: [...scopeOptions, legOption('the caller'), causeOption('rejected')],
    run: reject,
  },
];

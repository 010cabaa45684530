import type { Node } from '../../../model/nouns.ts';
import type { ControlPlane } from '../../control-plane.ts';
import type { EslConnection } from '../esl/connection.ts';
import { openEsl } from '../running-system.ts';
import type { Timeouts } from '../timeouts.ts';
import { dtmf, hangup, originate, transfer } from './call-verbs.ts';
import { hold, mute, pauseRecording, startRecording, stopRecording, unhold } from './media-verbs.ts';
import { attendedTransfer } from './outward.ts';
import { park } from './parking.ts';
import { answer, reject } from './ringing.ts';
import { changeConference, conferences, invite } from './rooms.ts';
import { type Observing, observe } from './session.ts';
import { spy } from './spying.ts';
import type { Verbs } from './verbs.ts';

/** Seconds that somebody is rung whom an attended transfer is for. */
const consultSeconds = 30;

/**
 * Opens a session at a node's FreeSWITCH for what goes on there, and for the verbs of calls.
 * @throws SipctlError `unreachable`, `interrupted`, or `refused`
 */
export async function openControl(
  node: Node,
  timeouts: Timeouts,
  options: { events: boolean; signal?: AbortSignal | undefined },
): Promise<ControlPlane> {
  return controlOf(await observe(node, timeouts, options), (signal) => openEsl(node, timeouts, signal));
}

function controlOf(
  { esl, ask, ...observing }: Observing,
  connect: (signal: AbortSignal) => Promise<EslConnection>,
): ControlPlane {
  const closed = new AbortController();
  const further = new Set<EslConnection>();
  const verbs: Verbs = {
    ask,
    background: (command, seconds) => esl.background(command, { timeoutMs: seconds * 1000 }),
    tell: (subclass, headers) => esl.tell(subclass, headers),
    open: async () => {
      const one = await connect(closed.signal);
      further.add(one);
      return one;
    },
  };
  return {
    ...observing,
    hangup: (leg, q850) => hangup(ask, leg, q850),
    originate: (request) => originate(verbs, request),
    hold: (leg, other) => hold(verbs, leg, other),
    unhold: (leg, other) => unhold(verbs, leg, other),
    mute: (leg, on) => mute(ask, leg, on),
    transfer: (leg, to) => transfer(ask, leg, to),
    attendedTransfer: (leg, other, to) => attendedTransfer(verbs, leg, other, to, consultSeconds),
    park: (leg, options) => park(ask, leg, options),
    dtmf: (leg, digits) => dtmf(ask, leg, digits),
    spy: (request) => spy(verbs, request),
    answer: (leg) => answer(ask, leg),
    reject: (leg, q850) => reject(ask, leg, q850),
    startRecording: (leg, path) => startRecording(ask, leg, path),
    stopRecording: (leg) => stopRecording(ask, leg),
    pauseRecording: (leg, on) => pauseRecording(ask, leg, on),
    conferences: () => conferences(ask),
    changeConference: (room, change) => changeConference(ask, room, change),
    invite: (room, to, options) => invite(verbs, room, to, options),
    close: async () => {
      closed.abort();
      await Promise.all([esl, ...further].map((one) => one.close()));
    },
  };
}

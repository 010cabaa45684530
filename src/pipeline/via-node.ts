import { type Problem, SipctlError } from '../errors.ts';
import { canonicalIn } from '../model/flow/dialled.ts';
import { numberingPlan } from '../model/flow/numbering.ts';
import type { ResolvedTrunk } from '../model/site.ts';
import type { NodeCall, TrunkState } from '../platforms/node-view.ts';
import type { Target } from '../platforms/target.ts';
import type { Finding } from '../sip/finding.ts';
import { stopwatch } from '../sip/probe/clock.ts';
import { causeOfStatus } from '../sip/probe/status-cause.ts';

/** What is asked of a PBX about a trunk. */
export interface ViaNode {
  target: Target;
  country: string;
  call: { number: string; seconds: number } | null;
  /** Milliseconds that the called party may take to answer. */
  ringMs: number;
  signal: AbortSignal;
}

/**
 * How a trunk stands as seen from a PBX: its registration, whether the carrier answers it, and a real call through it. The
 * only test that counts where the carrier knows its customers by address.
 */
export async function testViaNode(trunk: ResolvedTrunk, via: ViaNode): Promise<Finding[]> {
  const since = stopwatch();
  const { target, signal } = via;
  const findings: Finding[] = [];
  try {
    const state = await target.trunkState(trunk.tenant, trunk.name, { signal, registerOnce: true });
    if (state === null) return [missing(target.node, since())];
    findings.push(registration(state, target.node, since()), qualify(state, target.node, since()));
    if (via.call !== null) findings.push(await callThrough(trunk, state, via));
    return findings;
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    if (error.outcome === 'interrupted') throw error;
    return [...findings, unasked(findings.length === 0 ? 'pbx-registration' : 'pbx-call', error, since())];
  }
}

const missing = (node: string, ms: number): Finding => ({
  stage: 'pbx-registration',
  status: 'failed',
  cause: 'not_on_node',
  detail: `${node} does not have the trunk`,
  ms,
  facts: { node },
});

// The node's own trouble is told in its own words.
function unasked(stage: Finding['stage'], error: SipctlError, ms: number): Finding {
  const problems: Problem[] = [...error.problems];
  return {
    stage,
    status: 'failed',
    cause: problems[0]?.code ?? 'failed',
    detail: error.message,
    ms,
    facts: { problems, unreachable: error.outcome === 'unreachable' },
  };
}

const registrationCauses = {
  registered: ['ok', null],
  none: ['skipped', null],
  trying: ['warning', 'unregistered'],
  unregistered: ['failed', 'unregistered'],
  failed: ['failed', 'registration_failed'],
  rejected: ['failed', 'registration_rejected'],
} as const;

function registration({ registration: state }: TrunkState, node: string, ms: number): Finding {
  const [status, known] = registrationCauses[state.state];
  const cause = state.state === 'rejected' ? rejectionOf(state.statusCode) : known;
  const next = state.nextInSeconds === null ? '' : `, next attempt in ${state.nextInSeconds} s`;
  return {
    stage: 'pbx-registration',
    status,
    cause,
    detail: state.state === 'none' ? `${node} does not register` : `${node}: ${state.detail}${next}`,
    ms,
    facts: { node, ...state },
  };
}

function rejectionOf(status: number | null): string {
  if (status === null) return 'registration_rejected';
  if (status === 401 || status === 407) return 'credentials_rejected';
  return status === 404 ? 'unknown_user' : causeOfStatus(status);
}

const qualifyCauses = {
  reachable: ['ok', null],
  off: ['skipped', null],
  unknown: ['warning', 'not_asked'],
  unreachable: ['failed', 'unreachable_from_pbx'],
} as const;

function qualify({ qualify: state, networks, callable }: TrunkState, node: string, ms: number): Finding {
  const [status, cause] = qualifyCauses[state.state];
  const dead = status !== 'failed' && !callable;
  const words = {
    reachable: `the carrier answers ${node} in ${state.rttMs === null ? '?' : state.rttMs.toFixed(1)} ms`,
    off: `${node} does not ask the carrier whether it is there`,
    unknown: `${node} has not asked the carrier so far`,
    unreachable: `the carrier does not answer ${node}`,
  };
  return {
    stage: 'pbx-qualify',
    status: dead ? 'failed' : status,
    cause: dead ? 'not_callable' : cause,
    detail: words[state.state],
    ms,
    facts: { node, ...state, networks, callable },
  };
}

async function callThrough(trunk: ResolvedTrunk, state: TrunkState, via: ViaNode): Promise<Finding> {
  const since = stopwatch();
  const { target, country, call, ringMs, signal } = via;
  const done = await target.callThrough(
    {
      trunk: { ...trunk, id: state.id },
      country,
      number: canonicalIn(numberingPlan(country), call?.number ?? ''),
      callerId: null,
      ringMs,
      talkMs: (call?.seconds ?? 0) * 1000,
    },
    signal,
  );
  const answered = done.outcome === 'answered';
  return {
    stage: 'pbx-call',
    status: answered ? 'ok' : 'failed',
    cause: answered ? null : causeOf(done),
    detail: said(done, target.node),
    ms: since(),
    facts: { node: target.node, ...done, ...(done.sipStatus === null ? {} : { status: done.sipStatus }) },
  };
}

/** ITU-T Q.850 where the engine does not tell the status of SIP; RFC 3398 §8.2.6.1 read backwards. */
const q850: Readonly<Record<number, string>> = {
  1: 'not_found',
  17: 'busy',
  18: 'temporarily_unavailable',
  19: 'temporarily_unavailable',
  20: 'temporarily_unavailable',
  21: 'forbidden',
  22: 'gone',
  28: 'address_incomplete',
  34: 'service_unavailable',
  38: 'service_unavailable',
  41: 'service_unavailable',
  42: 'service_unavailable',
  58: 'not_acceptable',
  65: 'not_acceptable',
  88: 'not_acceptable',
};

function causeOf({ outcome, sipStatus, cause }: NodeCall): string {
  if (outcome === 'not-sent') return 'not_callable';
  if (outcome === 'unanswered') return 'not_answered';
  if (sipStatus !== null) return causeOfStatus(sipStatus);
  return q850[cause ?? 0] ?? 'unexpected_status';
}

function said(call: NodeCall, node: string): string {
  const { number, outcome, answeredMs, codec, sipStatus, cause, causeText } = call;
  if (outcome === 'answered') {
    return `${node} called ${number}: answered after ${answeredMs ?? '?'} ms${codec === null ? '' : `, ${codec}`}`;
  }
  const status = sipStatus === null ? '' : `${sipStatus}, `;
  return `${node} called ${number}: ${outcome} (${status}Q.850 ${cause ?? '-'} ${causeText})`;
}

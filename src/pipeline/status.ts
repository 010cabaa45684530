import { SipctlError } from '../errors.ts';
import { isPending, type NodePlan } from '../plan/plan.ts';
import type { Engine, LiveState, Target } from '../platforms/target.ts';

/** How one node stands: what the database wants, what was delivered, what runs. */
export interface NodeStatus {
  node: string;
  place: string;
  generation: number;
  /** null where no control connection is configured. */
  verified: boolean | null;
  pending: boolean;
  engine: Engine | null;
  states: LiveState[];
  error: SipctlError | null;
}

/** Asks the running system for its registrations and contacts; a silent one is a line of the report, not its end. */
export async function statusOf(target: Target, plan: NodePlan, signal?: AbortSignal): Promise<NodeStatus> {
  const verified = target.controllable ? (await target.files.verified()) === plan.base : null;
  const status: NodeStatus = {
    node: target.node,
    place: target.files.place,
    generation: plan.base,
    verified,
    pending: isPending(plan),
    engine: null,
    states: [],
    error: null,
  };
  if (!target.controllable) return status;
  try {
    const running = await target.connect(signal);
    try {
      status.engine = running.engine;
      status.states = await running.states();
    } finally {
      await running.close();
    }
  } catch (error) {
    if (!(error instanceof SipctlError)) throw error;
    status.error = error;
  }
  return status;
}

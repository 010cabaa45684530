import { isPending, type NodePlan } from './plan.ts';
import { isServicePending, type ServicePlan } from './service-plan.ts';

/** A node whose plan could not be made; the others still have theirs. */
export interface NodeFailure {
  node: string;
  error: unknown;
}

/** A service that could not be asked; the others still have their plans. */
export interface ServiceFailure {
  service: string;
  error: unknown;
}

/** What would be done at hosted services. */
export interface ServicePlans {
  services: ServicePlan[];
  serviceFailures: ServiceFailure[];
}

/** What would be done everywhere. */
export interface Plan extends ServicePlans {
  nodes: NodePlan[];
  failures: NodeFailure[];
  /** Identifies the plan's content: `apply plan.json` refuses when a plan made now has another one. */
  checksum: string;
}

/** Whether there is anything to do. */
export const isPlanPending = ({ nodes, services }: Plan): boolean =>
  nodes.some(isPending) || services.some(isServicePending);

import { createHmac } from 'node:crypto';
import type { NodePlan } from './plan.ts';
import type { ServicePlan } from './service-plan.ts';

/**
 * Identifies what a plan would do. It is keyed with the database's own salt, so that a plan file in a build
 * log does not let anybody try out passwords against the hashes of files.
 */
export function planChecksum(
  nodes: readonly NodePlan[],
  salt: string,
  services: readonly ServicePlan[] = [],
): string {
  const hmac = createHmac('sha256', salt);
  for (const plan of nodes) {
    const changes = plan.changes.map(({ action, key, before, after }) => [
      action,
      key,
      before?.sha256,
      after?.sha256,
    ]);
    hmac.update(JSON.stringify([plan.node, plan.base, plan.unverified, plan.reload, changes]));
  }
  for (const { service, changes } of services) {
    const told = changes.map(({ action, key, id, options, desired }) => {
      const secrets = Object.entries(desired?.secrets ?? {}).map(([name, secret]) => [name, secret.reveal()]);
      return [action, key, id, options, secrets];
    });
    hmac.update(JSON.stringify([service, told]));
  }
  return hmac.digest('hex');
}

import { explainFinding } from '../diagnosis/explain.ts';
import { resolveTrunk } from '../model/resolve.ts';
import type { Catalog } from '../model/template.ts';
import type { Finding } from '../sip/finding.ts';
import { causeOfStatus } from '../sip/probe/status-cause.ts';
import type { TrunkUnderTest } from './test-trunks.ts';
import type { Tested } from './tested.ts';

/** What an answer of a trunk's carrier means, as a test that met it would tell. Nothing is sent. */
export function explainedStatus(
  { trunk, tenant }: TrunkUnderTest,
  catalog: Catalog,
  status: number,
  stage: 'register' | 'call' | 'options',
): Tested {
  const finding: Finding = {
    stage,
    status: 'failed',
    cause: causeDuring(status, stage),
    detail: `the answer was ${status}`,
    ms: 0,
    facts: { status },
  };
  const template = catalog.providers.get(trunk.provider);
  const resolved = template === undefined ? null : resolveTrunk(trunk, tenant, template);
  return {
    ...{ tenant: trunk.tenant, name: trunk.name, kind: 'trunk', status: 'failed', stages: [finding] },
    knownByAddress: resolved?.authType === 'ip',
    causes: resolved === null ? [] : explainFinding({ ...resolved, noun: 'trunk' }, finding),
  };
}

// A challenge that stands in a log is one that could not be met.
function causeDuring(status: number, stage: string): string {
  if (status === 401 || status === 407) return 'credentials_rejected';
  return status === 404 && stage === 'register' ? 'unknown_user' : causeOfStatus(status);
}

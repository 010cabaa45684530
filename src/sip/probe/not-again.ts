import type { Finding, StageName } from '../finding.ts';

/** A stage that was left out to keep the carrier from locking the account. */
export const notAgain = (stage: StageName, ms: number): Finding => ({
  stage,
  status: 'failed',
  cause: 'rejected_before',
  detail: 'not tried: the carrier has rejected this account in this run already, and might lock it',
  ms,
  facts: {},
});

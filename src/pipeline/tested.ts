import type { Subject } from '../diagnosis/case.ts';
import { explainFinding } from '../diagnosis/explain.ts';
import { type Problem, SipctlError } from '../errors.ts';
import type { Finding } from '../sip/finding.ts';
import type { ProbeSurroundings } from '../sip/probe/settings.ts';

/** What a test of one trunk or user found. */
export interface Tested {
  tenant: string;
  name: string;
  kind: 'trunk' | 'user';
  /** True where the other side tells its customers apart by the address that they send from. */
  knownByAddress: boolean;
  status: Finding['status'];
  stages: Finding[];
  causes: Problem[];
}

/** What all tests of a run see of the world. */
export type TestSurroundings = Omit<ProbeSurroundings, 'accountOnce' | 'progress'>;

/** The gravest status of all stages. */
export const worst = (stages: readonly Finding[]): Finding['status'] =>
  (['failed', 'warning', 'ok'] as const).find((status) => stages.some((stage) => stage.status === status)) ??
  'skipped';

/** What was found wrong, each thing once: OPTIONS and REGISTER may meet the same silence. */
export const causesOf = (subject: Subject, stages: readonly Finding[]): Problem[] => [
  ...new Map(
    stages
      .flatMap((finding) => explainFinding(subject, finding))
      .map((one) => [`${one.code} ${one.message}`, one]),
  ).values(),
];

/** The errors that a command ends with for tests that failed; where nothing but the way there failed, `unreachable`. */
export function testFailure(tests: readonly Tested[]): SipctlError | null {
  const failed = tests.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return null;
  const unreached = failed.every(({ stages }) =>
    stages.filter(({ status }) => status === 'failed').every(isUnreached),
  );
  const problems = failed.flatMap((test) => {
    const prefix = tests.length === 1 ? '' : `${test.tenant}/${test.name}: `;
    return test.causes.map((cause) => ({ ...cause, message: prefix + cause.message }));
  });
  return new SipctlError(unreached ? 'unreachable' : 'failed', problems);
}

const ways = new Set([
  'no_answer',
  'connection_refused',
  'connection_timeout',
  'host_unreachable',
  'network_unreachable',
]);

// Over UDP a way that is closed shows only when something is sent. Who breaks a connection off was reached.
const isUnreached = ({ stage, cause, facts }: Finding): boolean =>
  stage === 'dns' || stage === 'connect' || ways.has(cause ?? '') || facts.unreachable === true;

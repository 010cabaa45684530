import type { Problem } from '../errors.ts';
import type { Finding } from '../sip/finding.ts';
import { accepting } from './accepting.ts';
import { answered } from './answers.ts';
import type { Explanations, Subject } from './case.ts';
import { media } from './media.ts';
import { reaching } from './reaching.ts';
import { seenByPbx } from './seen-by-pbx.ts';
import { webRtc } from './webrtc.ts';

const explanations: Explanations = {
  ...reaching,
  ...accepting,
  ...answered,
  ...media,
  ...seenByPbx,
  ...webRtc,
};

/** Why a stage failed or warns, and what to do, in the words of the subject’s own fields; what its carrier is known for first. */
export function explainFinding(subject: Subject, finding: Finding): Problem[] {
  const { cause, facts, detail } = finding;
  if (cause === null) return [];
  if (Array.isArray(facts.problems)) return facts.problems as Problem[];
  const stage = finding.stage === 'pbx-call' ? 'call' : finding.stage;
  const explanation = explanations[cause]?.({ subject, stage, facts, detail }) ?? {
    message: detail,
    hint: '--trace <file> shows every message',
  };
  return [...ofCarrier(subject, stage, cause), { code: cause, ...explanation }];
}

function ofCarrier({ template }: Subject, stage: string, cause: string): Problem[] {
  return template.failures
    .filter((known) => known.cause === cause && (known.stage === null || known.stage === stage))
    .map(({ means, field }) => ({
      code: cause,
      message: `${template.displayName}: ${means}`,
      ...(field === null ? {} : { field }),
      hint: template.docs,
    }));
}

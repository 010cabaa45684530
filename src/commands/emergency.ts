import type { App } from '../app.ts';
import { type Emergency, emergency } from '../model/call-nouns.ts';
import { callBackWarnings, inboundOnlyProblems } from '../model/check-calls.ts';
import * as nouns from '../model/nouns.ts';
import { tenantIsThere, trunksNamed } from './call-surroundings.ts';
import { type Findings, nounCommand, type ObjectDraft } from './noun-verbs.ts';

async function checkAround(draft: ObjectDraft, app: App): Promise<Findings> {
  if (!(await tenantIsThere(app, draft))) return { problems: [], warnings: [] };
  const { records } = await app.store();
  const { callerId, trunks } = draft.values as unknown as Emergency;
  const number =
    callerId === null ? null : await records.find(nouns.number, { tenant: draft.ref.tenant, name: callerId });
  return {
    problems: inboundOnlyProblems(trunks, await trunksNamed(app, draft, trunks)),
    warnings: callBackWarnings(callerId, number !== null),
  };
}

export const emergencyCommand = nounCommand({
  noun: emergency,
  summary: 'emergency numbers, never refused',
  listed: ['callerId', 'trunks'],
  examples: ['sipctl emergency add 112 --tenant acme --caller-id +493012345678 --trunks telnyx_main'],
  checkAround,
});

import type { App } from '../app.ts';
import type { Problem } from '../errors.ts';
import { boxOf, keepsVoicemail, noBox } from '../model/check-calls.ts';
import { mentionsIn } from '../model/mentions.ts';
import * as nouns from '../model/nouns.ts';
import type { ObjectDraft } from './noun-verbs.ts';

/** What the checks of call nouns need to know of the tenant; what is not there is complained of when it is written. */

/** The tenant's trunks of these names. */
export async function trunksNamed(
  app: App,
  { ref }: ObjectDraft,
  names: readonly string[] | null,
): Promise<nouns.Trunk[]> {
  const { records } = await app.store();
  const found = await Promise.all(
    (names ?? []).map((name) => records.find(nouns.trunk, { tenant: ref.tenant, name })),
  );
  return found.filter((trunk) => trunk !== null) as unknown as nouns.Trunk[];
}

/** Whether the draft's tenant is there: where it is not, that is said when the object is written. */
export async function tenantIsThere(app: App, { ref }: ObjectDraft): Promise<boolean> {
  const { records } = await app.store();
  return (await records.find(nouns.tenant, { tenant: null, name: ref.tenant as string })) !== null;
}

/** Voicemail boxes of others that the draft leads to and that their users do not keep. */
export async function boxProblems(app: App, draft: ObjectDraft): Promise<Problem[]> {
  const { noun, ref, values } = draft;
  const self = noun.name === 'user' ? ref.name : null;
  const boxes = mentionsIn(noun, values).filter(({ text }) => boxOf(text) !== null);
  const ofOthers = boxes.filter(({ mention }) => mention.name !== self);
  if (ofOthers.length === 0 || !(await tenantIsThere(app, draft))) return [];
  const { records } = await app.store();
  const { users } = await app.catalog();
  const problems: Problem[] = [];
  for (const { field, mention } of ofOthers) {
    const found = await records.find(nouns.user, { tenant: ref.tenant, name: mention.name });
    const owner = found as Owner | null;
    if (owner !== null && !keepsVoicemail(owner, users.get(owner.template)))
      problems.push(noBox(field, mention.name));
  }
  return problems;
}

type Owner = Pick<nouns.User, 'voicemail' | 'template'>;

/** Objects that lead to a user's voicemail box, where this draft takes the box away. */
export async function lostBoxProblems(app: App, { ref, values, changed }: ObjectDraft): Promise<Problem[]> {
  const by = changed.find((field) => field === 'voicemail' || field === 'template');
  if (by === undefined) return [];
  const user = values as unknown as Owner;
  if (keepsVoicemail(user, (await app.catalog()).users.get(user.template))) return [];
  const { records } = await app.store();
  const mentioners = await records.mentioners([{ noun: nouns.user, ref }]);
  return mentioners
    .filter(({ text }) => boxOf(text) === ref.name)
    .map(({ noun, ref: { name, tenant }, field, text }) => ({
      code: 'voicemail_in_use',
      message: `${by}: ${noun} ${name} sends calls to the voicemail box (${field} ${text})`,
      field: by,
      hint: `keep it with --voicemail, or send them elsewhere: sipctl ${noun} set ${name} --tenant ${tenant}`,
    }));
}

/** Objects that name a trunk to send calls through, as a warning where it takes none any more. */
export async function idleTrunkWarnings(app: App, { ref, values, changed }: ObjectDraft): Promise<Problem[]> {
  if (values.outbound !== false || !changed.includes('outbound')) return [];
  const { records } = await app.store();
  return (await records.mentioners([{ noun: nouns.trunk, ref }])).map(({ noun, ref: by, field }) => ({
    code: 'trunk_not_outbound',
    message: `outbound: ${noun} ${by.name} names the trunk, and passes it over from now on`,
    field: 'outbound',
    hint: `sipctl ${noun} set ${by.name} --tenant ${by.tenant} --${field} … takes it out`,
  }));
}

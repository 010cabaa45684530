import type { App } from '../app.ts';
import type { Problem } from '../errors.ts';
import { livekit, twilioOrigination, twilioTrunk } from '../model/service-nouns.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Patch, Writer } from '../store/writer.ts';
import { ensureLivekit } from './twilio-ensure.ts';

/** Calls of the trunk reach the project only where Twilio is told its address. */
export async function recordOrigination(writer: Writer, ref: ObjectRef, { sipUri }: Patch): Promise<void> {
  if (typeof sipUri === 'string') await leadThere(writer, ref, sipUri);
}

async function leadThere(writer: Writer, ref: ObjectRef, sipUri: string): Promise<void> {
  const { twilioTrunk: name } = await writer.get(livekit, ref);
  await ensureLivekit(writer, { ...ref, name }, sipUri);
}

/** Has the trunk's calls sent to the project: to its own address; to the configured one where they go nowhere yet. */
export async function leadToProject(app: App, ref: ObjectRef): Promise<void> {
  const store = await app.store();
  const { sipUri } = await store.records.get(livekit, ref);
  const isLed = (await originationsOf(app, ref)).length > 0;
  const uri = sipUri ?? (isLed ? null : app.config.livekitSipUri);
  if (uri !== null) await store.write((writer) => leadThere(writer, ref, uri));
}

/** Where the trunk of a connection sends its calls. */
async function originationsOf(app: App, ref: ObjectRef) {
  const { records } = await app.store();
  const { twilioTrunk: trunk } = await records.get(livekit, ref);
  const all = await records.list(twilioOrigination, { tenant: ref.tenant });
  return all.filter((one) => one.twilioTrunk === trunk && one.enabled);
}

/** What keeps calls of the trunk from reaching the project, as far as the database tells. */
export async function originationWarnings(app: App, ref: ObjectRef): Promise<Problem[]> {
  const { records } = await app.store();
  const { twilioTrunk: name } = await records.get(livekit, ref);
  const { secure } = await records.get(twilioTrunk, { tenant: ref.tenant, name });
  const originations = await originationsOf(app, ref);
  if (originations.length === 0) return [notLedTo(ref, name)];
  const inTheClear = originations.filter(({ sipUrl }) => !/^sips:|;transport=tls\b/i.test(sipUrl));
  return secure && inTheClear.length === originations.length ? [notEncrypted(ref, name)] : [];
}

const ensureWith = ({ tenant, name }: ObjectRef, uri: string): string =>
  `sipctl livekit ensure ${name} --tenant ${tenant} --sip-uri '${uri}'`;

const notLedTo = (ref: ObjectRef, trunk: string): Problem => ({
  code: 'livekit_not_led_to',
  message: `no origination of Twilio trunk '${trunk}' leads to LiveKit: calls to its numbers do not arrive`,
  field: 'sipUri',
  hint: ensureWith(ref, 'sip:<project>.sip.livekit.cloud'),
});

const notEncrypted = (ref: ObjectRef, trunk: string): Problem => ({
  code: 'livekit_not_encrypted',
  message: `Twilio trunk '${trunk}' takes TLS only, and no address that gets its calls asks for it`,
  field: 'sipUri',
  hint: ensureWith(ref, 'sip:<project>.sip.livekit.cloud;transport=tls'),
});

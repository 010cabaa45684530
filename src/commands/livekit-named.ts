import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { livekit } from '../model/service-nouns.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Input } from './command.ts';
import { refOf } from './object-ref.ts';

/**
 * The connection that a command names; the only one of the tenant where it names none.
 * @throws SipctlError `invalid` where the tenant has several
 */
export async function namedConnection(app: App, input: Input): Promise<ObjectRef | null> {
  if (input.args[0] !== undefined) return refOf(livekit, app, input);
  const { tenant } = app.config;
  const store = await app.store();
  const names = (await store.records.list(livekit, { tenant })).map(({ name }) => name);
  if (names.length > 1)
    throw new SipctlError('invalid', {
      code: 'livekit_not_named',
      message: `tenant '${tenant}' has several LiveKit connections: ${names.join(', ')}`,
      field: 'name',
      hint: `name the one that is meant, behind the verb: ${names[0]}`,
    });
  return names[0] === undefined ? null : { tenant, name: names[0] };
}

/** The same, for what needs one. @throws SipctlError `notFound` where the tenant has none */
export async function existingConnection(app: App, input: Input): Promise<ObjectRef & { tenant: string }> {
  const ref = await namedConnection(app, input);
  const { tenant } = app.config;
  if (ref === null)
    throw new SipctlError('notFound', {
      code: 'livekit_not_found',
      message: `tenant '${tenant}' has no LiveKit connection`,
      hint: `sipctl livekit add main --tenant ${tenant} --twilio-trunk … --url wss://… --api-key … --api-secret-stdin`,
    });
  await (await app.store()).records.get(livekit, ref);
  return { ...ref, tenant };
}

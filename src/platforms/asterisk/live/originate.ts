import type { CallingUser, Originated } from '../../control-plane.ts';
import { dialable, type Hands, refused } from './hands.ts';
import { ring } from './ringing.ts';

/** What a user of the tenant dials in. */
export const dialContext = (tenant: string): string => `t-${tenant}`;

/**
 * Demands that something which is dialled leads somewhere.
 * @throws SipctlError `refused` for an extension that nobody has, `invalid` for what cannot be dialled
 */
export async function demandDialled(hands: Hands, tenant: string, to: string): Promise<string> {
  const dialled = dialable(to);
  for (const context of ['dialled', 'emergency']) {
    if (await hands.hasExtension(`t-${tenant}.${context}`, dialled)) return dialled;
  }
  throw refused(
    'leads_nowhere',
    `${dialled} leads nowhere when a user of ${tenant} dials it`,
    `see 'sipctl route simulate', and whether 'sipctl apply' was run`,
  );
}

/** Rings a user's phones, and dials for the user. @throws like `ControlPlane` */
export async function originate(
  hands: Hands,
  { user, to, signal }: { user: CallingUser; to: string; signal?: AbortSignal | undefined },
): Promise<Originated> {
  const dialled = await demandDialled(hands, user.tenant, to);
  const { id: _, ...outcome } = await ring(hands, {
    channels: await phonesOf(hands, user),
    does: { Context: dialContext(user.tenant), Exten: dialled, Priority: 1 },
    tenant: user.tenant,
    ringSeconds: user.ringSeconds,
    signal,
  });
  return outcome;
}

/** The phones of a user, each as it is dialled. @throws SipctlError `refused` where none is registered */
export async function phonesOf(
  hands: Hands,
  { endpoint, username }: Pick<CallingUser, 'endpoint' | 'username'>,
): Promise<string[]> {
  const answer = await hands.act('Getvar', { Variable: `PJSIP_DIAL_CONTACTS(${endpoint})` });
  const phones = (answer.get('Value') ?? '').split('&').filter((one) => one.startsWith(`PJSIP/${endpoint}/`));
  if (phones.length > 0) return phones;
  throw refused('no_phone', `${username} has no phone registered`, `see 'sipctl user show ${username}'`);
}

import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { canonicalIn } from '../model/flow/dialled.ts';
import { numberingPlan } from '../model/flow/numbering.ts';
import { simulate } from '../model/flow/simulate.ts';
import { userId } from '../model/identity.ts';
import * as nouns from '../model/nouns.ts';
import type { CallingUser } from '../platforms/control-plane.ts';
import { bareNumber } from './tenant-flow.ts';

/** What people write for whom they call: digits, a number as they are written, or a user's name. */
const dialable = /^\+?[0-9*#]{1,32}$/;

/**
 * What a user of the tenant dials to reach this: an extension as it is, a number in E.164, a user's extension for the
 * user's name. @throws SipctlError `invalid`, `notFound`
 */
export async function dialledIn(
  app: App,
  tenant: nouns.Tenant,
  text: string,
  field: string,
): Promise<string> {
  const store = await app.store();
  const bare = bareNumber(text.trim());
  if (dialable.test(bare)) {
    if ((await store.holderOf(tenant.name, bare)) !== null) return bare;
    return canonicalIn(numberingPlan(tenant.country), bare);
  }
  const name = nouns.user.keyRule(text);
  const user = name.ok
    ? ((await store.records.find(nouns.user, { tenant: tenant.name, name: name.value })) as nouns.User | null)
    : null;
  if (user !== null) return user.extension;
  throw new SipctlError(name.ok ? 'notFound' : 'invalid', {
    code: name.ok ? 'user_not_found' : `invalid_${field}`,
    message: name.ok
      ? `${field}: there is no user '${name.value}' in tenant '${tenant.name}'`
      : `${field}: '${text}' is no number, extension, or name of a user`,
    field,
    hint: 'write +4930123456, 030 123456, an extension like 1001, or the name of a user',
  });
}

/** The tenant as it is stored. @throws SipctlError `notFound` */
export async function tenantNamed(app: App, name: string): Promise<nouns.Tenant> {
  const { records } = await app.store();
  return (await records.get(nouns.tenant, { tenant: null, name })) as unknown as nouns.Tenant;
}

/** The user in whose name is called. @throws SipctlError `notFound`; `refused` where the user, or the tenant, is disabled */
export async function callingUser(
  app: App,
  tenant: nouns.Tenant,
  username: string,
  ringSeconds: number | null,
): Promise<CallingUser> {
  const { records } = await app.store();
  const ref = { tenant: tenant.name, name: username };
  const user = (await records.get(nouns.user, ref)) as unknown as nouns.User;
  if (!user.enabled || !tenant.enabled) {
    throw new SipctlError('refused', {
      code: 'disabled',
      message: `${user.enabled ? `tenant ${tenant.name}` : `user ${username}`} is disabled`,
      field: 'user',
      hint: user.enabled ? `sipctl tenant enable ${tenant.name}` : `sipctl user enable ${username}`,
    });
  }
  return {
    endpoint: userId(tenant.domain, user.username),
    tenant: tenant.name,
    username: user.username,
    extension: user.extension,
    ringSeconds: ringSeconds ?? user.ringTime,
  };
}

/**
 * Holds a number against the tenant's dialplan, before a call is sent where nothing answers and is lost.
 * @throws SipctlError `refused` where the user may not call it, or nothing is there
 */
export async function demandReachable(app: App, user: CallingUser, dialled: string): Promise<void> {
  const { resolveSite } = await import('../model/resolve.ts');
  const site = await (await app.store()).tenantSite(user.tenant);
  const { flow, users } = resolveSite(site, await app.catalog());
  // A context of the operator's own may know what the tenant's does not.
  const { userContext } = await import('../model/identity.ts');
  const context = users.find(({ username }) => username === user.username)?.context;
  if (context !== undefined && context !== userContext(user.tenant)) return;
  const call = { kind: 'user', user: user.username, dialled, at: app.now() } as const;
  const { outcome } = simulate(flow, call, {});
  if (outcome.kind !== 'refused') return;
  throw new SipctlError('refused', {
    code: 'not_reachable',
    message: `${user.username} cannot call ${dialled}: it would be refused (Q.850 ${outcome.q850}, SIP ${outcome.sip})`,
    field: 'to',
    hint: `sipctl route simulate --tenant ${user.tenant} --user ${user.username} --outbound ${dialled}`,
  });
}

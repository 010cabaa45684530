import { lookup } from 'node:dns/promises';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { type TwilioAccount, twilioAccount, twilioOrigination } from '../model/service-nouns.ts';
import { resourceTitle } from '../plan/service-plan.ts';
import { type Check, failedCheck } from '../platforms/target.ts';
import { driftOfServices, type ServiceDrift } from './service-run.ts';

/** Whether there is an account at Twilio to look at. */
export async function hasTwilio(app: App): Promise<boolean> {
  const { records } = await app.store();
  return (await records.list(twilioAccount)).some(({ enabled }) => enabled);
}

/** Whether Twilio takes the credentials, has what sipctl made, and sends calls to an address that exists. */
export async function examineTwilio(app: App): Promise<Check[]> {
  const { records } = await app.store();
  const accounts = (await records.list(twilioAccount)).filter(({ enabled }) => enabled);
  const checks: Check[] = [
    accounts.length === 0
      ? {
          ...{ name: 'accounts', status: 'skipped', message: 'no tenant has a Twilio account' },
          hint: 'sipctl twilio account add main --account-sid AC… --auth-token-stdin',
        }
      : { name: 'accounts', status: 'ok', message: `${accounts.length} in the database` },
  ];
  for (const account of accounts) checks.push(await accountCheck(app, account));
  for (const drift of await driftOfServices(app, await app.services({ kind: 'twilio' })))
    checks.push(trunkCheck(drift));
  const addresses = (await records.list(twilioOrigination)).filter(({ enabled }) => enabled);
  for (const { tenant, name, sipUrl } of addresses)
    checks.push(await addressCheck(app, `origination ${tenant}/${name}`, sipUrl));
  return [...checks, await livekitCheck(app)];
}

async function accountCheck(app: App, account: TwilioAccount & { tenant?: string }): Promise<Check> {
  const name = `account ${account.tenant}/${account.name}`;
  try {
    const view = await app.twilioView(account);
    const { status } = await view.verify(app.signal);
    if (status === null || status === 'active')
      return { name, status: 'ok', message: 'Twilio takes the credentials' };
    return {
      ...{ name, status: 'failed', message: `the account is ${status}: its trunks carry no calls` },
      hint: 'see the Twilio console',
    };
  } catch (error) {
    return failedCheck(name, error);
  }
}

function trunkCheck({ service, isNew, differs, error }: ServiceDrift): Check {
  if (error !== null) return failedCheck(service, error);
  if (isNew)
    return {
      ...{ name: service, status: 'warning', message: 'nothing was made at Twilio yet' },
      hint: 'sipctl twilio ensure',
    };
  if (differs.length === 0) return { name: service, status: 'ok', message: 'as the database says' };
  return {
    ...{ name: service, status: 'warning', message: `differs: ${differs.map(resourceTitle).join(', ')}` },
    hint: 'sipctl twilio verify shows it, sipctl twilio ensure mends it',
  };
}

async function livekitCheck(app: App): Promise<Check> {
  const { livekitSipUri } = app.config;
  if (livekitSipUri !== null) return addressCheck(app, 'LIVEKIT_SIP_URI', livekitSipUri);
  return {
    ...{ name: 'LIVEKIT_SIP_URI', status: 'skipped' },
    message: 'not set: only needed where calls go to LiveKit',
  };
}

/** A project is reached for SIP by another name than for everything else. */
const isNotForSip = (host: string): boolean => /^[^.]+\.livekit\.cloud$/.test(host);

async function addressCheck(app: App, name: string, sipUrl: string): Promise<Check> {
  const host = /^sips?:(?:[^@]*@)?([^:;]+)/.exec(sipUrl)?.[1] ?? sipUrl;
  if (isNotForSip(host))
    return {
      ...{
        name,
        status: 'warning',
        message: `${host} is the address of a project, not that of its SIP service`,
      },
      hint: `use the SIP URI of the project’s settings: sip:${host.replace('.livekit', '.sip.livekit')}`,
    };
  try {
    await inTime(app, lookup(host));
    return { name, status: 'ok', message: sipUrl };
  } catch (error) {
    if (error instanceof SipctlError) throw error;
    return {
      ...{ name, status: 'failed', message: `${host} has no address in DNS: no call arrives there` },
      hint: 'check the host name',
    };
  }
}

async function inTime<T>(app: App, work: Promise<T>): Promise<T> {
  const late = AbortSignal.any([app.signal, AbortSignal.timeout(app.config.connectTimeout)]);
  return Promise.race([
    work,
    new Promise<never>((_, reject) => late.addEventListener('abort', () => reject(late.reason as Error))),
  ]);
}

import { afterEach, beforeEach, expect } from 'vitest';
import type { Ended, RunOptions, Sandbox } from '../support/run-sipctl.ts';
import { sandbox } from '../support/run-sipctl.ts';
import { remember, type Since } from '../support/twilio/foreign.ts';
import { startTwilio, type TwilioServer } from '../support/twilio/server.ts';

/** Those of the test that runs. */
export let box: Sandbox;
export let twilio: TwilioServer;
export let since: Since;

/** Gives each test a Twilio of its own, and the tenant `acme` an account there; what others own stays as it was. */
export function withTwilio(): void {
  beforeEach(async () => {
    twilio = await startTwilio();
    since = remember(twilio.account);
    box = await sandbox();
    await box.ok('tenant add acme');
    const account = `--account-sid ${twilio.account.sid} --auth-token-stdin`;
    await box.ok(`twilio account add main --tenant acme ${account}`, { input: twilio.account.authToken });
  });
  afterEach(async () => {
    expect(since.now()).toEqual(since.before);
    await twilio.close();
  });
}

const env = (): Record<string, string> => ({
  SIPCTL_TWILIO_API: twilio.url,
  SIPCTL_SERVICE_TIMEOUT: '2',
  SIPCTL_TENANT: 'acme',
});

export const run = (command: string, options: RunOptions = {}): Promise<Ended> =>
  box.sipctl(command, { ...options, env: { ...env(), ...options.env } });

/** For a command that has to succeed. */
export const ok = (command: string, options: RunOptions = {}): Promise<Ended> =>
  box.ok(command, { ...options, env: { ...env(), ...options.env } });

export const data = async <T = Record<string, never>>(command: string): Promise<T> =>
  (await ok(`${command} --json`)).json().data as T;

/** What `twilio show` says. */
export interface Facts {
  trunkSid: string;
  trunkName: string;
  domainName: string;
  domainPrefix: string;
  credentialListSid: string;
  sipUsername: string;
  sipPassword: string;
}

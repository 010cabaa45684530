import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import twilio from 'twilio';
import { expect } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { busyAccount, freeNumbers } from '../support/twilio/account.ts';
import { contractOf } from '../support/twilio/contract.ts';
import { officialClient } from '../support/twilio/official-client.ts';
import { realTwilio } from '../support/twilio/relay.ts';
import { observerHeader, startTwilio, type TwilioServer } from '../support/twilio/server.ts';
import { type Snapshot, since, snapshotOf } from '../support/twilio/snapshot.ts';
import { twilioSpecifications } from './twilio-specification.ts';

/** Whether Twilio itself is asked: it costs nothing but a number, and all that is made is removed. */
export const isReal = process.env.SIPCTL_TWILIO_LIVE === '1';

const specifications = await twilioSpecifications();
const contract = 'missing' in specifications ? undefined : contractOf(specifications);

const tenant = isReal ? 'sipctl-selftest' : 'acme';
/** Of the real account: one that no trunk has, if there is one. */
const number = isReal ? (process.env.TWILIO_NUMBER ?? null) : freeNumbers[0];
/** Whether there is a number that can be attached. */
export const hasNumber = number !== null;
const sipUrl = 'sip:project.sip.livekit.cloud';
const recording = 'record-from-answer';

/** sipctl with a tenant that has an account at Twilio, and whatever stands in between. */
export interface TwilioSite {
  sandbox: Sandbox;
  server: TwilioServer;
  /** Of a shell in which this site is worked with. */
  env: Record<string, string>;
  /** All that a tenant wants to have: one command line after the other. */
  provisioning: readonly string[];
  ok(command: string): ReturnType<Sandbox['ok']>;
  sipctl(command: string): ReturnType<Sandbox['sipctl']>;
  /** The built command in a process of its own. */
  start(command: string): ChildProcess;
  /** What was made since, and what was there before as it is now. */
  look(): Promise<{ made: Snapshot; before: Snapshot }>;
  /** What was there before, as it was. */
  before: Snapshot;
}

/** A site for as long as `play` lasts; in a real account nothing of it is left afterwards. */
export async function atTwilio(play: (site: TwilioSite) => Promise<void>): Promise<void> {
  const { site, end } = await twilioSite();
  try {
    await play(site);
  } finally {
    await end();
  }
}

async function twilioSite(): Promise<{ site: TwilioSite; end: () => Promise<void> }> {
  const box = await sandbox();
  const account = isReal ? realAccount() : busyAccount();
  const server = await startTwilio({
    account,
    ...(contract && { contract }),
    ...(isReal && { upstream: realTwilio }),
  });
  const observer = isReal
    ? twilio(account.sid, account.authToken)
    : officialClient(server, { [observerHeader]: '1' });
  const before = await snapshotOf(observer);
  const env = {
    TWILIO_TEST_TOKEN: account.authToken,
    SIPCTL_TENANT: tenant,
    SIPCTL_TWILIO_API: server.url,
    // Long enough for a busy machine: what is not answered is asked for again.
    SIPCTL_SERVICE_TIMEOUT: isReal ? '10' : '0.4',
  };
  const site: TwilioSite = {
    ...{ sandbox: box, server, env, before },
    provisioning: [
      `twilio ensure --livekit-sip-uri ${sipUrl} --recording ${recording} --json`,
      ...(number === null ? [] : [`twilio number attach ${number} --json`]),
    ],
    ok: (command) => box.ok(command, { env }),
    sipctl: (command) => box.sipctl(command, { env }),
    start: (command) => startBuilt(command, { ...box.env, ...env }),
    look: async () => since(before, await snapshotOf(observer)),
  };
  await site.ok(`tenant add ${tenant} --country DE`);
  await site.ok(`twilio account add main --account-sid ${account.sid} --auth-token env:TWILIO_TEST_TOKEN`);
  const end = async (): Promise<void> => {
    if (isReal) await sweep(observer, before);
    await server.close();
  };
  return { site, end };
}

function realAccount(): ReturnType<typeof busyAccount> {
  const { TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: authToken } = process.env;
  if (!sid || !authToken)
    throw new Error('SIPCTL_TWILIO_LIVE=1 wants TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN');
  return { ...busyAccount(), sid, authToken };
}

/** Removes what a test left in a real account: only what was not there before, under this tenant's names. */
async function sweep(client: twilio.Twilio, before: Snapshot): Promise<void> {
  const { made } = since(before, await snapshotOf(client));
  const isOurs = ({ friendlyName }: { friendlyName: string }): boolean =>
    friendlyName.startsWith(`main-trunk-${tenant}-`);
  for (const { sid } of made.trunks.filter(isOurs)) await client.trunking.v1.trunks(sid).remove();
  for (const { sid } of made.credentialLists.filter(isOurs)) await client.sip.credentialLists(sid).remove();
}

function startBuilt(command: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [join(process.cwd(), 'bin', 'sipctl.cjs'), ...command.split(' ')], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** How a process ended. */
export async function endOf(child: ChildProcess): Promise<NodeJS.Signals | number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.signalCode ?? child.exitCode;
  const [code, signal] = await once(child, 'exit');
  return signal ?? code;
}

/** Runs all that provisions the tenant, whatever comes of it. Gives the exit codes. */
export async function attempt({ provisioning, sipctl }: TwilioSite): Promise<number[]> {
  const codes: number[] = [];
  for (const command of provisioning) codes.push((await sipctl(command)).code);
  return codes;
}

/** Runs all that provisions the tenant, and demands that all of it is there then: once, and nothing else. */
export async function expectProvisioned(site: TwilioSite, when: string): Promise<void> {
  const { server, ok, provisioning, before: foreign } = site;
  server.heal();
  for (const command of provisioning) await ok(command);
  const { made, before } = await site.look();
  expect(before, `${when}: what is somebody else's`).toEqual(foreign);
  const shown = (await ok('twilio show --reveal --json')).json().data as unknown as Shown;
  const { trunkSid, trunkName, credentialListSid, sipUsername, domainName } = shown;
  expect(made, when).toEqual({
    trunks: [
      {
        ...{ sid: trunkSid, friendlyName: trunkName, domainName, secure: false, recording },
        credentialLists: [credentialListSid],
        originations: [{ friendlyName: 'sipctl-livekit', sipUrl, enabled: true }],
        numbers: number === null ? [] : [number],
      },
    ],
    credentialLists: [{ sid: credentialListSid, friendlyName: trunkName, usernames: [sipUsername] }],
  });
  if (!isReal) expectPassword(server, shown, when);
  const plan = await site.sipctl('plan --detailed-exitcode --json');
  expect([plan.code, plan.stderr], `${when}: a second plan\n${plan.stdout}`).toEqual([0, '']);
  expect(server.violations, when).toEqual([]);
}

interface Shown {
  trunkSid: string;
  trunkName: string;
  domainName: string;
  credentialListSid: string;
  sipUsername: string;
  sipPassword: string;
}

function expectPassword(
  { account }: TwilioServer,
  { credentialListSid, sipPassword }: Shown,
  when: string,
): void {
  const list = account.credentialLists.find(({ sid }) => sid === credentialListSid);
  expect(
    list?.credentials.map(({ password }) => password),
    `${when}: the password`,
  ).toEqual([sipPassword]);
}

import { onTestFinished } from 'vitest';
import { Secret } from '../../../src/model/secret.ts';
import {
  applyService,
  type PlannedService,
  planService,
  type ServiceMemory,
  type ServiceOutcome,
} from '../../../src/pipeline/hosted-services.ts';
import type { Remembered, ServicePlan } from '../../../src/plan/service-plan.ts';
import type { Patience } from '../../../src/platforms/twilio/http.ts';
import { type TwilioServiceParts, twilioService } from '../../../src/platforms/twilio/twilio-service.ts';
import { freeNumbers } from '../../support/twilio/account.ts';
import { remember, type Since } from '../../support/twilio/foreign.ts';
import { startTwilio, type TwilioOptions, type TwilioServer } from '../../support/twilio/server.ts';

/** What is remembered, for as long as the test runs. */
export function forgetfulMemory(entries: Map<string, Remembered> = new Map()): ServiceMemory {
  return {
    list: async () => [...entries.values()],
    keep: async (entry) => void entries.set(entry.key, entry),
    forget: async (key) => void entries.delete(key),
  };
}

export const password = 'Abcdefgh12345678';

/** The trunk of the tests, with one address for its calls and one number. */
export function trunkOf(
  account: TwilioServer['account'],
  changes: Partial<TwilioServiceParts['trunk']> = {},
): TwilioServiceParts {
  return {
    account: accountOf(account),
    trunk: {
      name: 'main',
      tenant: 'acme',
      friendlyName: 'main-trunk-acme-1700000000000',
      domainPrefix: 'user-acme-1700000000000',
      sipUsername: 'sip-acme',
      sipPassword: new Secret(password),
      secure: false,
      recording: 'do-not-record',
      trim: 'do-not-trim',
      ...changes,
    },
    originations: [originationOf('livekit', 'sip:project.sip.livekit.cloud')],
    numbers: [freeNumbers[0]],
  };
}

export const originationOf = (name: string, sipUrl: string): TwilioServiceParts['originations'][number] => ({
  name,
  sipUrl,
  priority: 10,
  weight: 10,
  enabled: true,
});

/** The account as it is stored: with its auth token. */
export const accountOf = ({ sid, authToken }: TwilioServer['account']): TwilioServiceParts['account'] => ({
  name: 'main',
  accountSid: sid,
  authToken: new Secret(authToken),
  apiKey: null,
  apiSecret: null,
});

/** Does not wait, and writes down how long it would have. */
export function hasty(waits: number[] = []): Partial<Patience> {
  const sleep = async (ms: number) => void waits.push(ms);
  return { timeoutMs: 300, sleep, random: () => 1 };
}

/** A server, and one trunk that is provisioned there. */
export interface Provisioned {
  server: TwilioServer;
  since: Since;
  memory: ServiceMemory;
  entries: Map<string, Remembered>;
  waits: number[];
  parts: TwilioServiceParts;
  planned(parts?: TwilioServiceParts, isToGo?: boolean): PlannedService;
  plan(parts?: TwilioServiceParts): Promise<ServicePlan>;
  /** Plans and applies. */
  ensure(parts?: TwilioServiceParts): Promise<ServiceOutcome>;
  destroy(): Promise<ServiceOutcome>;
}

export async function provisioned(options?: TwilioOptions): Promise<Provisioned> {
  const server = await startTwilio(options);
  onTestFinished(() => server.close());
  const entries = new Map<string, Remembered>();
  const memory = forgetfulMemory(entries);
  const waits: number[] = [];
  const own = trunkOf(server.account);
  const planned = (parts = own, isToGo = false): PlannedService => ({
    service: twilioService(parts, { api: server.url, patience: hasty(waits), isToGo }),
    memory,
    salt: 'salt',
  });
  const run = async (what: PlannedService) =>
    applyService(what, await planService(what), new AbortController().signal);
  return {
    server,
    since: remember(server.account),
    memory,
    entries,
    waits,
    parts: own,
    planned,
    plan: (parts) => planService(planned(parts)),
    ensure: (parts) => run(planned(parts)),
    destroy: () => run(planned(own, true)),
  };
}

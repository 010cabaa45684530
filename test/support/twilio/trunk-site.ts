import { SipctlError } from '../../../src/errors.ts';
import { Secret } from '../../../src/model/secret.ts';
import {
  applyService,
  type PlannedService,
  planService,
  type ServiceMemory,
  type ServiceOutcome,
} from '../../../src/pipeline/hosted-services.ts';
import type { Remembered } from '../../../src/plan/service-plan.ts';
import type { Patience } from '../../../src/platforms/twilio/http.ts';
import type { TrunkDescription } from '../../../src/platforms/twilio/resources.ts';
import { twilioService } from '../../../src/platforms/twilio/twilio-service.ts';
import { freeNumbers } from './account.ts';
import type { TwilioServer } from './server.ts';

const [first, second] = freeNumbers;

/** What the tests want to have at Twilio: one of everything, and two numbers. */
export const wanted: TrunkDescription = {
  trunk: {
    friendlyName: 'main-trunk-acme-1795000000000',
    domainPrefix: 'user-acme-1795000000000',
    sipUsername: 'sip-acme',
    sipPassword: new Secret('Correct0HorseBat'),
    secure: true,
    recording: 'record-from-answer',
    trim: 'trim-silence',
  },
  originations: [
    { name: 'livekit', sipUrl: 'sip:project.sip.livekit.cloud', priority: 10, weight: 10, enabled: true },
  ],
  numbers: [first, second],
};

/** What an account holds beside everybody else's when all of it is there, and nothing twice. */
export const exactlyOne = {
  trunks: [
    {
      friendlyName: wanted.trunk.friendlyName,
      domainName: `${wanted.trunk.domainPrefix}.pstn.twilio.com`,
      secure: true,
      recording: { mode: 'record-from-answer', trim: 'trim-silence' },
      originations: [{ sipUrl: 'sip:project.sip.livekit.cloud', priority: 10, weight: 10, enabled: true }],
    },
  ],
  credentialLists: [{ credentials: [{ username: 'sip-acme', password: 'Correct0HorseBat' }] }],
  numbers: [{ phoneNumber: first }, { phoneNumber: second }],
};

/** One process of sipctl, as far as Twilio sees it: with the memory that outlives it. */
export interface Run {
  planned: PlannedService;
  /** From now on it does nothing more: no request, no word to its memory. */
  kill(): void;
}

/** @param isToGo everything is to be taken away */
export function runOf(
  server: TwilioServer,
  entries: Map<string, Remembered>,
  more: Partial<Patience> = {},
  isToGo = false,
): Run {
  let isDead = false;
  const alive = async <T>(value: T): Promise<T> => (isDead ? new Promise<T>(() => undefined) : value);
  const memory: ServiceMemory = {
    list: () => alive([...entries.values()]),
    keep: async (entry) => void entries.set((await alive(entry)).key, entry),
    forget: async (key) => void entries.delete(await alive(key)),
  };
  const { account } = server;
  const credentials = {
    name: 'twilio',
    accountSid: account.sid,
    authToken: new Secret(account.authToken),
    apiKey: null,
    apiSecret: null,
  };
  // Without a wait: tests look at what is sent, not at when.
  const patience = { timeoutMs: 5_000, sleep: () => alive(undefined), ...more };
  const described = {
    ...wanted,
    account: credentials,
    trunk: { ...wanted.trunk, name: 'main', tenant: 'acme' },
  };
  const service = twilioService(described, { api: server.url, patience, isToGo });
  return {
    planned: { service, memory, salt: 'salt' },
    kill: () => {
      isDead = true;
    },
  };
}

/** Plans and applies at once, as `twilio ensure` does; an error that the plan ends with is the outcome's. */
export async function ensure(
  { planned }: Run,
  signal: AbortSignal = new AbortController().signal,
): Promise<Pick<ServiceOutcome, 'outcome' | 'error' | 'differs'>> {
  try {
    const plan = await planService(planned, signal);
    const [refusal] = plan.refusals;
    if (refusal === undefined) return await applyService(planned, plan, signal);
    return { outcome: 'incomplete', error: new SipctlError('refused', refusal), differs: [] };
  } catch (error) {
    return { outcome: 'incomplete', error: error as SipctlError, differs: [] };
  }
}

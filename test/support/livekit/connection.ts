import type { LivekitSite } from '../../../src/model/livekit.ts';
import { Secret } from '../../../src/model/secret.ts';
import type { PlannedService, ServiceMemory, ServiceOutcome } from '../../../src/pipeline/hosted-services.ts';
import { applyService, planService } from '../../../src/pipeline/hosted-services.ts';
import type { Remembered, ServicePlan } from '../../../src/plan/service-plan.ts';
import { type LivekitSettings, livekitService } from '../../../src/platforms/livekit/livekit-service.ts';
import { LivekitServer } from './livekit-server.ts';

const row = { id: 1, enabled: true, createdAt: '2026-11-21T12:00:00Z', updatedAt: '2026-11-21T12:00:00Z' };

/** Long enough that the rules of Twilio take it, and found nowhere else, so that a leak is seen. */
export const sipPassword = 'Tr0ub4dorHorse77';

/** Tenant acme's connection `main`, with two numbers on its trunk at Twilio. */
export function livekitSite(server: Pick<LivekitServer, 'url'>): LivekitSite {
  const livekit: LivekitSite['livekit'] = {
    ...row,
    tenant: 'acme',
    name: 'main',
    url: server.url,
    apiKey: LivekitServer.apiKey,
    apiSecret: new Secret(LivekitServer.apiSecret),
    twilioTrunk: 'main',
    sipUri: null,
    agent: 'receptionist',
    roomPrefix: 'call-',
  };
  const trunk: LivekitSite['trunk'] = {
    ...row,
    name: 'main',
    account: 'main',
    domainPrefix: 'user-acme-1795262400',
    friendlyName: 'main-trunk-acme-1795262400',
    sipUsername: 'sip-acme',
    sipPassword: new Secret(sipPassword),
    secure: false,
    recording: 'do-not-record',
    trim: 'do-not-trim',
    trunk: 'twilio',
  };
  const numbers = ['+4930111002', '+4930111001'].map((number) => ({
    number,
    inbound: true,
    outbound: true,
    enabled: true,
  }));
  return { livekit, trunk, numbers, networks: ['54.172.60.0/30', '35.156.191.128/30'] };
}

/** What a run remembers, kept in memory. */
class KeptInMemory implements ServiceMemory {
  readonly entries = new Map<string, Remembered>();

  async list(): Promise<Remembered[]> {
    return [...this.entries.values()];
  }

  async keep(entry: Remembered): Promise<void> {
    this.entries.set(entry.key, entry);
  }

  async forget(key: string): Promise<void> {
    this.entries.delete(key);
  }
}

/** A connection as sipctl runs it: plans, applies, and remembers. */
export class Connection {
  readonly memory = new KeptInMemory();
  readonly waits: number[] = [];

  planned(settings: LivekitSettings): PlannedService {
    const service = livekitService(settings, {
      timeoutMs: 300,
      random: () => 1,
      sleep: async (ms) => {
        this.waits.push(ms);
      },
    });
    return { service, memory: this.memory, salt: 'salt' };
  }

  plan(settings: LivekitSettings): Promise<ServicePlan> {
    return planService(this.planned(settings));
  }

  async apply(settings: LivekitSettings, signal = new AbortController().signal): Promise<ServiceOutcome> {
    const planned = this.planned(settings);
    return applyService(planned, await planService(planned), signal);
  }
}

import { checkConfiguration } from '../diagnosis/configuration.ts';
import { printable } from '../diagnosis/printable.ts';
import { probeSettings, type TestRequest } from '../diagnosis/probe-settings.ts';
import type { Problem } from '../errors.ts';
import type { Tenant, Trunk } from '../model/nouns.ts';
import { resolveTrunk } from '../model/resolve.ts';
import type { ResolvedTrunk } from '../model/site.ts';
import type { Catalog } from '../model/template.ts';
import type { Finding, StageName } from '../sip/finding.ts';
import { probe } from '../sip/probe/probe.ts';
import type { ProbeSurroundings } from '../sip/probe/settings.ts';
import { causesOf, type Tested, type TestSurroundings, worst } from './tested.ts';

/** A trunk to be tested, as it is stored. */
export interface TrunkUnderTest {
  trunk: Trunk;
  tenant: Tenant;
}

export interface TestOptions {
  request: TestRequest;
  /** Trunks tested at one time. */
  concurrency: number;
  around: TestSurroundings;
  progress: (trunk: string, stage: StageName) => void;
  /** False where only the nodes are asked. */
  fromHere: boolean;
  /** Asks a PBX about the trunk, too. */
  viaNode: ((trunk: ResolvedTrunk, country: string) => Promise<Finding[]>) | null;
}

/**
 * Tests trunks, several at a time, each result in its place. A trunk whose configuration cannot work is not sent out.
 * @throws the reason of the signal
 */
export async function testTrunks(
  trunks: readonly TrunkUnderTest[],
  catalog: Catalog,
  options: TestOptions,
): Promise<Tested[]> {
  const attempts = new AccountAttempts();
  const results: Tested[] = [];
  const waiting = trunks.entries();
  const lane = async (): Promise<void> => {
    for (const [at, one] of waiting) results[at] = await testOne(one, catalog, options, attempts);
  };
  // One that is interrupted must not take the others' time to give their bindings back.
  const lanes = await Promise.allSettled(
    Array.from({ length: Math.min(options.concurrency, trunks.length) }, lane),
  );
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
  return results;
}

async function testOne(
  { trunk, tenant }: TrunkUnderTest,
  catalog: Catalog,
  options: TestOptions,
  attempts: AccountAttempts,
): Promise<Tested> {
  const template = catalog.providers.get(trunk.provider);
  if (template === undefined) return untestable(trunk);
  const resolved = resolveTrunk(trunk, tenant, template);
  const found = [checkConfiguration(trunk, resolved, catalog)];
  const settings = probeSettings(resolved, tenant.country, options.request);
  if (options.fromHere && found[0]?.status !== 'failed') {
    const account = `${settings.server.host} ${settings.credentials?.username ?? trunk.id}`;
    const around: ProbeSurroundings = {
      ...options.around,
      progress: (stage) => options.progress(trunk.name, stage),
      accountOnce: (attempt) => attempts.once(account, attempt),
    };
    found.push(...(await probe(settings, around)));
  }
  if (options.viaNode !== null) found.push(...(await options.viaNode(resolved, tenant.country)));
  const stages = found.map(printable);
  return {
    tenant: trunk.tenant,
    name: trunk.name,
    kind: 'trunk',
    knownByAddress: resolved.authType === 'ip',
    status: worst(stages),
    stages,
    causes: causesOf({ ...resolved, noun: 'trunk' }, stages),
  };
}

function untestable({ tenant, name, provider }: Trunk): Tested {
  const problem: Problem = {
    code: 'provider_gone',
    message: `provider: the template '${provider}' is not there any more`,
    field: 'provider',
    hint: 'put its file back, or choose another one: sipctl provider list',
  };
  const stage: Finding = {
    stage: 'configuration',
    status: 'failed',
    cause: problem.code,
    detail: problem.message,
    ms: 0,
    facts: { problems: [problem] },
  };
  return {
    tenant,
    name,
    kind: 'trunk',
    knownByAddress: false,
    status: 'failed',
    stages: [stage],
    causes: [problem],
  };
}

/** Keeps carriers from locking accounts: those that share one are tried in turn, and after a rejection not again. */
class AccountAttempts {
  readonly #rejected = new Set<string>();
  readonly #last = new Map<string, Promise<unknown>>();

  async once<T extends { rejected: boolean }>(account: string, attempt: () => Promise<T>): Promise<T | null> {
    const before = this.#last.get(account) ?? Promise.resolve();
    const mine = before
      .catch(() => undefined)
      .then(async () => {
        if (this.#rejected.has(account)) return null;
        const result = await attempt();
        if (result.rejected) this.#rejected.add(account);
        return result;
      });
    this.#last.set(account, mine);
    return mine;
  }
}

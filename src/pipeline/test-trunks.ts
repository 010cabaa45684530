import { explainFinding } from '../diagnosis/causes.ts';
import { checkConfiguration } from '../diagnosis/configuration.ts';
import { probeSettings, type TestRequest } from '../diagnosis/probe-settings.ts';
import { type Problem, SipctlError } from '../errors.ts';
import type { Tenant, Trunk } from '../model/nouns.ts';
import { resolveTrunk } from '../model/resolve.ts';
import type { ResolvedTrunk } from '../model/site.ts';
import type { Catalog } from '../model/template.ts';
import type { Finding, StageName } from '../sip/finding.ts';
import { probe } from '../sip/probe/probe.ts';
import type { ProbeSurroundings } from '../sip/probe/settings.ts';

/** A trunk to be tested, as it is stored. */
export interface TrunkUnderTest {
  trunk: Trunk;
  tenant: Tenant;
}

/** What a test of one trunk found. */
export interface TrunkTest {
  tenant: string;
  name: string;
  kind: 'trunk';
  /** True where the carrier tells its customers apart by the address that they send from. */
  knownByAddress: boolean;
  status: Finding['status'];
  stages: Finding[];
  causes: Problem[];
}

export interface TestOptions {
  request: TestRequest;
  /** Trunks tested at one time. */
  concurrency: number;
  around: Omit<ProbeSurroundings, 'registerOnce' | 'progress'>;
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
): Promise<TrunkTest[]> {
  const attempts = new AccountAttempts();
  const results: TrunkTest[] = [];
  const waiting = trunks.entries();
  const lane = async (): Promise<void> => {
    for (const [at, one] of waiting) results[at] = await testOne(one, catalog, options, attempts);
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, trunks.length) }, lane));
  return results;
}

async function testOne(
  { trunk, tenant }: TrunkUnderTest,
  catalog: Catalog,
  options: TestOptions,
  attempts: AccountAttempts,
): Promise<TrunkTest> {
  const template = catalog.providers.get(trunk.provider);
  if (template === undefined) return untestable(trunk);
  const resolved = resolveTrunk(trunk, tenant, template);
  const stages = [checkConfiguration(trunk, resolved, catalog)];
  const settings = probeSettings(resolved, tenant.country, options.request);
  if (options.fromHere && stages[0]?.status !== 'failed') {
    const account = `${settings.server.host} ${settings.credentials?.username ?? trunk.id}`;
    const found = await probe(settings, {
      ...options.around,
      progress: (stage) => options.progress(trunk.name, stage),
      registerOnce: (attempt) => attempts.once(account, attempt),
    });
    stages.push(...found);
  }
  if (options.viaNode !== null) stages.push(...(await options.viaNode(resolved, tenant.country)));
  return {
    tenant: trunk.tenant,
    name: trunk.name,
    kind: 'trunk',
    knownByAddress: resolved.authType === 'ip',
    status: worst(stages),
    stages,
    causes: stages.flatMap((finding) => explainFinding(resolved, finding)),
  };
}

function untestable({ tenant, name, provider }: Trunk): TrunkTest {
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

const worst = (stages: readonly Finding[]): Finding['status'] =>
  (['failed', 'warning', 'ok'] as const).find((status) => stages.some((stage) => stage.status === status)) ??
  'skipped';

/** The errors that a command ends with for tests that failed; where nothing but the way there failed, `unreachable`. */
export function testFailure(tests: readonly TrunkTest[]): SipctlError | null {
  const failed = tests.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return null;
  const unreached = failed.every(({ stages }) => stages.some(isUnreached));
  const problems = failed.flatMap((test) => {
    const prefix = tests.length === 1 ? '' : `${test.tenant}/${test.name}: `;
    return test.causes.map((cause) => ({ ...cause, message: prefix + cause.message }));
  });
  return new SipctlError(unreached ? 'unreachable' : 'failed', problems);
}

const silences = new Set(['no_answer', 'connection_refused', 'connection_timeout']);

const isUnreached = ({ stage, status, cause }: Finding): boolean =>
  status === 'failed' && (stage === 'dns' || stage === 'connect' || silences.has(cause ?? ''));

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

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The real servers and phones that live tests talk to: unpacked from Debian's packages, once, into a cache. */
const ingredients = {
  'asterisk-22': { tool: 'asterisk-up', args: ['-v', '22', '-i'] },
  'asterisk-16': { tool: 'asterisk-up', args: ['-v', '16', '-i'] },
  sipp: { tool: 'debroot', args: [join(cacheFolder(), 'sipp'), 'bookworm', 'sip-tester'] },
  // Without what only its maintainer scripts and its console need.
  kamailio: {
    tool: 'debroot',
    args: [
      ...['-n', 'adduser,debconf,dpkg,init-system-helpers,lsb-base,passwd,perl,python3'],
      ...[join(cacheFolder(), 'kamailio'), 'bookworm', 'kamailio', 'kamailio-tls-modules'],
    ],
  },
} as const;

export type Ingredient = keyof typeof ingredients;

/** Names the folder in which the outcomes stand, one file per ingredient, for the test files' processes. */
const outcomesVariable = 'SIPCTL_TEST_OUTCOMES';
/** Two package lists and 30 MB, also over a slow line. */
const preparationTimeout = 8 * 60_000;

export function cacheFolder(): string {
  const { SIPCTL_TEST_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.cache'), 'sipctl-test');
}

/** Path of one of the shell tools beside this file. Tests and benches run in the root: bundled for a bench, this file is elsewhere. */
export const tool = (name: string): string => join(process.cwd(), 'test', 'live', name);

/** Vitest's global set-up of the live tests: starts to fill the caches while other tests run, and waits for nothing. */
export default function startPreparation(): () => void {
  const outcomes = mkdtempSync(join(tmpdir(), 'sipctl-outcomes-'));
  process.env[outcomesVariable] = outcomes;
  const abort = new AbortController();
  for (const ingredient of Object.keys(ingredients) as Ingredient[]) {
    void prepare(ingredient, abort.signal)
      .then((reason) => record(join(outcomes, ingredient), reason))
      .catch(() => undefined); // The folder is gone: the tests are over.
  }
  return () => {
    abort.abort();
    rmSync(outcomes, { recursive: true, force: true });
  };
}

/** Null where the ingredient can be used, else why not; waits until that is known. */
export async function whyMissing(ingredient: Ingredient): Promise<string | null> {
  const outcomes = process.env[outcomesVariable];
  if (!outcomes) return prepare(ingredient);
  for (;;) {
    const outcome = await readFile(join(outcomes, ingredient), 'utf8').catch(() => null);
    if (outcome !== null) return JSON.parse(outcome) as string | null;
    await sleep(100);
  }
}

/** Whole or not at all: the readers poll for the file. */
async function record(path: string, reason: string | null): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(reason));
  await rename(`${path}.new`, path);
}

function prepare(ingredient: Ingredient, signal?: AbortSignal): Promise<string | null> {
  if (process.platform !== 'linux')
    return Promise.resolve(`it comes from Debian packages, this is ${process.platform}`);
  const { tool: name, args } = ingredients[ingredient];
  const env = { ...process.env, SIPCTL_TEST_CACHE: cacheFolder() };
  return new Promise((resolve) => {
    const options = { env, timeout: preparationTimeout, ...(signal && { signal }) };
    execFile(tool(name), args, options, (error, _stdout, stderr) => {
      resolve(error ? (stderr.trim().split('\n').at(-1) || error.message).replace(/^[\w-]+: /, '') : null);
    });
  });
}

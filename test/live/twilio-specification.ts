import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Specification } from '../support/twilio/contract.ts';
import { cacheFolder } from './caches.ts';

const run = promisify(execFile);
/** Twilio's own command line carries the OpenAPI documents of all its products. */
const source = '@twilio/cli-core@8.3.2';
const files = ['twilio_trunking_v1.json', 'twilio_api_v2010.json'] as const;
/** One archive of 0.7 MB, also over a slow line. */
const fetchTimeout = 120_000;

/** The folder with Twilio's OpenAPI documents, fetched once; or why they cannot be had. */
export async function specificationFolder(): Promise<{ folder: string } | { missing: string }> {
  const folder = join(cacheFolder(), `twilio-${source.split('@').at(-1)}`);
  try {
    readAll(folder);
    return { folder };
  } catch {
    return fetchInto(folder);
  }
}

/** Twilio's OpenAPI documents; or why they cannot be had. */
export async function twilioSpecifications(): Promise<Specification[] | { missing: string }> {
  const found = await specificationFolder();
  return 'missing' in found ? found : readAll(found.folder);
}

const readAll = (folder: string): Specification[] =>
  files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Specification);

/** Whole or not at all: several test files may want it at once. */
async function fetchInto(folder: string): Promise<{ folder: string } | { missing: string }> {
  mkdirSync(cacheFolder(), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    const options = { cwd: scratch, timeout: fetchTimeout };
    const { stdout } = await run(
      'npm',
      ['pack', '--silent', '--ignore-scripts', '--fetch-retries=0', source],
      options,
    );
    const inside = 'package/src/services/twilio-api';
    const wanted = files.map((name) => `${inside}/${name}`);
    await run('tar', ['-xzf', stdout.trim().split('\n').at(-1) ?? '', ...wanted], options);
    readAll(join(scratch, inside));
    try {
      renameSync(join(scratch, inside), folder);
    } catch {
      readAll(folder); // Somebody else was faster.
    }
    return { folder };
  } catch (error) {
    return { missing: `npm pack ${source} failed: ${String((error as Error).message).split('\n')[0]}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

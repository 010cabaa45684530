import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { runChild } from '../support/kill/processes.ts';
import { bundleApply } from './apply-processes.ts';
import { siteIn } from './site.ts';

const templates = fileURLToPath(new URL('../../templates', import.meta.url));

it('renders every tenant anew when the shape of a file has changed, and only then', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'sipctl-changed-shape-'));
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
  const child = await bundleApply(scratch);
  rmSync(join(scratch, 'templates'));
  cpSync(templates, join(scratch, 'templates'), { recursive: true });
  mkdirSync(join(scratch, 'pbx'));
  const site = siteIn(scratch);
  await site.ok('init');
  await site.ok('node', 'add', 'pbx', '--kind', 'asterisk', '--dir', join(scratch, 'pbx'));
  await site.ok('user', 'add', 'ann', '--extension', '101', '--generate-password');
  const sipctl = async (...argv: string[]): Promise<number | null> =>
    (await runChild(child, [scratch, 'run', '0', ...argv])).code;

  expect(await sipctl('apply', '--yes')).toBe(0);
  expect(await sipctl('plan', '--detailed-exitcode')).toBe(0);
  appendFileSync(join(scratch, 'templates', 'asterisk', 'pjsip_users.conf.hbs'), '; another line\n');
  expect(await sipctl('plan', '--detailed-exitcode')).toBe(2);
  expect(await sipctl('apply', '--yes')).toBe(0);
  expect(await sipctl('plan', '--detailed-exitcode')).toBe(0);
}, 60_000);

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { explainFinding } from '../../src/diagnosis/explain.ts';
import { resolveTrunk } from '../../src/model/resolve.ts';
import type { StageName } from '../../src/sip/finding.ts';
import { providerWith, tenantWith, trunkWith } from '../model/site-objects.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

const subject = { ...resolveTrunk(trunkWith(), tenantWith(), providerWith()), noun: 'trunk' as const };

const causesOf = (cause: string, stage: StageName = 'register', facts = {}) =>
  explainFinding(subject, { stage, status: 'failed', cause, detail: 'as it came', ms: 1, facts });

/** The words in the table of causes, which the page promises to keep. */
function documented(): string[] {
  const page = readFileSync('docs/trunk-test.md', 'utf8');
  const table = page.slice(page.indexOf('## Causes'), page.indexOf('## In a pipeline'));
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) =>
      [...(line.split('|')[1] ?? '').matchAll(/`([a-z0-9_]+)`/g)].map(([, word]) => word ?? ''),
    );
}

it('explains every cause that is documented, in a sentence of its own and with a remedy', () => {
  const words = documented();
  expect(words.length).toBeGreaterThan(50);
  for (const word of words) {
    const [problem] = causesOf(word, 'call', { node: 'pbx1' });
    expect(problem?.code).toBe(word);
    expect(problem?.message, word).not.toBe('as it came');
    expect(problem?.hint, word).toMatch(/\w/);
    expect(JSON.stringify(problem), word).not.toMatch(/undefined|null|NaN|\[object/);
  }
});

it('tells a refusal of a call from one of a registration', () => {
  expect(causesOf('forbidden', 'call')[0]?.field).toBe('fromUser');
  expect(causesOf('forbidden', 'register')[0]?.field).toBe('username');
});

it('tells SRTP from codecs where the carrier says which', () => {
  expect(causesOf('not_acceptable', 'call', { warning: '304 carrier "SAVP only"' })[0]?.field).toBe('srtp');
  expect(causesOf('not_acceptable', 'call', { warning: '305 carrier "codec"' })[0]?.field).toBe('codecs');
});

async function telnyx(): Promise<Sandbox> {
  const box = await sandbox();
  await box.ok('trunk add main --provider telnyx --username abcd1234 --password env:P', { env: { P: 'pw' } });
  return box;
}

it('says first what the carrier is known for, and sends nothing', async () => {
  const { code, stdout } = await (await telnyx()).sipctl('trunk explain main --status 403');
  expect(code).toBe(0);
  expect(stdout.indexOf('D35')).toBeGreaterThan(0);
  expect(stdout.indexOf('D35')).toBeLessThan(stdout.indexOf('forbids the call (403)'));
});

it.each([
  ['401 --during register', 'credentials_rejected'],
  ['404 --during register', 'unknown_user'],
  ['404', 'not_found'],
  ['488', 'not_acceptable'],
  ['599', 'server_error'],
  ['699', 'unexpected_status'],
])('reads a status of a log: %s', async (status, cause) => {
  const { json } = await (await telnyx()).sipctl(`trunk explain main --status ${status} --json`);
  const { trunks } = json().data as { trunks: { causes: { code: string }[] }[] };
  expect(trunks[0]?.causes.at(-1)?.code).toBe(cause);
});

it.each([
  ['--status 200', 'invalid_status'],
  ['--status 700', 'invalid_status'],
  ['--status 403 --during lunch', 'invalid_during'],
])('refuses %s', async (flags, code) => {
  const ended = await (await telnyx()).sipctl(`trunk explain main ${flags} --json`);
  expect(ended.code).toBe(3);
  expect(ended.json().errors[0]?.code).toBe(code);
});

it('does not doubt a host that the carrier publishes, and doubts the name servers instead', () => {
  expect(causesOf('dns_not_found', 'dns')[0]?.hint).toContain('--dns');
  const own = { ...subject, host: 'sip.example' };
  const finding = { stage: 'dns' as const, status: 'failed' as const, detail: '', ms: 1, facts: {} };
  expect(explainFinding(own, { ...finding, cause: 'dns_not_found' })[0]?.hint).toContain('--host <host>');
});

it('says where called numbers arrive, before anything is sent', async () => {
  const box = await sandbox();
  await box.ok(
    'trunk add to --provider signalwire --host a.sip.signalwire.com --username u --password env:P',
    {
      env: { P: 'pw' },
    },
  );
  const { json } = await box.sipctl('trunk test to --dns 127.0.0.1:9 --timeout 1 --json');
  const { trunks } = json().data as { trunks: { stages: { detail: string; facts: object }[] }[] };
  expect(trunks[0]?.stages[0]?.detail).toContain('called numbers arrive in To');
  expect(trunks[0]?.stages[0]?.facts).toMatchObject({ numbersArriveIn: 'to' });
});

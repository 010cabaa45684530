import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/sip/finding.ts';
import { cliIn } from '../cli/process.ts';
import { type Sandbox, sandboxIn } from '../support/run-sipctl.ts';
import type { Fault, TrunkFields } from './fault.ts';
import {
  kamailio,
  type RunningPeer,
  rightPassword,
  type Surroundings,
  startSurroundings,
} from './fault-peers.ts';
import { faults } from './faults.ts';

/** The part of the document that the table speaks of. */
interface TestDocument {
  ok: boolean;
  data: { trunks: { status: string; stages: Finding[]; causes: { code: string; hint?: string }[] }[] };
  errors: { code: string }[];
}

const exitCodes = { passed: 0, warning: 0, failed: 1, unreachable: 7 } as const;
const stageStatuses = { passed: 'ok', warning: 'warning', failed: 'failed', unreachable: 'failed' } as const;

// Carriers that are silent cost their time-out; several rows wait at the same time.
describe.concurrent('trunk test', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sipctl-trunk-test-'));
  const cli = cliIn(dir);
  let box: Sandbox;
  let around: Surroundings;

  beforeAll(async () => {
    box = sandboxIn(dir);
    await box.ok('init');
    around = await startSurroundings(`127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`);
  });
  afterAll(async () => {
    await around?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  // Two writers in one process would wait for each other, and keep the whole process waiting.
  let writing: Promise<unknown> = Promise.resolve();
  function add(trunk: string, fault: Fault, peer: RunningPeer): Promise<unknown> {
    const { password } = fault.trunk;
    const words = ['trunk', 'add', trunk, ...fieldFlags(fault.trunk, peer)];
    const added = writing
      .catch(() => undefined)
      .then(() => box.ok(words, password === undefined ? {} : { input: password }));
    writing = added;
    return added;
  }

  async function tested(fault: Fault, trunk: string, peer: RunningPeer) {
    await add(trunk, fault, peer);
    const trusted = fault.trusted === false ? null : (around.certificates?.ca ?? null);
    const flags = [
      '--timeout',
      '2',
      '--dns',
      around.dns.address,
      ...(trusted === null ? [] : ['--ca', trusted]),
    ];
    const ended = await cli.run(['trunk', 'test', trunk, '--json', ...flags, ...(fault.flags ?? [])]);
    return { ended, document: JSON.parse(ended.stdout) as TestDocument };
  }

  for (const [index, fault] of faults.entries()) {
    const { name, stage, cause, status, facts = {}, hears } = fault;
    const missing = fault.peer.missing();
    const title = `finds ${cause ?? 'nothing'} in ${name}`;
    it.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, async () => {
      const peer = await fault.peer.start(around);
      try {
        const { ended, document } = await tested(fault, `t${index}`, peer);
        const [only] = document.data.trunks;
        const found = only?.stages.find((one) => one.stage === stage);
        expect(found, ended.stdout).toMatchObject({ cause, status: stageStatuses[status], facts });
        expect(ended.code, ended.stdout).toBe(exitCodes[status]);
        expect(document.ok).toBe(ended.code === 0);
        // Who is told what is wrong is told what to do.
        if (cause !== null)
          expect(only?.causes).toContainEqual(
            expect.objectContaining({ code: cause, hint: expect.any(String) }),
          );
        if (hears !== undefined) expect(heard(peer, fault.trunk.username ?? '')).toEqual(hears);
        expect(ended.stdout + ended.stderr).not.toContain(fault.trunk.password ?? '\0');
      } finally {
        await peer.close();
      }
    });
  }

  const missing = kamailio.missing();
  it.skipIf(missing !== null)(
    `keeps signatures out of traces${missing === null ? '' : ` (skipped: ${missing})`}`,
    async () => {
      const fault = faults.find(({ name }) => name === 'a right account') as Fault;
      const [trace, pcap] = [join(dir, 'trace.txt'), join(dir, 'trace.pcap')];
      const traced = { ...fault, flags: ['--trace', trace, '--pcap', pcap] };
      const { ended } = await tested(traced, 'traced', await kamailio.start(around));
      expect(ended.code, ended.stdout).toBe(0);
      const [text, packets] = [readFileSync(trace, 'latin1'), readFileSync(pcap)];
      // In one byte order or the other, and raw IP: the format's own number and LINKTYPE_RAW.
      const little = packets.readUInt32LE(0) === 0xa1b2c3d4;
      expect(little || packets.readUInt32BE(0) === 0xa1b2c3d4).toBe(true);
      expect(little ? packets.readUInt32LE(20) : packets.readUInt32BE(20)).toBe(101);
      for (const written of [text, packets.toString('latin1')]) {
        expect(written).toMatch(/^Authorization: Digest .*username="alice"/m);
        expect(written).not.toMatch(/response="[0-9a-f]{32}"/);
        expect(written).not.toContain(rightPassword);
      }
    },
  );
});

const heard = (peer: RunningPeer, user: string): string[] =>
  peer.requests(user).filter((method) => method !== 'OPTIONS');

function fieldFlags(fields: TrunkFields, { host, port }: RunningPeer): string[] {
  const { password, ...others } = fields;
  const flags = Object.entries({ host, port, ...others }).flatMap(([field, value]) => {
    const flag = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (value === null || value === undefined) return [];
    if (typeof value === 'boolean') return [value ? `--${flag}` : `--no-${flag}`];
    return [`--${flag}`, String(value)];
  });
  return password === undefined ? flags : [...flags, '--password-stdin'];
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import * as services from '../../src/model/service-nouns.ts';
import { Store } from '../../src/store/store.ts';
import { storePlace } from '../support/store-place.ts';

const now = (): Date => new Date('2026-05-01T12:00:00Z');
let dir = '';
let store: Store;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sipctl-services-'));
  const files = { file: storePlace(join(dir, 'site.db')), keyFile: join(dir, 'key') };
  store = await Store.open({ ...files, actor: 'tester', now, create: true });
  await store.write(async (writer) => {
    await writer.add(nouns.tenant, { tenant: null, name: 'acme' }, {});
    await writer.add(services.twilioAccount, main, { accountSid: `AC${'0'.repeat(32)}`, authToken: secret });
    await writer.add(services.twilioTrunk, main, {
      ...{ account: 'main', domainPrefix: 'user-acme-1', friendlyName: 'main-trunk-acme-1' },
      ...{ sipUsername: 'sip-acme', sipPassword: new Secret('Aa1aaaaaaaaaaaaa') },
    });
  });
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

const main = { tenant: 'acme', name: 'main' };
const secret = new Secret('token-of-the-account');
const trunk = { key: 'trunk', name: 'main-trunk-acme-1', id: null, digest: null };

async function refusal(work: Promise<unknown>): Promise<SipctlError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SipctlError);
  return error as SipctlError;
}

describe('what was made at a service', () => {
  it('is remembered by object, in the order in which it was made', async () => {
    const memory = store.resourceMemory({ kind: 'twilio', ...main });
    await memory.keep({ key: 'credential-list', name: 'main-trunk-acme-1', id: 'CL1', digest: null });
    await memory.keep(trunk);
    await memory.keep({ key: 'credential-list', name: 'main-trunk-acme-1', id: 'CL1', digest: 'd' });
    await memory.keep({ ...trunk, id: 'TK1' });
    expect(await memory.list()).toEqual([
      { key: 'credential-list', name: 'main-trunk-acme-1', id: 'CL1', digest: 'd' },
      { ...trunk, id: 'TK1' },
    ]);
    expect(await store.resourceMemory({ kind: 'livekit', ...main }).list()).toEqual([]);
    expect(await store.resourceMemory({ kind: 'twilio', tenant: 'default', name: 'main' }).list()).toEqual(
      [],
    );
    await memory.forget('trunk');
    expect((await memory.list()).map(({ key }) => key)).toEqual(['credential-list']);
  });

  it('keeps the object, its account and its tenant from being removed', async () => {
    const memory = store.resourceMemory({ kind: 'twilio', ...main });
    await memory.keep(trunk);
    const error = await refusal(store.write((writer) => writer.remove(services.twilioTrunk, main)));
    expect(error).toMatchObject({ outcome: 'conflict', problems: [{ code: 'made_elsewhere' }] });
    expect(error.message).toBe("Twilio trunk 'main' has 1 thing at Twilio that sipctl made");
    expect(error.problems[0]?.hint).toContain('sipctl twilio destroy main --tenant acme');
    const account = await refusal(store.write((writer) => writer.remove(services.twilioAccount, main)));
    expect(account.message).toBe("Twilio account 'main' is used by other objects");
    await memory.forget('trunk');
    await store.write((writer) => writer.remove(services.twilioTrunk, main));
    await store.write((writer) => writer.remove(services.twilioAccount, main));
  });
});

describe('a Twilio trunk', () => {
  it('names objects of its own tenant', async () => {
    const other = { tenant: 'default', name: 'main' };
    const error = await refusal(
      store.write((writer) =>
        writer.add(services.twilioTrunk, other, {
          ...{ account: 'main', domainPrefix: 'x', friendlyName: 'x', sipUsername: 'x' },
          sipPassword: secret,
        }),
      ),
    );
    expect(error.problems[0]).toMatchObject({
      code: 'twilio_account_not_found',
      message: "there is no Twilio account 'main' in tenant 'default'",
      hint: 'sipctl twilio account list --tenant default',
    });
  });

  it('is found with its references and secrets, and is told where it is missing', async () => {
    const found = await store.records.get(services.twilioTrunk, main);
    expect(found).toMatchObject({ account: 'main', trunk: null, secure: false, recording: 'do-not-record' });
    expect(found.sipPassword.reveal()).toBe('Aa1aaaaaaaaaaaaa');
    await store.write((writer) =>
      writer.add(services.twilioOrigination, main, { twilioTrunk: 'main', sipUrl: 'sip:sip.example.com' }),
    );
    expect(await store.records.get(services.twilioOrigination, main)).toMatchObject({ twilioTrunk: 'main' });
    expect(await store.records.dependents(services.twilioAccount, main)).toEqual([
      { noun: 'twilioTrunk', ref: main },
    ]);
    const error = await refusal(store.records.get(services.twilioTrunk, { tenant: 'acme', name: 'other' }));
    expect(error.problems[0]).toMatchObject({
      code: 'twilio_trunk_not_found',
      message: "there is no Twilio trunk 'other' in tenant 'acme'",
      hint: 'sipctl twilio list --tenant acme',
    });
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import { type AmiConnection, connectAmi } from '../../src/platforms/asterisk/ami/connection.ts';
import { endpointDetail, liveObjects } from '../../src/platforms/asterisk/live-objects.ts';
import { handWritten, panelTrunks, panelUsers } from '../support/pjsip-samples.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach } from './attached.ts';

/** Header → value of every object that runs, by its kind and the endpoint it belongs to. */
type Running = Map<string, Map<string, string>>;

interface Told {
  renamings: { kind: string; from: string; to: string }[];
}

describeAsterisk('import pjsip', ({ start }) => {
  it('takes over the files of a running PBX: what runs afterwards has the values of before', async () => {
    const asterisk = await start({
      pjsip: '\n#include panel_trunks.conf\n#tryinclude pjsip.d/*.conf\n#tryinclude nothing.conf\n',
      etc: {
        'panel_trunks.conf': panelTrunks,
        'pjsip.d/hand.conf': handWritten,
        'pjsip.d/users.conf': panelUsers,
      },
    });
    const before = await running(asterisk);
    expect([...before.keys()].filter((key) => key.startsWith('endpoint '))).toHaveLength(6);

    const box = await attach(asterisk);
    const imported = await box.ok([
      'import',
      'pjsip',
      join(asterisk.etc, 'pjsip.conf'),
      '--yes',
      '--json',
      '--engine-version',
      asterisk.major,
    ]);
    const { data, warnings } = imported.json() as unknown as {
      data: Told;
      warnings: { code: string; message: string }[];
    };
    for (const secret of [
      'my_secret_password',
      'secure_password_123',
      'semi',
      'bob-secret',
      'carrier-secret',
    ])
      expect(imported.stdout + imported.stderr).not.toContain(secret);

    const main = join(asterisk.etc, 'pjsip.conf');
    writeFileSync(
      main,
      readFileSync(main, 'utf8').replace(/^#(try)?include .*(panel_trunks|pjsip\.d|nothing).*$/gm, ''),
    );
    const applied = await box.apply();
    expect(applied.code, applied.stdout).toBe(0);

    const after = await running(asterisk);
    const renamed = new Map(data.renamings.map(({ kind, from, to }) => [`${kind} ${from}`, `${kind} ${to}`]));
    const differing = differences(before, after, renamed);
    // The one thing that is not the same is told: a carrier is matched by addresses, not by a name.
    expect(warnings.map(({ code, message }) => [code, message])).toEqual([
      [
        'not_taken_over',
        expect.stringMatching(
          /^trunk telnyx_main: identify\.match='sip\.telnyx\.com' becomes '192\.76\.120\.10,/,
        ),
      ],
    ]);
    // Where the name resolved, its section ran before, and its address differs; where it did not, the section is new.
    expect(differing.filter((line) => !line.startsWith('identify telnyx_main'))).toEqual([]);

    const again = await box.ok(['import', 'pjsip', main, '--check', '--json']);
    expect(again.json().data).toMatchObject({ changes: [] });
  });
});

/** Names of other objects, and what counts calls and contacts: all else says how the object is set up. */
const passing =
  /^(Event|ActionID|ObjectType|ObjectName|Auth|Auths|OutboundAuth|OutboundAuths|Aor|Aors|Endpoint|EndpointName|EndpointId|DeviceState|ActiveChannels|Contacts|ContactStatus|TotalContacts|ContactsRegistered|ActiveContacts?|Contact|Status|NextReg|Identify|Transport|List)$/;

async function running(asterisk: AsteriskInstance): Promise<Running> {
  const { host, port, user, secret } = asterisk.ami;
  const ami = await connectAmi({
    ...{ host, port, username: user, secret: new Secret(secret) },
    ...{ connectTimeoutMs: 10_000, actionTimeoutMs: 60_000 },
  });
  try {
    return await valuesOf(ami);
  } finally {
    await ami.close();
  }
}

async function valuesOf(ami: AmiConnection): Promise<Running> {
  const found: Running = new Map();
  const { endpoint, auth, aor, registration } = await liveObjects(ami);
  const add = (type: string, id: string, entries: readonly (readonly [string, string])[]): void => {
    const kept = entries.filter(
      ([name]) => !passing.test(name) || (name === 'Transport' && type === 'endpoint'),
    );
    // sipctl's own variables tell its dialplan who calls.
    const clean = kept.map(
      ([name, value]) => [name, name === 'SetVar' ? othersThanOwn(value) : value] as const,
    );
    found.set(`${type} ${id}`, new Map(clean));
  };
  for (const [type, objects] of Object.entries({ auth, aor, registration }))
    for (const [id, message] of objects) add(type, id, message.entries);
  for (const id of endpoint.keys()) {
    const details = await endpointDetail(ami, id);
    add('endpoint', id, details?.endpoint?.entries ?? []);
    for (const [name, message] of details?.identifies ?? []) add('identify', name, message.entries);
    const contacts = aor.get(details?.endpoint?.get('Aors') ?? '')?.get('Contacts') ?? '';
    found.get(`endpoint ${id}`)?.set('contacts', contacts.replace(/[^,/]*\//g, ''));
  }
  return found;
}

const othersThanOwn = (value: string): string =>
  value.replace(/(^|,)_*(SIPCTL_[A-Z]+|CALL_LIMIT)=[^,]*(?=,|$)/g, '').replace(/^,/, '');

function differences(before: Running, after: Running, renamed: ReadonlyMap<string, string>): string[] {
  const lines: string[] = [];
  const seen = new Set<string>();
  for (const [key, values] of before) {
    const now = renamed.get(key) ?? key;
    seen.add(now);
    const found = after.get(now);
    if (found === undefined) lines.push(`${now} is gone`);
    else
      for (const name of new Set([...values.keys(), ...found.keys()]))
        if (values.get(name) !== found.get(name))
          lines.push(`${now} ${name}: '${values.get(name)}', now '${found.get(name)}'`);
  }
  for (const key of after.keys()) if (!seen.has(key)) lines.push(`${key} is new`);
  return lines;
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import type { AmiMessage } from '../../src/platforms/asterisk/ami/codec.ts';
import { type AmiConnection, connectAmi } from '../../src/platforms/asterisk/ami/connection.ts';
import { compareObject } from '../../src/platforms/asterisk/compare-object.ts';
import {
  expectations,
  fieldOf,
  incomparable,
  type ShownType,
  shownTypes,
} from '../../src/platforms/asterisk/expected-values.ts';
import {
  type EndpointDetails,
  endpointDetail,
  liveObjects,
} from '../../src/platforms/asterisk/live-objects.ts';
import { knownIn, optionOf, valuesIn } from '../../src/platforms/asterisk/options.ts';
import defaults from '../../src/platforms/asterisk/pjsip-defaults.json' with { type: 'json' };
import type { PjsipObject } from '../../src/platforms/asterisk/pjsip-object.ts';
import table from '../../src/platforms/asterisk/pjsip-options.json' with { type: 'json' };
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { combinations, valueSamples } from './value-samples.ts';

type Options = readonly (readonly [string, string])[];

// What an object of the type needs so that Asterisk takes it at all.
const necessary: Readonly<Record<ShownType, Options>> = {
  endpoint: [],
  auth: [
    ['auth_type', 'userpass'],
    ['username', 'u'],
    ['password', 'p'],
  ],
  aor: [],
  registration: [
    ['client_uri', 'sip:a@127.0.0.1:9'],
    ['server_uri', 'sip:127.0.0.1:9'],
    ['max_random_initial_delay', '600'],
  ],
  identify: [['match', '203.0.113.1']],
};

describeAsterisk('values read back over AMI', ({ version, start }) => {
  let asterisk: AsteriskInstance;
  let ami: AmiConnection;
  const objects = [...everyOption(version), ...combined()];
  let shown: Map<PjsipObject, AmiMessage>;

  beforeAll(async () => {
    asterisk = await start({ pjsip: '\n#include values.conf\n', etc: { 'values.conf': '' } });
    const { host, port, user, secret } = asterisk.ami;
    ami = await connectAmi({
      ...{ host, port, username: user, secret: new Secret(secret) },
      ...{ connectTimeoutMs: 10_000, actionTimeoutMs: 60_000 },
    });
    writeFileSync(join(asterisk.etc, 'values.conf'), objects.map(sections).join('\n'));
    await ami.action('Reload', { Module: 'res_pjsip.so' });
    shown = await read(ami, objects);
  }, 120_000);

  afterAll(() => ami?.close());

  it('shows every value of every option as expected', () => {
    const differences: string[] = [];
    for (const object of objects) {
      const message = shown.get(object);
      if (message === undefined) differences.push(`refused: ${object.type} ${object.options.join(' ')}`);
      else differences.push(...compareObject(object, null, message, asterisk.version));
    }
    expect(differences).toEqual([]);
  });

  it('sees every value that is another one', () => {
    const unseen: string[] = [];
    for (const object of objects) {
      const message = shown.get(object);
      if (message === undefined) continue;
      for (const expectation of expectations(object, asterisk.version)) {
        if (expectation.agrees(otherThan(message.get(expectation.field) ?? '')))
          unseen.push(expectation.option);
      }
    }
    expect(unseen).toEqual([]);
  });

  it('compares every option that Asterisk shows, but for those in the table', () => {
    const compared = new Set<string>();
    for (const object of objects) {
      for (const { option } of expectations(object, asterisk.version))
        compared.add(`${object.type}.${option}`);
    }
    const left = objects
      .flatMap((object) => object.options.map(([option]) => `${object.type}.${option}`))
      .filter((key) => !compared.has(key));
    const major = Number.parseInt(asterisk.version, 10);
    const declared = shownTypes.flatMap((type) =>
      incomparable[type]
        .filter((one) => major < (one.before ?? Infinity))
        .map((one) => `${type}.${one.option}`),
    );
    expect([...new Set(left)].filter((key) => !declared.includes(key))).toEqual([]);
  });

  it('starts from the defaults in the table', async () => {
    writeFileSync(
      join(asterisk.etc, 'values.conf'),
      shownTypes.map((type) => sections(bare(type))).join('\n'),
    );
    await ami.action('Reload', { Module: 'res_pjsip.so' });
    const bareObjects = shownTypes.map(bare);
    const found = await read(ami, bareObjects);
    const wrong: string[] = [];
    for (const object of bareObjects) {
      const type = object.type as ShownType;
      for (const [option, value] of Object.entries(defaults[type])) {
        const given = object.options.some(([name]) => name === option);
        const skipped = incomparable[type].some((one) => one.option === option);
        if (given || skipped || (version === '16' && optionOf(type, option)?.in16 !== true)) continue;
        const now = found.get(object)?.get(fieldOf(type, option));
        if (now !== value) wrong.push(`${type}.${option} is '${now}', in the table '${value}'`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

const bare = (type: ShownType): PjsipObject => ({
  type,
  id: `bare-${type}`,
  options: [
    ...necessary[type],
    ...(type === 'identify' ? [['endpoint', 'owner-bare-identify'] as const] : []),
  ],
});

function everyOption(version: string): PjsipObject[] {
  const objects: PjsipObject[] = [];
  for (const type of shownTypes) {
    for (const option of Object.keys(table[type])) {
      if (option === 'type' || !knownIn(version === '16' ? '16' : '22.10.1', type, option)) continue;
      for (const value of samplesOf(version, type, option)) {
        const id = `${type}-${objects.length}`;
        const others = necessary[type].filter(
          ([name]) => name !== option && !(type === 'auth' && option === 'md5_cred'),
        );
        const needs: Options = [
          ...(type === 'identify' ? [['endpoint', `owner-${id}`] as const] : []),
          ...(option === 'line' && value === 'yes' ? [['endpoint', 'abc'] as const] : []),
          ...(option === 'endpoint' && type === 'registration' ? [['line', 'yes'] as const] : []),
          ...(option === 'md5_cred' ? [['auth_type', 'md5'] as const, ['username', 'u'] as const] : []),
        ];
        objects.push({ type, id, options: [...others, ...needs, [option, value]] });
      }
    }
  }
  return objects;
}

function samplesOf(version: string, type: ShownType, option: string): readonly string[] {
  const named = valueSamples[type]?.[option];
  const known = optionOf(type, option);
  if (known === undefined) return [];
  if (named !== undefined) {
    const words = valuesIn(version, known);
    return words === undefined || option === 'identify_by' || option === 'timers'
      ? named
      : named.filter((value) => value.split(',').every((one) => words.includes(one)));
  }
  if (known.values !== undefined) return valuesIn(version, known) ?? [];
  return known.kind === 'boolean' ? ['yes', 'no', 'true', 'on', '0', 'maybe'] : ['some text'];
}

const combined = (): PjsipObject[] =>
  combinations.map((options, at) => ({ type: 'endpoint', id: `combined-${at}`, options }));

function sections(object: PjsipObject): string {
  const lines = object.options.map(([option, value]) => `${option} = ${value.replaceAll(';', '\\;')}`);
  const owner = object.type === 'identify' ? `[owner-${object.id}]\ntype = endpoint\n` : '';
  return `${owner}[${object.id}]\ntype = ${object.type}\n${lines.join('\n')}\n`;
}

async function read(
  ami: AmiConnection,
  objects: readonly PjsipObject[],
): Promise<Map<PjsipObject, AmiMessage>> {
  const live = await liveObjects(ami);
  const names = objects.map((object) => (object.type === 'identify' ? `owner-${object.id}` : object.id));
  const details = new Map<string, EndpointDetails | null>();
  for (const name of new Set(names)) {
    if (live.endpoint.has(name)) details.set(name, await endpointDetail(ami, name));
  }
  const found = new Map<PjsipObject, AmiMessage>();
  for (const object of objects) {
    const { type, id } = object;
    const message =
      type === 'endpoint'
        ? details.get(id)?.endpoint
        : type === 'identify'
          ? details.get(`owner-${id}`)?.identifies.get(id)
          : live[type as keyof typeof live].get(id);
    if (message != null) found.set(object, message);
  }
  return found;
}

// A value that no option of the samples has, and for flags and words the opposite.
function otherThan(found: string): string {
  if (/^(yes|true)$/i.test(found)) return 'no';
  return /^(no|false)$/i.test(found) ? 'yes' : '203.0.113.77';
}

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CallFlow } from '../../../../src/model/flow/call-flow.ts';
import { emptyFlow } from '../../../../src/model/flow/resolve-flow.ts';
import { Secret } from '../../../../src/model/secret.ts';
import { dialplanOf } from '../../../../src/platforms/asterisk/dialplan/calls.ts';
import type { Context } from '../../../../src/platforms/asterisk/dialplan/dialplan.ts';
import { checkText, contextText, parseDialplan } from '../../../../src/platforms/asterisk/dialplan/text.ts';
import { callChanges } from '../../../../src/platforms/asterisk/render/call-changes.ts';
import { renderCalls } from '../../../../src/platforms/asterisk/render/calls.ts';
import { loadTemplates } from '../../../../src/platforms/asterisk/render/compiled.ts';
import { maskSecrets } from '../../../../src/report/mask.ts';
import { shippedCatalog } from '../render/sample-site.ts';
import { company, defaultCompany, dials, flowUser, hop, inbound, route } from './sample-flow.ts';

const folder = fileURLToPath(new URL('../../../golden/asterisk-calls/', import.meta.url));
const update = process.env.UPDATE_GOLDEN === '1';
const templates = await loadTemplates(await shippedCatalog(), '16');

const textsOf = (flow: CallFlow): Map<string, string> =>
  new Map(renderCalls(flow, templates).map(({ key, text }) => [key, text.toString()]));

describe('a company with one of everything', () => {
  it.each([...textsOf(company), ...textsOf(defaultCompany)])('%s', (key, text) => {
    const file = `${folder}${key.replace('/', '.')}`;
    if (update) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});

const context = (flow: CallFlow, name: string): Context =>
  dialplanOf(flow).find((one) => one.name === name) as Context;
const linesOf = (flow: CallFlow, name: string): string => contextText(context(flow, name));

describe('a dialplan', () => {
  it('is not there where there is nothing to call', () => {
    expect(renderCalls(emptyFlow('acme'), templates)).toEqual([]);
  });

  it('is read back as it was meant', () => {
    const contexts = dialplanOf(company);
    const text = contexts.map((one) => `; ${one.about}\n${contextText(one)}\n`).join('');
    expect(parseDialplan(text)).toEqual(contexts);
    expect(() => checkText(text.replace('Hangup(17)', 'Hangup(18)'), contexts)).toThrow('exactly');
    expect(() => checkText(`${text}[more]\nexten => s,1,Echo()\n`, contexts)).toThrow('exactly');
  });

  it.each([
    ['a user', { users: [flowUser('ann', '1001,1,System(x)')] }],
    ['an endpoint', { users: [flowUser('ann', '1001', { endpoint: 'ann)&Local/x' })] }],
    ['a variable', { inbound: [inbound('+4930123456', { variables: [['A', '${SHELL(x)}']] })] }],
    ['a trunk', { routes: [route('+', [hop('main', { endpoint: 'a"b' })])], users: [flowUser('ann', '1')] }],
  ] satisfies [string, Partial<CallFlow>][])('takes nothing that could leave its place: %s', (_, values) => {
    expect(() => dialplanOf({ ...emptyFlow('acme'), ...values })).toThrow('cannot stand in the dialplan');
  });

  it('keeps two patterns that are equal apart: the first counts, and Asterisk has nothing to complain of', () => {
    const hangup = (cause: 'busy' | 'rejected') =>
      dials('77', { kind: 'reach', to: { kind: 'hangup', cause } });
    const flow = {
      ...emptyFlow('acme'),
      users: [flowUser('ann', '1')],
      dialled: [hangup('busy'), hangup('rejected')],
    };
    expect(linesOf(flow, 't-acme.extensions').match(/exten => 77,1,Hangup\(17\)/g)).toHaveLength(1);
    expect(linesOf(flow, 't-acme.extensions')).not.toContain('Hangup(21)');
  });

  it('gives no two tenants or objects the same context, and none a name that Asterisk would cut', () => {
    const long = 'a'.repeat(40);
    const ivrs = company.ivrs.flatMap((ivr) =>
      [`${long.slice(1)}b`, `${long.slice(1)}c`].map((name) => ({ ...ivr, name })),
    );
    const flow = { ...company, tenant: long, ivrs };
    const names = dialplanOf(flow).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(Math.max(...names.map(({ length }) => length))).toBeLessThan(80);
  });

  it('jumps only to contexts, extensions and labels that there are', () => {
    const contexts = dialplanOf(company);
    const there = new Set(
      contexts.flatMap((one) => one.extensions.map(({ pattern }) => `${one.name},${pattern}`)),
    );
    const names = new Set(contexts.map(({ name }) => name));
    for (const { includes, extensions } of contexts) {
      for (const one of includes) expect(names).toContain(one);
      for (const { steps } of extensions) {
        for (const { application, data } of steps) {
          const [, target, extension = ''] = /^(t-[^,$]+),([^,(]+),1/.exec(data) ?? [];
          if (target === undefined || !/Goto|Gosub/.test(application)) continue;
          expect(names, data).toContain(target);
          if (/^[a-z0-9]+$/.test(extension)) expect(there, data).toContain(`${target},${extension}`);
        }
      }
    }
  });

  it('stays small: a user is three lines', () => {
    const users = Array.from({ length: 100 }, (_, at) => flowUser(`user${at}`, String(1000 + at)));
    const size = (all: readonly (typeof users)[number][]): number =>
      textsOf({ ...emptyFlow('acme'), users: all }).get('acme/extensions_calls.conf')?.length ?? 0;
    expect((size(users) - size(users.slice(0, 1))) / 99).toBeLessThan(220);
  });
});

describe('what changes', () => {
  const changes = (file: string, before: CallFlow | null, after: CallFlow | null) => {
    const bufferOf = (flow: CallFlow | null) =>
      flow === null ? null : Buffer.from(textsOf(flow).get(`acme/${file}`) ?? '');
    return callChanges('acme', file, bufferOf(before), bufferOf(after));
  };
  const names = (all: ReturnType<typeof changes>) =>
    all.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

  it('is said by the objects of sipctl', () => {
    expect(names(changes('extensions_calls.conf', null, company))).toEqual([
      'create conference all-hands',
      'create conference board',
      'create conference open',
      'create emergency 112',
      'create group night-shift',
      'create group sales',
      'create ivr main',
      'create number +493090182000',
      'create number +493090182001',
      'create number +493090182009',
      ...['america', 'default', 'germany', 'nine', 'services'].map((name) => `create route ${name}`),
      'create schedule office',
      'create user ann',
      'create user bob',
      'create user cleo',
    ]);
    const [first, ...others] = company.users;
    const slower = {
      ...company,
      users: [{ ...(first as (typeof others)[number]), ringTime: 12 }, ...others],
    };
    expect(changes('extensions_calls.conf', company, slower)).toEqual([
      {
        ...{ action: 'update', kind: 'user', tenant: 'acme', name: 'ann' },
        options: [
          {
            ...{ section: 'users', option: '1001,1' },
            before: 'Gosub(t-acme.ring,s,1(1001,ann@acme.example,2,30))',
            after: 'Gosub(t-acme.ring,s,1(1001,ann@acme.example,2,12))',
          },
        ],
      },
    ]);
    expect(names(changes('extensions_calls.conf', company, { ...company, maxCalls: 4 }))).toEqual([
      'update tenant acme',
    ]);
    const routes = company.routes.filter(({ name }) => name !== 'america');
    expect(names(changes('extensions_calls.conf', company, { ...company, routes }))).toContain(
      'delete route america',
    );
  });

  it('shows no PIN, neither as a change nor as a line', () => {
    const [board, ...rooms] = company.conferences;
    const pin = {
      ...company,
      conferences: [{ ...(board as (typeof rooms)[number]), pin: new Secret('2468') }, ...rooms],
    };
    expect(changes('confbridge_rooms.conf', company, pin)).toMatchObject([
      {
        kind: 'conference',
        name: 'board',
        options: [{ section: 'participant', option: 'pin', before: '[secret]', after: '[secret]' }],
      },
    ]);
    const [ann, ...users] = company.users;
    const mailbox = {
      ...(ann?.mailbox as NonNullable<typeof ann>['mailbox'] & object),
      pin: new Secret('13579'),
    };
    const box = { ...company, users: [{ ...(ann as (typeof users)[number]), mailbox }, ...users] };
    expect(changes('voicemail_boxes.conf', company, box)).toMatchObject([
      {
        kind: 'user',
        name: 'ann',
        options: [{ option: '1001 password', before: '[secret]', after: '[secret]' }],
      },
    ]);
    for (const [key, text] of textsOf(company)) {
      const masked = maskSecrets(text);
      for (const secret of ['4711', '1111', '9999', '8888']) expect(masked, key).not.toContain(secret);
      if (key.endsWith('extensions_calls.conf')) expect(masked).toBe(text);
    }
  });
});

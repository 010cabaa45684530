import { describe, expect, it } from 'vitest';
import type { CallFlow } from '../../src/model/flow/call-flow.ts';
import { emptyFlow } from '../../src/model/flow/resolve-flow.ts';
import { dialplanOf } from '../../src/platforms/asterisk/dialplan/calls.ts';
import { contextText } from '../../src/platforms/asterisk/dialplan/text.ts';
import { contextsOf } from '../../src/platforms/freeswitch/dialplan/calls.ts';
import { planOf } from '../../src/platforms/freeswitch/dialplan/plan.ts';
import { dials, flowUser, hop, inbound, route } from './asterisk/dialplan/sample-flow.ts';

/** What is rendered of recordings, on both engines; what comes of it, the live tests show. */

const flow = (values: Partial<CallFlow> = {}): CallFlow => ({
  ...emptyFlow('acme'),
  users: [flowUser('ann', '1001'), flowUser('bob', '1002')],
  dialled: [
    dials('1001', { kind: 'reach', to: { kind: 'user', name: 'ann' } }),
    dials('112', { kind: 'emergency', emergency: { number: '112', callerId: '+4930', hops: [hop('main')] } }),
  ],
  inbound: [inbound('+4930111', { destination: { kind: 'user', name: 'ann' } })],
  trunks: [{ name: 'main', endpoint: 'acme.main', maxCalls: 0, record: false }],
  routes: [route('+', [hop('main')])],
  ...values,
});

const engines = {
  asterisk: (one: CallFlow) => dialplanOf(one).map(contextText).join('\n'),
  freeswitch: (one: CallFlow) => JSON.stringify(contextsOf(planOf(one, 'acme.example'))),
} as const;

const wishes: readonly [string, Partial<CallFlow>][] = [
  ['the tenant', { record: true }],
  ['a number', { inbound: [inbound('+4930111', { record: true })] }],
  ['a trunk that calls come in on', { trunks: [{ name: 'main', endpoint: 'x', maxCalls: 0, record: true }] }],
  ['a trunk that calls go out over', { routes: [route('+', [hop('main', { record: true })])] }],
  ['a user', { users: [flowUser('ann', '1001', { record: true })] }],
];

describe.each(Object.entries(engines))('%s', (engine, textOf) => {
  const starts = engine === 'asterisk' ? /MixMonitor\(/g : /record_session/g;

  it('says nothing of recordings where nobody wants one', () => {
    expect(textOf(flow({ recordTone: 'tone' }))).not.toMatch(/record(?!ed)|beep|tone_stream/i);
  });

  it.each(wishes)('starts recordings in one place: %s', (_, values) => {
    expect(textOf(flow(values)).match(starts)).toHaveLength(1);
  });

  it.each(wishes)('plays to both parties only what is set: %s', (_, values) => {
    expect(textOf(flow(values))).not.toMatch(/beep|playback/);
    expect(textOf(flow({ ...values, recordTone: 'custom/told' }))).toContain('custom/told');
  });

  it('takes no name that could leave its place', () => {
    expect(() => textOf(flow({ record: true, recordTone: 'a)${SHELL(x)}' }))).toThrow();
  });
});

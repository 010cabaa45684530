import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { compare, type LiveCase, row } from './lanes.ts';
import { placeCall } from './place-call.ts';
import { sounds } from './sites.ts';
import { readWav, secondsOf } from './sound.ts';

const welcome = sounds['custom/welcome'];
const wrong = sounds['custom/wrong'];
const ann = 'acme-ann';
const bob = 'acme-bob';
const dan = 'acme-dan';

/** Calls from a user to what its own tenant has. */
export const insideCases: readonly LiveCase[] = [
  row(
    'user calls user',
    { from: ann, to: '1002' },
    { status: 200, reaches: [bob], hears: [bob], requests: [{ from: /^"Ann A" <sip:1001@/ }] },
  ),
  row('extension that nobody has', { from: ann, to: '1999' }, { status: 404 }),
  row('extension of another tenant', { from: ann, to: '2001' }, { status: 404 }),
  row('user of another tenant by name', { from: ann, to: 'hal' }, { status: 404 }),
  row(
    'called phone is busy',
    { from: ann, to: '1002', does: { [bob]: 17 } },
    { status: 486, reaches: [bob] },
  ),
  row(
    'called phone does not answer',
    { from: ann, to: '1002', does: { [bob]: 'ring' } },
    { status: 480, reaches: [bob] },
  ),
  row('called user has no phone', { from: ann, to: '1005' }, { status: 480 }),
  row(
    'nobody answers, and the next user does',
    { from: ann, to: '1004', does: { [dan]: 'ring' } },
    { status: 200, reaches: [dan, bob], hears: [bob] },
  ),
  row(
    'busy, and the next user answers',
    { from: ann, to: '1004', does: { [dan]: 17 } },
    { status: 200, reaches: [dan, bob], hears: [bob] },
  ),
  row(
    'group: all ring, one answers',
    { from: ann, to: '600', does: { [bob]: 'ring', [dan]: 'answer after 1' } },
    { status: 200, reaches: [bob, dan], together: true, hears: [dan] },
  ),
  row(
    'group: nobody answers',
    { from: ann, to: '600', does: { [bob]: 'ring', [dan]: 'ring' } },
    { status: 480, reaches: [bob, dan], together: true },
  ),
  row(
    'group in order: the first does not answer, the second does',
    { from: ann, to: '601', does: { [bob]: 'ring' } },
    { status: 200, reaches: [bob, dan], hears: [dan] },
  ),
  row(
    'group in order: who answers ends it',
    { from: dan, to: '601' },
    { status: 200, reaches: [bob], hears: [bob] },
  ),
  row('group without any phone', { from: bob, to: '602' }, { status: 200, reaches: [ann], hears: [ann] }),
  row(
    'own number, without a carrier',
    { from: ann, to: '2125550100' },
    { status: 200, reaches: [bob], hears: [bob] },
  ),
  row(
    'own number in E.164',
    { from: ann, to: '+12125550100' },
    { status: 200, reaches: [bob], hears: [bob] },
  ),
  row(
    'menu: a key leads to a user',
    { from: ann, to: '700', presses: 'w1', talks: 1.5 },
    { status: 200, reaches: [bob], hears: [bob, welcome] },
  ),
  row(
    'menu: a key leads to the next menu, whose key leads on',
    { from: ann, to: '700', presses: 'w3ww1', talks: 1.5 },
    { status: 200, reaches: [dan], hears: [dan, welcome] },
  ),
  row(
    'menu: an extension is dialled',
    { from: ann, to: '702', presses: 'w1002', talks: 1.5 },
    { status: 200, reaches: [bob], hears: [bob, welcome] },
  ),
  row(
    'menu with extensions: a key that could begin one leads on after a while',
    { from: ann, to: '702', presses: 'w1', talks: 4.5 },
    { status: 200, reaches: [dan], hears: [dan, welcome] },
  ),
  row(
    'menu: no key in all attempts',
    { from: ann, to: '700', talks: 5 },
    { status: 200, reaches: [dan], hears: [dan, welcome] },
  ),
  row(
    'menu: wrong keys in all attempts end with its cause',
    { from: ann, to: '700', presses: 'w8www9', talks: 4 },
    { status: 200, hears: [welcome, wrong] },
  ),
  row(
    'menu: a wrong key, then a right one',
    { from: ann, to: '700', presses: 'w8www1', talks: 1.5 },
    { status: 200, reaches: [bob], hears: [bob, welcome, wrong] },
  ),
  {
    lane: 'acme',
    name: 'voicemail: a message lights the lamp, and stands in the box',
    run: async (site) => {
      const cat = 'acme-cat';
      const message = await placeCall(site, {
        ...{ from: ann, to: '1003', does: { [cat]: 'ring' }, presses: 'w#', talks: 5 },
      });
      await compare(site, message, { status: 200, reaches: [cat] });
      await vi.waitFor(() => expect(site.outside.waiting(cat)).toBe(1), { timeout: 10_000 });
      const folder = site.pbx.messages({
        ...{ tenant: 'acme', name: 'cat', extension: '1003', domain: 'acme.sip.example' },
      });
      const [file = ''] = readdirSync(folder).filter((name) => /^msg.*\.wav$/.test(name));
      const samples = await vi.waitUntil(() => readWav(join(folder, file)), { timeout: 10_000 });
      expect(secondsOf(samples, site.outside.tone(ann))).toBeGreaterThan(1);
    },
  },
];

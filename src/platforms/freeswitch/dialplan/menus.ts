import type { FlowIvr } from '../../../model/flow/call-flow.ts';
import { word } from '../words.ts';
import { type Element, element } from '../xml/element.ts';
import {
  action,
  always,
  type Context,
  condition,
  dialled,
  extension,
  hangup,
  oneOf,
  set,
  transfer,
} from './dialplan.ts';
import { type Plan, sendTo } from './plan.ts';

/**
 * A menu plays its greeting once and takes one entry: FreeSWITCH counts wrong keys and silence apart, and here they are
 * attempts alike, which the dialplan counts. Its name is unique over all tenants.
 */
export function menu({ flow, names }: Plan, ivr: FlowIvr): Element {
  const context = names.of('ivr', ivr.name);
  const extensions = ivr.directDial
    ? flow.dialled.flatMap(({ action: lead, pattern }) =>
        lead.kind === 'reach' && !ivr.keys.some(([key]) => key === pattern.literal) ? [pattern.literal] : [],
      )
    : [];
  const entry = (digits: string, data: string): Element =>
    element('entry', { action: 'menu-exec-app', digits, param: data });
  return element(
    'menu',
    {
      name: names.object(ivr.name),
      'greet-long': soundFile(ivr.greeting),
      'greet-short': soundFile(ivr.greeting),
      'invalid-sound': soundFile(ivr.invalidSound),
      timeout: `${ivr.timeout * 1000}`,
      'inter-digit-timeout': betweenDigits,
      'max-failures': '1',
      'max-timeouts': '1',
      // With one digit at most, a key leads on at once.
      'digit-len': `${Math.max(1, ...extensions.map(({ length }) => length))}`,
    },
    [
      ...ivr.keys.map(([key]) => entry(word(key), `transfer key-${word(key)} XML ${context}`)),
      ...extensions.map((digits) =>
        entry(word(digits), `transfer ${word(digits)} XML ${names.context('extensions')}`),
      ),
    ],
  );
}

/** Milliseconds in which the next digit of an extension is dialled. */
const betweenDigits = '3000';

// FreeSWITCH's sounds have endings, and its own words for what the model's default says.
const soundFile = (sound: string): string =>
  sound === 'pbx-invalid' ? 'ivr/ivr-that_was_an_invalid_entry.wav' : `${word(sound)}.wav`;

/** Counts the attempts of a menu, and sends its calls on. */
export function menuContext(plan: Plan, ivr: FlowIvr): Context {
  const { names } = plan;
  const context = names.of('ivr', ivr.name);
  const name = `ivr ${word(ivr.name)}`;
  const over = condition('${sipctl_attempts}', `^x{${ivr.attempts}}`);
  return {
    name: context,
    extensions: [
      extension(name, [
        dialled('^s$', [
          action('answer'),
          set('sipctl_attempts', ''),
          // By itself a # would end an entry, and could be none.
          set('ivr_menu_terminator', 'D'),
          transfer(context, 'again'),
        ]),
      ]),
      extension(`${name}, an attempt`, [
        dialled('^again$', [
          set('sipctl_attempts', '${sipctl_attempts}x'),
          action('ivr', names.object(ivr.name)),
          transfer(context, 'next'),
        ]),
      ]),
      ...ivr.keys.map(([key, destination]) =>
        extension(`${name}, key ${word(key)}`, [dialled(oneOf([`key-${key}`]), sendTo(plan, destination))]),
      ),
      extension(`${name}, last entry wrong`, [
        dialled('^next$'),
        over,
        condition('${ivr_menu_status}', '^failure$', sendTo(plan, ivr.invalid)),
      ]),
      extension(`${name}, no entry`, [dialled('^next$'), { ...over, actions: sendTo(plan, ivr.unanswered) }]),
      extension(`${name}, once more`, [always([transfer(context, 'again')])]),
    ],
  };
}

/**
 * The extensions of the tenant, which callers of a menu may dial, too. Here comes also whom a phone or a carrier transfers
 * (RFC 3515): by itself FreeSWITCH would hold the new number against the context of the other one's call, which may be
 * behind all questions of who may call where.
 */
export const extensionsContext = (plan: Plan): Context => ({
  name: plan.names.context('extensions'),
  extensions: [
    ...plan.flow.dialled.flatMap(({ action: lead, pattern, why }) =>
      lead.kind === 'reach'
        ? [extension(why, [dialled(oneOf([pattern.literal]), sendTo(plan, lead.to))])]
        : [],
    ),
    extension('no extension', [always(hangup(unallocated))]),
  ],
});

const unallocated = 1;

import type { FlowIvr } from '../../../model/flow/call-flow.ts';
import { word } from '../words.ts';
import { type Element, element } from '../xml/element.ts';
import {
  type Action,
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
import { withUsersTogether } from './own-extensions.ts';
import { type Plan, sendTo } from './plan.ts';

/**
 * A menu plays its greeting once and takes one key: FreeSWITCH counts wrong keys and silence apart, and here they are
 * attempts alike, which the dialplan counts. Its name is unique over all tenants.
 *
 * The rest of an extension is read by the dialplan, too: a menu takes no more digits once its time-out is over, which
 * is the time until the first one.
 */
export function menu(plan: Plan, ivr: FlowIvr): Element {
  const { names } = plan;
  const context = names.of('ivr', ivr.name);
  const entry = (key: string, to: string): Element =>
    element('entry', { action: 'menu-exec-app', digits: key, param: `transfer ${to} XML ${context}` });
  const begun = beginnings(plan, ivr);
  return element(
    'menu',
    {
      name: names.object(ivr.name),
      'greet-long': soundFile(ivr.greeting),
      'greet-short': soundFile(ivr.greeting),
      'invalid-sound': soundFile(ivr.invalidSound),
      timeout: `${ivr.timeout * 1000}`,
      'max-failures': '1',
      'max-timeouts': '1',
      // With one digit at most, a key leads on at once.
      'digit-len': '1',
    },
    [
      ...ivr.keys.filter(([key]) => !begun.has(key)).map(([key]) => entry(word(key), `dialled-${word(key)}`)),
      ...[...begun.keys()].map((digit) => entry(word(digit), `began-${word(digit)}`)),
    ],
  );
}

/** The digits with which an extension begins that callers may dial → how many may follow. */
function beginnings({ flow }: Plan, { directDial, keys }: FlowIvr): ReadonlyMap<string, number> {
  const longest = new Map<string, number>();
  if (!directDial) return longest;
  for (const { action: lead, pattern } of flow.dialled) {
    const first = pattern.literal.slice(0, 1);
    const more = pattern.literal.length - 1;
    const isKey = more === 0 && keys.some(([key]) => key === first);
    if (lead.kind === 'reach' && !isKey) longest.set(first, Math.max(more, longest.get(first) ?? 0));
  }
  return longest;
}

/** Milliseconds in which the next digit of an extension is dialled. */
const betweenDigits = 3000;

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
          set('ivr_menu_terminator', noTerminator),
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
      ...[...beginnings(plan, ivr)].map(([digit, more]) =>
        extension(`${name}, ${word(digit)}…`, [
          dialled(oneOf([`began-${digit}`]), [
            set('sipctl_menu', context),
            ...restOf(more),
            transfer(context, `dialled-${word(digit)}\${sipctl_rest}`),
          ]),
        ]),
      ),
      ...ivr.keys.map(([key, destination]) =>
        extension(`${name}, key ${word(key)}`, [
          dialled(oneOf([`dialled-${key}`]), sendTo(plan, destination)),
        ]),
      ),
      ...(ivr.directDial
        ? [
            extension(`${name}, an extension`, [
              dialled('^dialled-(.*)$', [transfer(names.context('extensions'), '$1')]),
            ]),
            extension(`${name}, no extension`, [
              dialled('^wrong$', [
                set('ivr_menu_status', 'failure'),
                action('playback', soundFile(ivr.invalidSound)),
                transfer(context, 'next'),
              ]),
            ]),
          ]
        : []),
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

/** A key that ends no entry: telephones do not have it. */
const noTerminator = 'D';

/** Digits that follow, as long as they come. */
const restOf = (most: number): Action[] => [
  set('sipctl_rest', ''),
  ...(most === 0
    ? []
    : [action('read', `0 ${most} silence sipctl_rest ${betweenDigits} ${noTerminator} ${betweenDigits}`)]),
];

/** The extensions of the tenant, which callers of a menu may dial, too, and whoever is transferred by a carrier. */
export const extensionsContext = (plan: Plan): Context => ({
  name: plan.names.context('extensions'),
  extensions: [
    extension('every call', [always([set('sipctl_back', '${sipctl_menu}'), set('sipctl_menu', '')])], true),
    ...withUsersTogether(plan, plan.flow.dialled, ({ action: lead, pattern, why }) =>
      lead.kind === 'reach'
        ? [extension(why, [dialled(oneOf([pattern.literal]), sendTo(plan, lead.to))])]
        : [],
    ),
    // An entry of a menu that is none; whom a phone transfers has nowhere to go back to.
    extension('back to the menu', [
      condition('${sipctl_menu}', '^.+$', [transfer('${sipctl_back}', 'wrong')]),
    ]),
    extension('no extension', [always(hangup(unallocated))]),
  ],
});

const unallocated = 1;

import type { Dialled, DialPattern } from '../../../model/flow/call-flow.ts';
import { word } from '../words.ts';
import {
  type Action,
  action,
  always,
  type Context,
  condition,
  dialled,
  type Extension,
  extension,
  hangup,
  quoted,
  set,
  share,
  transfer,
} from './dialplan.ts';
import { inChunks } from './numbers.ts';
import { withUsersTogether } from './own-extensions.ts';
import { parkedCalls } from './parking.ts';
import { carried, counted, limit, type Plan, sendTo, voicemailProfile } from './plan.ts';
import { recorded } from './recording.ts';
import { emergencyHops, routeHops } from './routes.ts';

const unallocated = 1;
const forbidden = 21;

/** How a call of a user begins: who calls, what every call carries, whether there is room, and where it leads. */
export function calling(plan: Plan): Context[] {
  const { flow, names } = plan;
  if (flow.users.length === 0) return [];
  const emergencies = flow.dialled.filter(({ action }) => action.kind === 'emergency');
  const others = flow.dialled.filter(({ action }) => action.kind !== 'emergency');
  return [
    {
      name: `t-${names.tenant}`,
      extensions: [
        extension('no user of the tenant', [
          condition('${sipctl_caller_tenant}', `^(?!${quoted(names.tenant)}$)`, hangup(forbidden)),
        ]),
        extension(
          'every call',
          [always([...carried(plan, 'internal'), ...recorded(plan, flow.record), ...itself])],
          true,
        ),
        extension('what was dialled', [dialled('^([+*#0-9]+)$', [set('sipctl_number', '$1')])], true),
        ...emergencies.map((one) => emergency(plan, one)),
        ...recordedCallers(plan),
        extension(
          'limits',
          [
            always([
              limit(plan, counted.tenant, flow.maxCalls),
              limit(plan, 'user.${sipctl_caller}', '${sipctl_max_calls}'),
            ]),
          ],
          true,
        ),
        parkedCalls(plan),
        ...withUsersTogether(plan, others, (one) => leading(plan, one)),
        extension('unknown', [always(hangup(unallocated))]),
      ],
    },
  ];
}

function recordedCallers(plan: Plan): Extension[] {
  if (plan.flow.record) return [];
  const extensions = plan.flow.users.filter(({ record }) => record).map((user) => user.extension);
  return inChunks(extensions).map((expression) =>
    extension('recorded', [condition('${sipctl_caller}', expression, recorded(plan, true))], true),
  );
}

// A phone may write what it likes into From and its kin: what others see and hear of is the account that it signed with.
const itself: readonly Action[] = [
  action('set_profile_var', 'caller_id_number=${effective_caller_id_number}'),
  action('set_profile_var', 'caller_id_name=${effective_caller_id_name}'),
];

// Counted, and never refused.
function emergency(plan: Plan, { action: one, pattern }: Dialled): Extension {
  if (one.kind !== 'emergency') throw new TypeError('not an emergency number');
  return extension(`emergency ${word(one.emergency.number)}`, [
    dialled(expressionOf(pattern), [
      limit(plan, counted.tenant, -1),
      limit(plan, 'user.${sipctl_caller}', -1),
      ...emergencyHops(plan, one.emergency),
    ]),
  ]);
}

function leading(plan: Plan, one: Dialled): Extension[] {
  const { names } = plan;
  const { action: lead, pattern, why } = one;
  switch (lead.kind) {
    case 'reach':
      return [extension(ownerOf(one), [dialled(expressionOf(pattern), sendTo(plan, lead.to))])];
    case 'voicemail-menu':
      return [
        extension(why, [...ownBoxOnly(lead.box), dialled(expressionOf(pattern), openBox(plan, lead.box))]),
      ];
    case 'canonical': {
      const to = transfer(names.context('outside'), `${word(lead.prepend)}$1`);
      return [extension(why, [dialled(expressionOf(pattern, lead.strip), [to])])];
    }
    case 'route': {
      const { route } = lead;
      return [
        extension(`route ${word(route.name)}, not for everybody`, [
          condition('${toll_allow}', '^internal$'),
          dialled(expressionOf(pattern), hangup(forbidden)),
        ]),
        extension(`route ${word(route.name)}`, [
          dialled(expressionOf(pattern, route.strip), [
            share('SIPCTL_DIRECTION', 'outbound'),
            set('sipctl_sent', `${word(route.prepend)}$1`),
          ]),
          ...routeHops(plan, route),
        ]),
      ];
    }
    case 'emergency':
      throw new TypeError(`${pattern.literal} is an emergency number`);
  }
}

const ownBoxOnly = (box: 'own' | 'any') => (box === 'own' ? [condition('${sipctl_box}', '^true$')] : []);

function openBox({ domain }: Plan, box: 'own' | 'any'): Action[] {
  const check = `check ${voicemailProfile} ${word(domain)}`;
  const open =
    box === 'own'
      ? [set('voicemail_authorized', 'true'), action('voicemail', `${check} \${user_name}`)]
      : [action('voicemail', check)];
  return [action('answer'), ...open, ...hangup(16)];
}

function ownerOf({ action: lead, why }: Dialled): string {
  return lead.kind === 'reach' && 'name' in lead.to ? `${lead.to.kind} ${word(lead.to.name)}` : why;
}

/** The expression of a pattern; what is left of the number after `strip` characters is its first group. */
export function expressionOf({ literal, anyDigits, more }: DialPattern, strip = 0): string {
  const characters = [...[...literal].map(quoted), ...Array<string>(anyDigits).fill('[0-9]')];
  const before = characters.slice(0, strip).join('');
  const after = characters.slice(strip).join('');
  const beyond = Math.max(0, strip - characters.length);
  if (!more) return `^${before}(${after})$`;
  if (beyond === 0) return `^${before}(${after}[0-9*#]+)$`;
  return `^${before}[0-9*#]{${beyond}}([0-9*#]*)$`;
}

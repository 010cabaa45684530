import type { Problem } from '../../errors.ts';
import type { Ivr } from '../call-nouns.ts';
import { type Destination, formatDestination, storedDestination } from '../destination.ts';
import type { TenantSite } from '../site.ts';
import type { CallFlow, FlowIvr } from './call-flow.ts';

/** What is wrong with a menu, and what is only worth a look. */
export interface MenuFindings {
  ivr: string;
  errors: Problem[];
  warnings: Problem[];
}

/** Dead ends, circles, keys and menus that nobody reaches; of the enabled menus. */
export function lintMenus(site: TenantSite, flow: CallFlow): MenuFindings[] {
  const leaving = menusWithAWayOut(flow);
  const entered = enteredMenus(flow);
  return flow.ivrs.map((ivr) => {
    const stored = site.ivrs.find(({ name }) => name === ivr.name) as Ivr;
    const errors = [...lostDestinations(stored, ivr), ...circles(ivr, flow, leaving)];
    const warnings = [
      ...deadEnds(stored),
      ...slowKeys(ivr, flow),
      ...(entered.has(ivr.name) ? [] : [unreachable(ivr.name)]),
    ];
    return { ivr: ivr.name, errors, warnings };
  });
}

/** Where a menu's stored destinations stand: the field, and the key where it is one. */
function placesOf(ivr: Ivr): { field: string; place: string; text: string }[] {
  return [
    ...ivr.keys.map((key) => ({ field: 'keys', place: `key ${key.slice(0, 1)}`, text: key.slice(2) })),
    ...(['unanswered', 'invalid'] as const).flatMap((field) =>
      ivr[field] === null ? [] : [{ field, place: field, text: ivr[field] }],
    ),
  ];
}

// The flow has another destination where the stored one is disabled, gone, or has no box.
function lostDestinations(stored: Ivr, ivr: FlowIvr): Problem[] {
  const inForce = (place: string): Destination => {
    if (place === 'unanswered' || place === 'invalid') return ivr[place];
    const key = ivr.keys.find(([one]) => `key ${one}` === place);
    return key?.[1] ?? { kind: 'hangup', cause: 'unavailable' };
  };
  return placesOf(stored)
    .filter(
      ({ place, text }) => formatDestination(inForce(place)) !== formatDestination(storedDestination(text)),
    )
    .map(({ field, place, text }) => ({
      code: 'lost_destination',
      message: `ivr ${stored.name}: ${place} leads to ${text}, which is disabled or has no voicemail box`,
      field,
      hint: 'enable it, or choose another destination',
    }));
}

function deadEnds(stored: Ivr): Problem[] {
  const silent: Problem[] =
    stored.unanswered === null
      ? [
          {
            code: 'dead_end',
            message: `ivr ${stored.name}: a caller who presses nothing is cut off`,
            field: 'unanswered',
            hint: 'give --unanswered, for example group:sales or voicemail:ann',
          },
        ]
      : [];
  const ends = placesOf(stored).filter(({ text }) => text.startsWith('hangup'));
  return [
    ...silent,
    ...ends.map(({ field, place, text }) => ({
      code: 'dead_end',
      message: `ivr ${stored.name}: ${place} ends the call (${text})`,
      field,
      hint: 'right where it is meant so',
    })),
  ];
}

const exitsOf = (ivr: FlowIvr): Destination[] => [
  ...ivr.keys.map(([, to]) => to),
  ivr.unanswered,
  ivr.invalid,
];

// Whoever reaches such a menu can come to something that is no menu.
function menusWithAWayOut({ ivrs }: CallFlow): ReadonlySet<string> {
  const leaving = new Set<string>();
  for (let before = -1; before < leaving.size; ) {
    before = leaving.size;
    for (const ivr of ivrs) {
      if (exitsOf(ivr).some((to) => to.kind !== 'ivr' || leaving.has(to.name))) leaving.add(ivr.name);
    }
  }
  return leaving;
}

function circles(ivr: FlowIvr, flow: CallFlow, leaving: ReadonlySet<string>): Problem[] {
  if (!leaving.has(ivr.name)) {
    return [
      {
        code: 'loop',
        message: `ivr ${ivr.name}: every key leads to a menu, and none of those leads anywhere else`,
        field: 'keys',
        hint: 'let a key lead to a user, a group or a voicemail box',
      },
    ];
  }
  const path = pathOfSilence(flow, ivr.name);
  if (path === null) return [];
  return [
    {
      code: 'loop',
      message: `ivr ${ivr.name}: a caller who presses nothing goes round for ever: ${path.join(' → ')}`,
      field: 'unanswered',
      hint: 'let --unanswered of one of them lead to somebody, or to hangup',
    },
  ];
}

/** The way of a call that nobody answers and whose caller does nothing, where it comes back to the menu. */
function pathOfSilence(flow: CallFlow, name: string): string[] | null {
  const start = `ivr:${name}`;
  const path = [start];
  let to = nextInSilence(flow, { kind: 'ivr', name });
  while (to !== null) {
    const text = formatDestination(to);
    if (text === start) return [...path, start];
    // Another circle, which is told of where it is entered.
    if (path.includes(text)) return null;
    path.push(text);
    to = nextInSilence(flow, to);
  }
  return null;
}

function nextInSilence({ users, groups, ivrs }: CallFlow, to: Destination): Destination | null {
  if (to.kind === 'ivr') return ivrs.find(({ name }) => name === to.name)?.unanswered ?? null;
  if (to.kind === 'group') return groups.find(({ name }) => name === to.name)?.unanswered ?? null;
  return to.kind === 'user' ? (users.find(({ name }) => name === to.name)?.unanswered ?? null) : null;
}

/** A key that is also the beginning of an extension has to wait for more digits. */
function slowKeys(ivr: FlowIvr, { dialled }: CallFlow): Problem[] {
  if (!ivr.directDial) return [];
  const extensions = dialled.flatMap(({ action, pattern }) =>
    action.kind === 'reach' ? [pattern.literal] : [],
  );
  return ivr.keys.flatMap(([key]): Problem[] => {
    if (extensions.includes(key)) {
      const message = `ivr ${ivr.name}: key ${key} hides the extension ${key}, which cannot be dialled here`;
      return [{ code: 'hidden_extension', message, field: 'keys', hint: 'choose another key' }];
    }
    const longer = extensions.filter((extension) => extension.startsWith(key));
    if (longer.length === 0) return [];
    const message = `ivr ${ivr.name}: after key ${key} the menu waits for more digits, of ${longer.slice(0, 3).join(', ')}${longer.length > 3 ? ', …' : ''}`;
    return [
      {
        code: 'slow_key',
        message,
        field: 'keys',
        hint: 'choose a key that begins no extension, or --no-direct-dial',
      },
    ];
  });
}

function enteredMenus(flow: CallFlow): ReadonlySet<string> {
  const destinations = [
    ...flow.dialled.map(({ action }) => (action.kind === 'reach' ? action.to : null)),
    ...flow.inbound.map(({ destination }) => destination),
    ...flow.schedules.map(({ closed }) => closed),
    ...flow.users.map(({ unanswered }) => unanswered),
    ...flow.groups.map(({ unanswered }) => unanswered),
  ];
  const entered = new Set(destinations.flatMap((to) => (to?.kind === 'ivr' ? [to.name] : [])));
  for (const name of entered) {
    const ivr = flow.ivrs.find((one) => one.name === name);
    for (const to of ivr === undefined ? [] : exitsOf(ivr)) if (to.kind === 'ivr') entered.add(to.name);
  }
  return entered;
}

const unreachable = (name: string): Problem => ({
  code: 'unreachable',
  message: `ivr ${name}: nothing leads there, neither a number nor an extension nor another menu`,
  field: 'extension',
  hint: `sipctl number set <number> --to ivr:${name}, or give it an --extension`,
});

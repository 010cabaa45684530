import type { CallFlow, FlowMailbox } from '../../../model/flow/call-flow.ts';
import { word } from './dialplan.ts';
import type { ConfEntry, ConfSection } from './sections.ts';

/** The voicemail boxes of a tenant: one section per voicemail context, and the time zones that boxes name. */
export function boxSections(flow: CallFlow): ConfSection[] {
  const contexts = new Map<string, ConfEntry[]>();
  const zones = new Set<string>();
  for (const { name, mailbox } of flow.users) {
    if (mailbox === null) continue;
    const entries = contexts.get(mailbox.context) ?? [];
    contexts.set(mailbox.context, entries);
    entries.push({ key: word(mailbox.box), value: boxValue(mailbox), owner: `user ${word(name)}` });
    if (mailbox.timeZone !== null) zones.add(word(mailbox.timeZone));
  }
  const sections = [...contexts].map(([name, entries]) => ({ name: word(name), owner: '', entries }));
  if (zones.size === 0) return sections;
  const entries = [...zones].map((zone) => ({ key: zone, value: `${zone}|${spokenTime}`, owner: '' }));
  return [...sections, { name: 'zonemessages', owner: '', entries }];
}

// "Received today at 14 25", or the day before, or the date.
const spokenTime = `'vm-received' Q 'digits/at' kM`;

/**
 * `<password>,<name>,<e-mail>,<pager>,<options>`. A password that starts with `-` cannot be changed by phone, which
 * would write over the delivered file; one that holds letters cannot be entered, so such a box opens only for the
 * user's own phone.
 */
function boxValue({ pin, displayName, email, timeZone }: FlowMailbox): string {
  const password = pin === null ? 'none' : pin.reveal();
  const options = [
    ...(email === null ? [] : ['attach=yes']),
    ...(timeZone === null ? [] : [`tz=${timeZone}`]),
  ];
  return [`-${password}`, nameOf(displayName), email ?? '', '', options.join('|')]
    .join(',')
    .replace(/,+$/, '');
}

// A comma would begin the next field, and there is no way to write one.
const nameOf = (displayName: string): string => displayName.replace(/[,"\\]+/g, ' ').trim();

import type { Plan } from './destinations.ts';
import {
  type Context,
  extension,
  goto,
  gotoIf,
  hangup,
  routine,
  type Step,
  set,
  step,
  when,
} from './dialplan.ts';

/** What sipctl sends calls to that are held, parked, answered by hand, or transferred after a word with the other side. */
export const holding = (plan: Plan): Context[] => [
  held(plan),
  waiting(plan),
  consult(plan),
  parked(plan),
  parking(plan),
];

const normal = 16;
const unallocated = 1;

// A party that is alone would wait for ever: each second it is seen whether the other one is there.
const whileOther: readonly Step[] = [
  step('Wait', '1', 'again'),
  when('"${SIPCTL_OTHER}" != "" & "${IMPORT(${SIPCTL_OTHER},UNIQUEID)}" = ""', hangup(normal)),
  step('Goto', 'again'),
];

const held = ({ names }: Plan): Context =>
  routine(names.routine('held'), 'A party that is held: music, while the one that holds is there.', [
    step('Answer'),
    step('StartMusicOnHold'),
    ...whileOther,
  ]);

const waiting = ({ names }: Plan): Context =>
  routine(names.routine('holding'), 'A party that holds: silence, while the one that is held is there.', [
    ...whileOther,
  ]);

const consult = ({ names }: Plan): Context =>
  routine(names.routine('consult'), 'Asks somebody before a transfer: in the name of who transfers.', [
    set('__SIPCTL_USER', '${SIPCTL_USER}'),
    step('Dial', `Local/\${SIPCTL_TO}@t-${names.tenant}/n,60`),
    goto(names.routine('holding')),
  ]);

/** Dialled with the two digits of a slot, to take back a call that is parked there. */
export const parkingCode = '*59';

/** The channel of a slot; whoever hung up there may have left its name behind. */
const slotVariable = (tenant: string, slot: string): string => `GLOBAL(SIPCTL_PARKED_${tenant}_${slot})`;

const parked = ({ names }: Plan): Context => ({
  name: names.routine('parked'),
  about: 'A party that is parked: music, until it is taken back, or its time is over.',
  owner: '',
  includes: [],
  extensions: [
    extension('_XX', [
      set('SIPCTL_SLOT', '${EXTEN}'),
      set(slotVariable(names.tenant, '${EXTEN}'), '${CHANNEL}'),
      set('UNTIL', '$[${EPOCH} + 0${SIPCTL_SECONDS}]'),
      step('StartMusicOnHold'),
      step('Wait', '1', 'again'),
      when('"${SHARED(TAKEN)}" != "" & "${IMPORT(${SHARED(TAKEN)},UNIQUEID)}" = ""', hangup(normal)),
      gotoIf('"${SHARED(TAKEN)}" != "" | ${EPOCH} < ${UNTIL}', 'again'),
      set('SIPCTL_SLOT', ''),
      when('"${SIPCTL_BACK}" = ""', hangup(normal)),
      goto(names.routine('dialled'), '${SIPCTL_BACK}'),
    ]),
  ],
});

const parking = ({ names }: Plan): Context => {
  const digits = `\${EXTEN:${parkingCode.length}}`;
  return {
    name: names.routine('parking'),
    about: 'Takes back a call that sipctl parked.',
    owner: '',
    includes: [],
    extensions: [
      extension(`_${parkingCode}XX`, [
        set('PARKED', `\${${slotVariable(names.tenant, digits)}}`),
        when(`"\${PARKED}" = ""`, hangup(unallocated)),
        when(`"\${IMPORT(\${PARKED},SIPCTL_SLOT)}" != "${digits}"`, hangup(unallocated)),
        set('SHARED(TAKEN,${PARKED})', '${CHANNEL}'),
        step('Answer'),
        step('Bridge', '${PARKED}'),
        hangup(normal),
      ]),
    ],
  };
};

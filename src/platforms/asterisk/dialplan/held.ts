import type { Plan } from './destinations.ts';
import { type Context, goto, hangup, routine, type Step, set, step, when } from './dialplan.ts';

/** What sipctl sends calls to that are held, answered by hand, or transferred after a word with the other side. */
export const holding = (plan: Plan): Context[] => [held(plan), waiting(plan), consult(plan)];

const normal = 16;

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

import { action, dialled, type Extension, extension, hangup, quoted } from './dialplan.ts';
import type { Plan } from './plan.ts';

/** What stands before the number of a slot. */
export const parkingCode = '*59';

/** The numbers of the slots. */
export const parkingSlots = Array.from({ length: 100 }, (_, at) => String(at).padStart(2, '0'));

/** Under which name FreeSWITCH keeps who is in which slot. */
export const parkingRealm = (tenant: string): string => `sipctl.parked.${tenant}`;

const noRoute = 3;

/** Takes a parked call back: whoever dials the slot talks to it. */
export const parkedCalls = ({ names }: Pick<Plan, 'names'>): Extension =>
  extension('parked call', [
    dialled(`^${quoted(parkingCode)}([0-9][0-9])$`, [
      // A call that was taken back is in no slot, whoever else dials it later.
      action('intercept', `\${hash(select/${parkingRealm(names.tenant)}/$1)}`),
      ...hangup(noRoute),
    ]),
  ]);

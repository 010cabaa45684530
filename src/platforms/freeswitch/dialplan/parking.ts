import { action, dialled, type Extension, extension, hangup, quoted, set } from './dialplan.ts';
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
      set('sipctl_parked', `\${hash(select/${parkingRealm(names.tenant)}/$1)}`),
      // Else whoever dials it later would take a call away that talks.
      action('hash', `delete/${parkingRealm(names.tenant)}/$1`),
      action('intercept', '${sipctl_parked}'),
      ...hangup(noRoute),
    ]),
  ]);

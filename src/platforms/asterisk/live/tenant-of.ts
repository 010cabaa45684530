import type { AmiMessage } from '../ami/codec.ts';
import { known } from './channel.ts';
import { refused } from './hands.ts';

/** The tenant of a channel: the dialplan writes its name into the account code. @throws SipctlError `refused` for nobody's */
export function tenantOf(status: AmiMessage): string {
  const tenant = known(status.get('AccountCode'));
  if (tenant !== null) return tenant;
  const channel = status.get('Channel');
  throw refused(
    'no_tenant',
    `${channel} is no call of a tenant's dialplan`,
    'sipctl can only hang it up, or record it',
  );
}

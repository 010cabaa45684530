import { plain, type Style } from './style.ts';
import { listing, shown, table } from './table.ts';

export interface TenantSip {
  tenant: string;
  displayName: string | null;
  sipEnabled: boolean;
  sipDomain: string | null;
  maxCalls: number;
  stunServer: string | null;
  turnServer: string | null;
  users: readonly { username: string; extension: string; sipUri: string | null; enabled: boolean }[];
  numbers: readonly {
    number: string;
    destination: string | null;
    trunk: string | null;
    inbound: boolean;
    outbound: boolean;
  }[];
}

/** A customer's SIP facts: the tenant, its accounts, its numbers. */
export function tenantSip(sip: TenantSip, style: Style = plain): string {
  const head = listing(
    [
      ['tenant', sip.tenant],
      ['name', shown(sip.displayName)],
      ['SIP', sip.sipEnabled ? 'enabled' : 'disabled'],
      ['domain', shown(sip.sipDomain)],
      ['calls at once', sip.maxCalls === 0 ? 'no limit' : shown(sip.maxCalls)],
      ['STUN', shown(sip.stunServer)],
      ['TURN', shown(sip.turnServer)],
    ],
    style,
  );
  const users = table(
    sip.users,
    [
      { title: 'USER', value: (user) => user.username },
      { title: 'EXTENSION', value: (user) => user.extension },
      { title: 'SIP URI', value: (user) => shown(user.sipUri) },
    ],
    style,
  );
  const numbers = table(
    sip.numbers,
    [
      { title: 'NUMBER', value: (number) => number.number },
      { title: 'TO', value: (number) => shown(number.destination) },
      { title: 'TRUNK', value: (number) => shown(number.trunk) },
      { title: 'IN', value: (number) => shown(number.inbound) },
      { title: 'OUT', value: (number) => shown(number.outbound) },
    ],
    style,
  );
  return `${head}${sip.users.length > 0 ? `\n${users}` : ''}${sip.numbers.length > 0 ? `\n${numbers}` : ''}`;
}

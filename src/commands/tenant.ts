import { userId } from '../model/identity.ts';
import * as nouns from '../model/nouns.ts';
import { tenantSip } from '../report/tenant-sip.ts';
import type { Run } from './command.ts';
import { nounCommand } from './noun-verbs.ts';
import { refOf } from './object-ref.ts';

/** What a customer needs to know to connect: domain, limits, accounts and numbers. */
const sip: Run = async (app, input) => {
  const store = await app.store();
  const { name } = refOf(nouns.tenant, app, input);
  const { tenant, users, trunks, numbers } = await store.tenantSite(name);
  const data = {
    tenantId: tenant.id,
    tenant: tenant.name,
    displayName: tenant.displayName,
    sipEnabled: tenant.enabled,
    sipDomain: tenant.domain,
    maxCalls: tenant.maxCalls,
    stunServer: tenant.stunServer,
    turnServer: tenant.turnServer,
    users: users.map((user) => ({
      username: user.username,
      extension: user.extension,
      sipUri: tenant.domain === null ? null : `sip:${userId(tenant.domain, user.username)}`,
      enabled: user.enabled,
    })),
    numbers: numbers.map((number) => {
      const trunk = trunks.find((one) => one.name === number.trunk);
      return {
        id: number.id,
        number: number.number,
        destination: number.destination,
        trunk: number.trunk,
        trunkEnabled: trunk?.enabled ?? false,
        host: trunk?.host ?? null,
        port: trunk?.port ?? null,
        username: trunk?.username ?? null,
        realm: trunk?.realm ?? null,
        transport: trunk?.transport ?? null,
        inbound: number.inbound,
        outbound: number.outbound,
      };
    }),
  };
  return { data, text: (style) => tenantSip(data, style) };
};

export const tenantCommand = nounCommand({
  noun: nouns.tenant,
  summary: 'customers: everything belongs to one',
  listed: ['displayName', 'domain', 'country', 'maxCalls'],
  examples: [
    'sipctl tenant add acme --display-name "ACME Corp" --domain acme.sip.example --country US --max-calls 5',
  ],
  more: [{ name: 'sip', summary: 'what the customer needs to connect', args: '<name>', run: sip }],
});

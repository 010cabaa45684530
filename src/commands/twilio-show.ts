import type { App } from '../app.ts';
import { number } from '../model/nouns.ts';
import { twilioAccount, twilioOrigination, twilioTrunk } from '../model/service-nouns.ts';
import { trunkDomain } from '../model/twilio/names.ts';
import { listing, shown, table } from '../report/table.ts';
import { type TrunkFacts, trunkFacts, trunkFactsText } from '../report/twilio.ts';
import type { Run, VerbSpec } from './command.ts';
import { verified, verifyOptions } from './service-verbs.ts';
import { type StoredTrunk, serviceOf, trunkAsked } from './twilio-scope.ts';

/** Everything that is known of one trunk at Twilio, without asking Twilio. */
const show: Run = async (app, input) => {
  const trunk = await trunkAsked(app, input, input.args[0]);
  const reveal = input.options.reveal === true;
  const store = await app.store();
  const { tenant, name } = trunk;
  if (reveal) await store.audit({ action: 'reveal', noun: 'twilioTrunk', tenant, name, detail: {} });
  const facts = trunkFacts(trunk, await memoryOf(app, trunk), reveal);
  const data = { ...(await surroundings(app, trunk)), ...facts };
  return {
    data,
    text: (style) =>
      trunkFactsText(facts, style) +
      listing(
        [
          ['tenant', tenant],
          ['name', name],
          ['account', `${data.account} ${style.dim(data.accountSid)}`],
          ['label', shown(data.label)],
          ['secure', shown(data.secure)],
          ['recording', `${data.recording}, ${data.trim}`],
          ['calls go to', shown(data.originations.map(({ sipUrl }) => sipUrl))],
          ['numbers', shown(data.numbers)],
          ['trunk for PBXs', shown(data.trunk)],
          ['enabled', shown(data.enabled)],
        ],
        style,
      ),
  };
};

const memoryOf = async (app: App, { tenant, name }: StoredTrunk) =>
  (await app.store()).resourceMemory({ kind: 'twilio', tenant, name }).list();

async function surroundings(app: App, trunk: StoredTrunk) {
  const { records } = await app.store();
  const { tenant, name } = trunk;
  const account = await records.get(twilioAccount, { tenant, name: trunk.account });
  const originations = (await records.list(twilioOrigination, { tenant })).filter(
    (one) => one.twilioTrunk === name,
  );
  const numbers = (await records.list(number, { tenant })).filter(
    (one) => trunk.trunk !== null && one.trunk === trunk.trunk,
  );
  return {
    ...{ id: trunk.id, tenant, name, account: account.name, accountSid: account.accountSid },
    label: account.label,
    ...{ secure: trunk.secure, recording: trunk.recording, trim: trunk.trim },
    originations: originations.map(({ name: of, sipUrl, priority, weight, enabled }) => ({
      ...{ name: of, sipUrl, priority, weight, enabled },
    })),
    numbers: numbers.map((one) => one.number),
    ...{ trunk: trunk.trunk, enabled: trunk.enabled },
    ...{ createdAt: trunk.createdAt, updatedAt: trunk.updatedAt },
  };
}

const list: Run = async (app, input) => {
  const { records } = await app.store();
  const everywhere = input.options.allTenants === true;
  const found = await records.list(twilioTrunk, { tenant: everywhere ? null : app.config.tenant });
  const trunks: (TrunkFacts & { tenant: string; name: string; account: string; enabled: boolean })[] = [];
  for (const one of found as StoredTrunk[]) {
    const { tenant, name, account, enabled } = one;
    trunks.push({ tenant, name, account, ...trunkFacts(one, await memoryOf(app, one)), enabled });
  }
  return {
    data: { twilioTrunks: trunks, count: trunks.length },
    text: (style) =>
      trunks.length === 0
        ? `no Twilio trunks${everywhere ? '' : ` in tenant '${app.config.tenant}': --all-tenants shows all`}\n`
        : table(
            trunks,
            [
              { title: 'NAME', value: ({ name }) => name, style: () => style.bold },
              ...(everywhere ? [{ title: 'TENANT', value: ({ tenant }: { tenant: string }) => tenant }] : []),
              { title: 'ACCOUNT', value: ({ account }) => account },
              { title: 'DOMAIN', value: ({ domainPrefix }) => trunkDomain(domainPrefix) },
              { title: 'SIP USER', value: ({ sipUsername }) => sipUsername },
              { title: 'SID', value: ({ trunkSid }) => trunkSid ?? '-' },
              { title: 'STATE', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
            ],
            style,
          ),
  };
};

/** Whether Twilio still has what was made there. */
const verify: Run = async (app, input) => {
  const trunk = await trunkAsked(app, input, input.args[0]);
  return verified(app, [await serviceOf(app, trunk)], input);
};

export const twilioShow: VerbSpec = {
  name: 'show',
  summary: 'domain, SIDs and credentials of a trunk',
  args: '[name]',
  options: [['--reveal', 'show the password; leaves an audit row']],
  run: show,
};

export const twilioList: VerbSpec = {
  name: 'list',
  summary: 'trunks at Twilio',
  options: [['--all-tenants', 'of every tenant']],
  run: list,
};

export const twilioVerify: VerbSpec = {
  name: 'verify',
  summary: 'whether Twilio still has the trunk and all that belongs to it; exit 5 where something is gone',
  args: '[name]',
  options: verifyOptions,
  run: verify,
};

import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { type TwilioAccount, twilioTrunk } from '../model/service-nouns.ts';
import type { Leftover } from '../model/twilio/view.ts';
import { visible } from '../report/calls.ts';
import { table } from '../report/table.ts';
import type { Run, VerbSpec } from './command.ts';
import { confirm } from './confirm.ts';
import { endedBy } from './ended.ts';
import { accountAsked, accountOption, type StoredTrunk } from './twilio-scope.ts';

const kinds = { trunk: 'trunk', 'credential-list': 'credential list' } as const;

/** Trunks and credential lists of an account that bear names of sipctl's, and that no tenant has. */
const run: Run = async (app, input) => {
  const account = await accountAsked(app, input);
  const orphans = await orphansOf(app, account);
  const removed: Leftover[] = [];
  const errors: SipctlError[] = [];
  if (input.options.remove === true && orphans.length > 0) {
    const named = orphans.map(({ name, kind }) => `${kinds[kind]} ${visible(name)}`);
    await confirm(
      app,
      `Remove ${named.join(', ')}? No tenant of this database has them; another database of sipctl may.`,
    );
    const view = await app.twilioView(account);
    const store = await app.store();
    for (const one of orphans) {
      if (app.signal.aborted) break;
      try {
        await view.removeLeftover(one, app.signal);
        removed.push(one);
      } catch (error) {
        if (!(error instanceof SipctlError)) throw error;
        errors.push(error);
      }
    }
    const detail = { removed: removed.map(({ kind, id, name }) => `${kind} ${id} ${name}`) };
    const { tenant } = app.config;
    if (removed.length > 0)
      await store.audit({ action: 'remove', noun: 'twilioAccount', tenant, name: account.name, detail });
  }
  return {
    changed: removed.length > 0,
    data: { account: account.name, orphans, removed, count: orphans.length },
    text: (style) =>
      orphans.length === 0
        ? `nothing in Twilio account '${account.name}' was left over by sipctl\n`
        : table(
            orphans,
            [
              { title: 'KIND', value: ({ kind }) => kinds[kind] },
              { title: 'NAME', value: ({ name }) => visible(name), style: () => style.bold },
              { title: 'SID', value: ({ id }) => id },
              { title: 'MADE', value: ({ createdAt }) => createdAt },
              { title: 'STATE', value: (one) => (removed.includes(one) ? 'removed' : 'there') },
            ],
            style,
          ),
    ...endedBy(errors),
  };
};

// The account may serve several tenants, and another database may know what this one does not: names alone prove nothing.
async function orphansOf(app: App, account: TwilioAccount): Promise<Leftover[]> {
  const store = await app.store();
  const [ids, names] = [new Set<string>(), new Set<string>()];
  for (const { tenant, name, friendlyName } of (await store.records.list(twilioTrunk)) as StoredTrunk[]) {
    names.add(friendlyName);
    for (const made of await store.resourceMemory({ kind: 'twilio', tenant, name }).list())
      if (made.id !== null) ids.add(made.id);
  }
  const view = await app.twilioView(account);
  const all = await view.leftovers(app.signal);
  return all.filter(({ id, name }) => !ids.has(id) && !names.has(name));
}

export const twilioOrphans: VerbSpec = {
  name: 'orphans',
  summary: 'what bears names of sipctl’s in the account, and belongs to no tenant of this database',
  options: [accountOption, ['--remove', 'take it away; what somebody still uses stays']],
  examples: ['sipctl twilio orphans --tenant acme', 'sipctl twilio orphans --tenant acme --remove'],
  run,
};

import { SipctlError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { CommandSpec, Run } from './command.ts';
import { confirm } from './confirm.ts';
import { leaseOf } from './lease.ts';

const rotate: Run = async (app) => {
  const store = await app.store();
  await expectAllSecrets(store);
  await confirm(app, `Seal every secret of ${app.config.db} with a new key?`);
  // Two rotations at once could each take away the other's key.
  const lease = await leaseOf(app, 'the key');
  const sealed = await store.rotateKey().finally(() => lease.release());
  return {
    data: { keyFile: store.keyFile, sealed },
    changed: true,
    text: () =>
      `${sealed} secrets sealed with a new key in ${store.keyFile}; backups made before need the old one\n`,
  };
};

// What a login does not see would stay sealed with a key that is then thrown away.
async function expectAllSecrets({ opened, file }: Store): Promise<void> {
  const own = await opened.access?.own();
  if (own === undefined || own.grants === 'all') return;
  throw new SipctlError('refused', {
    code: 'key_not_allowed',
    message: `'${own.login}' may not change the key of ${file}: it seals every tenant's secrets`,
    field: 'key',
    hint: 'an admin for all tenants can: sipctl access list',
  });
}

export const key: CommandSpec = {
  name: 'key',
  summary: 'the key that seals secrets',
  verbs: [{ name: 'rotate', summary: 'make a new key and seal every secret with it', run: rotate }],
};

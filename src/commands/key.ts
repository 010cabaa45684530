import type { CommandSpec, Run } from './command.ts';
import { confirm } from './confirm.ts';
import { leaseOf } from './lease.ts';

const rotate: Run = async (app) => {
  const store = await app.store();
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

export const key: CommandSpec = {
  name: 'key',
  summary: 'the key that seals secrets',
  verbs: [{ name: 'rotate', summary: 'make a new key and seal every secret with it', run: rotate }],
};

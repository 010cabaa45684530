import { existsSync } from 'node:fs';
import { lines, type Run, type VerbSpec } from './command.ts';

const run: Run = async (app) => {
  const { db, keyFile } = app.config;
  const hadKey = existsSync(keyFile);
  const store = await app.store({ create: true });
  await store.prepareKey();
  const isNew = store.opened.migrated.applied[0] === 1;
  const data = { db, keyFile, created: isNew, keyCreated: !hadKey };
  return {
    data,
    changed: isNew || !hadKey,
    text: (style) =>
      isNew
        ? lines(
            `${style.good('made')} ${db}`,
            `key   ${keyFile}${hadKey ? '' : ' (new: keep a copy, without it no stored password can be read)'}`,
            '',
            'Next:',
            '  sipctl tenant add acme --display-name "ACME Corp"',
            '  sipctl provider list',
            '  sipctl trunk add main --tenant acme --provider telnyx --username … --password-stdin',
            '  sipctl user add john_doe --tenant acme --extension 1001 --generate-password',
            '  sipctl node add pbx1 --kind asterisk --dir /etc/asterisk --ami 127.0.0.1:5038 --ami-user sipctl --ami-secret-file ./ami.secret',
            '  sipctl node init pbx1 --write',
            '  sipctl plan',
          )
        : lines(`${db} is there already${hadKey ? '' : `; made its key ${keyFile}`}`),
  };
};

export const init: VerbSpec = { name: 'init', summary: 'make the database and its key', run };

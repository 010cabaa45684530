import { mkdirSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandboxIn } from '../support/run-sipctl.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { shippedShape } from './freeswitch-site.ts';
import { type SshServer, sshMissing, startSshd } from './sshd.ts';

/** A running FreeSWITCH whose files and event socket are reached through one SSH connection. */

const trunk = '--tenant acme --provider custom_ip --host 127.0.0.9 --networks 127.0.0.9';

describeFreeswitch('a FreeSWITCH behind SSH', (start) => {
  describe.skipIf(sshMissing !== null)(sshMissing ?? 'and a tunnel', () => {
    let freeswitch: FreeswitchInstance;
    let server: SshServer;
    let box: Sandbox;
    beforeAll(async () => {
      freeswitch = await start(shippedShape);
      server = await startSshd();
      const dir = join(dirname(freeswitch.conf), 'sipctl-site');
      mkdirSync(dir);
      box = sandboxIn(dir);
      await box.ok('init');
      await box.ok(
        [
          ...['node', 'add', 'far', '--kind', 'freeswitch', '--dir', freeswitch.conf],
          ...['--ssh', server.line.login, '--ssh-config', server.config, '--tunnel'],
          ...['--esl', `${freeswitch.esl.host}:${freeswitch.esl.port}`, '--esl-password', 'env:ESL_PASSWORD'],
        ],
        { env: { ESL_PASSWORD: freeswitch.esl.password } },
      );
      await box.ok('node init far --write');
      await box.ok('tenant add acme --domain acme.example --country US');
      await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
    }, 90_000);
    afterAll(() => server?.stop());

    const inForce = (): Promise<string> => readlink(join(freeswitch.conf, 'sipctl/current'));

    async function gateway(): Promise<string> {
      const esl = await connectTo(freeswitch);
      try {
        return await esl.api('sofia xmlstatus gateway acme.carrier');
      } finally {
        await esl.close();
      }
    }

    it('is provisioned and verified through one connection', async () => {
      await box.ok(`trunk add carrier ${trunk}`);
      const begun = server.line.begun();
      const ended = await box.sipctl('apply --yes --json');
      expect(ended.code, ended.stdout).toBe(0);
      // Files and event socket: one connection for all.
      expect(server.line.begun()).toBe(begun + 1);
      expect(ended.json().data).toMatchObject({ nodes: [{ outcome: 'verified' }] });
      expect(await gateway()).toContain('127.0.0.9');
      expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(0);
      expect((await box.sipctl('drift --check')).code).toBe(0);
      expect((await box.ok('status --json')).json().data).toMatchObject({ nodes: [{ verified: true }] });
    });

    it('goes back where it refuses, and runs as before', async () => {
      const [generation, running] = [await inForce(), await gateway()];
      freeswitch.write(
        'dialplan/broken.xml',
        '<include>\n<context name="broken">\n<extension name="half">\n</context>\n</include>\n',
      );
      await box.ok('trunk set carrier --tenant acme --port 5091');
      const refused = await box.sipctl('apply --yes --json');
      expect([refused.code, refused.json().data], refused.stdout).toMatchObject([
        8,
        { nodes: [{ outcome: 'rolled-back' }] },
      ]);
      expect(await inForce()).toBe(generation);
      expect(settings(await gateway())).toEqual(settings(running));
      freeswitch.remove('dialplan/broken.xml');
      const ended = await box.sipctl('apply --yes --json');
      expect([ended.code, ended.json().data]).toMatchObject([0, { nodes: [{ outcome: 'verified' }] }]);
      expect(await gateway()).toContain('5091');
    });
  });
});

/** What was delivered of a gateway, without what changes by itself. */
const settings = (gateway: string): string[] =>
  gateway.split('\n').filter((line) => /<(?:name|proxy|context|username|exten)>/.test(line));

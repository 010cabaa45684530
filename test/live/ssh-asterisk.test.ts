import { writeFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { addManagerUser, shown } from './attached.ts';
import { type SshServer, sshMissing, startSshd } from './sshd.ts';

/** A running Asterisk whose files and manager interface are reached through one SSH connection. */

const ann = 'ann@acme.sip.example';

describeAsterisk('an Asterisk behind SSH', ({ start }) => {
  describe.skipIf(sshMissing !== null)(sshMissing ?? 'and a tunnel', () => {
    let asterisk: AsteriskInstance;
    let server: SshServer;
    beforeAll(async () => {
      asterisk = await start({ pjsip: '', etc: { 'after.conf': '' } });
      server = await startSshd();
      await addManagerUser(asterisk, 'sipctl', 'config,system');
    });
    afterAll(() => server?.stop());

    async function attached(): Promise<Sandbox> {
      const box = await sandbox();
      await box.ok(
        [
          ...['node', 'add', 'far', '--kind', 'asterisk', '--dir', asterisk.etc],
          ...['--ssh', server.line.login, '--ssh-config', server.config, '--tunnel'],
          ...['--ami', `${asterisk.ami.host}:${asterisk.ami.port}`, '--ami-user', 'sipctl'],
          ...['--ami-secret', 'env:AMI_SECRET'],
        ],
        { env: { AMI_SECRET: asterisk.ami.secret } },
      );
      return box;
    }

    it('is prepared, provisioned, verified, and goes back where it refuses', async () => {
      const box = await attached();
      await box.ok('node init far --write');
      await box.ok('tenant add acme --domain acme.sip.example');
      await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
      const begun = server.line.begun();
      const first = await box.ok('apply --yes --json');
      // Files and manager interface: one connection for all.
      expect(server.line.begun()).toBe(begun + 1);
      expect(first.json().data).toMatchObject({ nodes: [{ outcome: 'verified' }] });
      expect((await shown(asterisk)).endpoint.has(ann)).toBe(true);
      expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(0);
      expect((await box.sipctl('drift --check')).code).toBe(0);
      expect((await box.ok('status --json')).json().data).toMatchObject({ nodes: [{ verified: true }] });

      const inForce = await readlink(join(asterisk.etc, 'sipctl/current'));
      writeFileSync(
        join(asterisk.etc, 'after.conf'),
        '[new@acme.sip.example]\ntype = endpoint\ncontext = x\n',
      );
      const main = join(asterisk.etc, 'pjsip.conf');
      const { readFileSync } = await import('node:fs');
      const sound = readFileSync(main, 'utf8');
      writeFileSync(main, `${sound}\n#include after.conf\n`);
      await asterisk.cli('module reload res_pjsip.so');
      await box.ok('user add new --tenant acme --extension 1009 --generate-password');
      const refused = await box.sipctl('apply --yes --json');
      expect([refused.code, refused.json().data]).toMatchObject([8, { nodes: [{ outcome: 'rolled-back' }] }]);
      expect(await readlink(join(asterisk.etc, 'sipctl/current'))).toBe(inForce);
      writeFileSync(main, sound);
      expect((await box.apply()).code).toBe(0);
    });

    it('ends settled after its line was cut anywhere in an apply', async () => {
      const box = await attached();
      await box.ok('tenant add acme --domain acme.sip.example');
      await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
      await box.ok('apply --yes');
      const whole = server.line.sent();
      for (const share of [0.5, 0.7, 0.85, 0.9, 0.95, 0.98]) {
        await box.ok(['user', 'set', 'ann', '--tenant', 'acme', '--display-name', `Ann ${share}`]);
        server.line.cutAfterSent(Math.round(whole * share));
        const ended = await box.sipctl('apply --yes --json');
        server.line.cutAfterSent(null);
        expect([0, 7, 8, 9]).toContain(ended.code);
        const settled = await box.sipctl('apply --yes --json');
        expect([settled.code, settled.json().errors]).toEqual([0, []]);
        expect((await shown(asterisk)).endpoint.get(ann)?.Callerid).toContain(`Ann ${share}`);
        expect((await box.sipctl('drift --check')).code).toBe(0);
      }
    });
  });
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { node as asteriskNode } from './attached.ts';
import { describePbxs, type Pbx } from './calls/pbx.ts';
import { node as freeswitchNode } from './freeswitch-site.ts';
import { ScriptedCarrier } from './scripted-carrier.ts';

interface Stage {
  stage: string;
  status: string;
  cause: string | null;
}

interface Tested {
  status: string;
  stages: Stage[];
  causes: { code: string; message: string; hint?: string }[];
}

const passwords = { good: 'of good', wrong: 'of wrong' };

const otherAddress = (host: string): string =>
  host.replace(/^127\.(\d+)\./, (_, byte) => `127.${(Number(byte) + 1) % 255}.`);

describePbxs(
  'a trunk as its PBX sees it, on the command line',
  (start) => {
    let pbx: Pbx;
    let box: Sandbox;
    let carrier: ScriptedCarrier;
    let node: string;

    beforeAll(async () => {
      pbx = await start();
      box = await pbx.attach();
      carrier = await ScriptedCarrier.open(otherAddress(pbx.carriers.host), passwords);
      node = pbx.engine === 'asterisk' ? asteriskNode : freeswitchNode;
      await box.ok('tenant add acme --domain acme.example');
      for (const [name, password] of [
        ['good', 'of good'],
        ['wrong', 'another'],
      ] as const) {
        await box.ok(
          `trunk add ${name} --tenant acme --host ${carrier.host} --provider custom_credential --username ${name} --password env:P`,
          { env: { P: password } },
        );
      }
      await box.ok('user add ann --tenant acme --extension 1001 --password env:P', { env: { P: 'of ann' } });
      expect((await box.apply()).code).toBe(0);
    });
    afterAll(() => carrier?.close());

    const test = async (line: string) => {
      const { code, stdout, json } = await box.sipctl(
        `trunk test ${line} --tenant acme --via ${node} --json`,
      );
      const [tested] = (json().data as { trunks: Tested[] }).trunks;
      const stage = (name: string): Stage | undefined => tested?.stages.find((one) => one.stage === name);
      return { code, stdout, tested, stage };
    };

    it('is registered', async () => {
      await expect
        .poll(async () => (await test('good')).stage('pbx-registration')?.status, {
          timeout: 30_000,
          interval: 1000,
        })
        .toBe('ok');
      const { code, stage, stdout } = await test('good');
      expect(code, stdout).toBe(0);
      // Nothing is sent from here.
      expect(stage('register')).toBeUndefined();
    });

    it('is refused for its password', async () => {
      await expect.poll(async () => (await test('wrong')).code, { timeout: 30_000, interval: 1000 }).toBe(1);
      const { tested, stdout } = await test('wrong');
      expect(tested?.causes.length, stdout).toBeGreaterThan(0);
      expect(stdout).not.toContain('another');
    });

    it('is not there before it is applied', async () => {
      await box.ok(
        `trunk add later --tenant acme --host ${carrier.host} --provider custom_credential --username later --password env:P`,
        { env: { P: 'x' } },
      );
      const { code, stage, tested } = await test('later');
      expect(code).toBe(1);
      expect(stage('pbx-registration')?.cause).toBe('not_on_node');
      expect(tested?.causes[0]?.hint).toContain('sipctl apply');
      await box.ok('trunk remove later --tenant acme --yes');
    });

    it('calls, where the PBX may be told to', async () => {
      const { code, stage, stdout } = await test('good --call +15557654200 --seconds 1');
      if (pbx.engine === 'freeswitch') {
        expect(code, stdout).toBe(0);
        expect(stage('pbx-call')?.status).toBe('ok');
        expect(carrier.methods.slice(carrier.methods.lastIndexOf('INVITE'))).toEqual([
          'INVITE',
          'ACK',
          'BYE',
        ]);
      } else {
        // The documented rights are those of provisioning: a manager user that may call needs one more.
        expect(code, stdout).toBe(1);
        expect(stage('pbx-call')?.status).toBe('failed');
        expect(stdout).toContain('originate');
        expect(carrier.calls).toEqual([]);
      }
    });

    it('has users whose accounts are tested, too', async () => {
      const { host, port } = pbx.phones;
      const at = `--node ${node} --host ${host} --port ${port} --tenant acme --json`;
      const right = await box.sipctl(`user test ann ${at}`);
      expect(right.code, right.stdout).toBe(0);
      const [tested] = (right.json().data as { users: Tested[] }).users;
      expect(tested?.stages.find(({ stage }) => stage === 'register')?.status).toBe('ok');
      expect(tested?.stages.at(-1)).toMatchObject({ stage: 'pbx-registration', cause: 'no_phone' });
      await box.ok('user set ann --tenant acme --password env:P', { env: { P: 'of nobody' } });
      const wrong = await box.sipctl(`user test ann ${at}`);
      expect(wrong.code, wrong.stdout).toBe(1);
      expect(wrong.json().errors[0]).toMatchObject({ field: 'password' });
      expect(wrong.stdout).not.toContain('of nobody');
    });
  },
  null,
);

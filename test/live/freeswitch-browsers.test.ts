import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Finding } from '../../src/sip/finding.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { makeCertificates, whyNoOpenssl } from './certificates.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, shippedShape } from './freeswitch-site.ts';

const password = 'Ann-and-nobody-else';

describeFreeswitch(
  'browsers',
  (start) => {
    const folder = mkdtempSync(join(tmpdir(), 'sipctl-browsers-'));
    let freeswitch: FreeswitchInstance;
    let box: Sandbox;
    let ca: string;

    /** The site of all tests, whose phones may come in over WebSockets, too. */
    function withWebSockets(host: string): Record<string, string> {
      const made = makeCertificates(join(folder, 'certificates'), [host]);
      ca = made.ca;
      const site = shippedShape(host);
      const profile = 'sip_profiles/internal.xml';
      const params = [
        ['tls-cert-dir', '$${conf_dir}/browsers'],
        ['ws-binding', `${host}:5066`],
        ['wss-binding', `${host}:7443`],
      ];
      const lines = params.map(([name, value]) => `<param name="${name}" value="${value}"/>`).join('\n');
      return {
        ...site,
        [profile]: site[profile]?.replace('</settings>', () => `${lines}\n</settings>`) ?? '',
        'browsers/wss.pem': readFileSync(made.good.key, 'utf8') + readFileSync(made.good.cert, 'utf8'),
      };
    }

    beforeAll(async () => {
      freeswitch = await start(withWebSockets);
      box = await attach(freeswitch);
      await box.ok('tenant add acme --domain acme.example');
      const env = { P: password };
      await box.ok('user add ann --tenant acme --extension 1001 --password env:P', { env });
      await box.ok('conference add open --tenant acme --extension 4000');
      expect((await box.apply()).code).toBe(0);
    }, 90_000);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    async function tested(flags: string) {
      const line = `user test ann --tenant acme --webrtc ${flags} --ca ${ca} --timeout 4 --json`;
      const { code, stdout, json } = await box.sipctl(line);
      const [only] = (json().data as { users: { stages: Finding[] }[] }).users;
      const stage = (name: string) => only?.stages.find((one) => one.stage === name);
      return { code, stdout, stage };
    }

    it.each(['wss', 'ws'])('register over %s, and are told of DTLS and ICE', async (transport) => {
      const right = await tested(`--transport ${transport} --call 4000`);
      expect(right.code, right.stdout).toBe(0);
      expect(right.stage('register')).toMatchObject({ status: 'ok', facts: { unregistered: true } });
      expect(right.stage('webrtc'), right.stdout).toMatchObject({
        status: 'ok',
        facts: { profile: 'UDP/TLS/RTP/SAVPF', ice: true, rtcpMux: true, byeStatus: 200 },
      });
      const esl = await connectTo(freeswitch);
      await expect.poll(() => esl.api('show channels count')).toContain('0 total');
      await esl.close();
    });
  },
  whyNoOpenssl,
);

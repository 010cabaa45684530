import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { open, secretText, serverOf } from '../../../support/ami-client.ts';
import { ends, errorOf } from '../../../support/control-client.ts';

const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasOpenssl)('TLS (needs the openssl program)', () => {
  const certificate = (): { key: string; cert: string } => {
    const folder = mkdtempSync(join(tmpdir(), 'sipctl-ami-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = 'subjectAltName=DNS:pbx.example,IP:127.0.0.1';
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = ['-days', '2', '-subj', '/CN=pbx.example', '-addext', names];
    execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  };

  it('is spoken with a certificate that the given authority signed', async () => {
    const tls = certificate();
    const server = await serverOf({ tls });
    for (const servername of [undefined, 'pbx.example']) {
      const ami = await open(server, { tls: { ca: tls.cert, servername } });
      expect((await ami.action('Ping')).get('Ping')).toBe('Pong');
    }
  });

  it('refuses an unknown authority and another name, before anything is sent', async () => {
    const tls = certificate();
    const server = await serverOf({ tls });
    const unknown = await errorOf(open(server, { tls: {} }));
    const other = await errorOf(open(server, { tls: { ca: tls.cert, servername: 'other.example' } }));
    for (const error of [unknown, other]) {
      expect(error.outcome).toBe('unreachable');
      expect(error.problems[0]).toMatchObject({
        code: 'ami_certificate',
        hint: expect.stringContaining('PEM'),
      });
    }
    expect(server.actions).toEqual([]);
  });

  it('lets a plain login pass where no challenge is offered', async () => {
    const tls = certificate();
    const server = await serverOf({ tls, challenge: false });
    await open(server, { tls: { ca: tls.cert } });
    expect(server.actions[1]?.get('Secret')).toBe(secretText);
  });

  it('says where one side speaks TLS and the other does not', async () => {
    const tls = certificate();
    const plain = await errorOf(open(await serverOf(), { tls: { ca: tls.cert } }));
    expect(plain.message).toContain('TLS: wrong version number');
    expect(plain.problems[0]?.hint).toContain('tlsbindaddr');
    const silent = await errorOf(open(await serverOf({ tls }), { connectTimeoutMs: 100 }));
    expect(silent.problems[0]?.hint).toContain('TLS');
  });
});

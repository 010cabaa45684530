import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether the program that makes certificates is here. */
export const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** What a certificate says; the times as openssl writes them, `20200101000000Z`. */
export interface Wish {
  names?: string;
  notBefore?: string;
  notAfter?: string;
}

const configuration = `
[ca]
default_ca = authority
[authority]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

/** An authority of its own in a temporary folder, which `remove` deletes. */
export class Authority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sipctl-authority-'));
  #issued = 0;
  /** PEM. */
  readonly ca: string;

  constructor() {
    writeFileSync(this.#path('ca.cnf'), configuration);
    writeFileSync(this.#path('index.txt'), '');
    writeFileSync(this.#path('serial'), '1000\n');
    this.#openssl(
      'req',
      '-x509',
      ...newKey('ca.key'),
      '-days',
      '2',
      '-subj',
      '/CN=Test Authority',
      '-out',
      'ca.pem',
    );
    this.ca = readFileSync(this.#path('ca.pem'), 'utf8');
  }

  /** A key and certificate, valid today where nothing else is wished. */
  issue({ names = 'DNS:sip.example.com', notBefore, notAfter }: Wish = {}): { key: string; cert: string } {
    this.#issued += 1;
    const [key, request, cert] = ['key', 'csr', 'pem'].map((end) => `${this.#issued}.${end}`) as [
      string,
      string,
      string,
    ];
    const alternative = ['-addext', `subjectAltName=${names}`];
    this.#openssl(
      'req',
      ...newKey(key),
      '-subj',
      `/CN=server ${this.#issued}`,
      ...alternative,
      '-out',
      request,
    );
    const dates = ['-startdate', notBefore ?? stamp(-1), '-enddate', notAfter ?? stamp(30)];
    const authority = ['-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
    this.#openssl('ca', '-batch', '-notext', ...authority, ...dates, '-in', request, '-out', cert);
    return { key: readFileSync(this.#path(key), 'utf8'), cert: readFileSync(this.#path(cert), 'utf8') };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' });
  }
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file];
}

/** So many days from now. */
export function stamp(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '');
}

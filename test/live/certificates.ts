import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key: paths of PEM files. */
export interface Certificate {
  cert: string;
  key: string;
}

/** What a carrier may show in TLS, and the authority that its customers trust. */
export interface Certificates {
  /** PEM file of the authority that signed all but `stranger` and `selfSigned`. */
  ca: string;
  good: Certificate;
  expired: Certificate;
  notYetValid: Certificate;
  /** For `other.example` only. */
  wrongName: Certificate;
  /** Of an authority that nobody knows. */
  stranger: Certificate;
  selfSigned: Certificate;
}

/** Null where certificates can be made here, else the reason why not. */
export const whyNoOpenssl: string | null = (() => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'there is no openssl to make certificates with';
  }
})();

const days = (count: number): string => {
  const when = new Date(Date.now() + count * 86_400_000);
  return `${when.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
};

/** `openssl ca` is the one command of openssl 1.1 and 3 that sets both ends of the validity. */
const authorityConf = (folder: string): string => `
[ca]
default_ca = authority
[authority]
database = ${folder}/index.txt
new_certs_dir = ${folder}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
`;

/** Certificates for `names` (host names and addresses), in a folder of their own. */
export function makeCertificates(folder: string, names: readonly string[]): Certificates {
  mkdirSync(folder, { recursive: true });
  const own = authority(folder, 'authority');
  const unknown = authority(folder, 'stranger');
  const [valid, past, future] = [
    [days(-1), days(30)],
    [days(-30), days(-2)],
    [days(2), days(30)],
  ] as const;
  return {
    ca: own.cert,
    good: own.issue('good', names, valid),
    expired: own.issue('expired', names, past),
    notYetValid: own.issue('future', names, future),
    wrongName: own.issue('wrong-name', ['other.example'], valid),
    stranger: unknown.issue('by-stranger', names, valid),
    selfSigned: selfSigned(folder, 'self-signed', names),
  };
}

type Validity = readonly [from: string, to: string];

interface Authority {
  cert: string;
  issue(name: string, names: readonly string[], validity: Validity): Certificate;
}

function authority(folder: string, name: string): Authority {
  const home = join(folder, name);
  mkdirSync(home);
  writeFileSync(join(home, 'index.txt'), '');
  const conf = join(home, 'openssl.cnf');
  writeFileSync(conf, authorityConf(home));
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const root = ['-x509', '-days', '30', '-subj', `/CN=${name}`, '-addext', 'keyUsage=keyCertSign'];
  openssl('req', ...newKey(key), ...root, '-out', cert);
  return {
    cert,
    issue: (child, names, [from, to]) => {
      const made = { cert: join(folder, `${child}.pem`), key: join(folder, `${child}.key`) };
      const request = join(home, `${child}.csr`);
      openssl('req', ...newKey(made.key), ...subject(names), '-out', request);
      const signer = ['-config', conf, '-cert', cert, '-keyfile', key, '-batch', '-notext'];
      openssl('ca', ...signer, '-startdate', from, '-enddate', to, '-in', request, '-out', made.cert);
      // A server shows its authority too, so that the chain can be told.
      writeFileSync(made.cert, readFileSync(made.cert, 'utf8') + readFileSync(cert, 'utf8'));
      return made;
    },
  };
}

function selfSigned(folder: string, name: string, names: readonly string[]): Certificate {
  const made = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  openssl('req', '-x509', '-days', '30', ...newKey(made.key), ...subject(names), '-out', made.cert);
  return made;
}

const newKey = (path: string): string[] => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
  ...['-keyout', path],
];

function subject(names: readonly string[]): string[] {
  const alternatives = names.map((name) => (/^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`));
  return ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives.join(',')}`];
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

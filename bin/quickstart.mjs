// The main job on this machine, from nothing: a database, a tenant, a trunk, four users, a plan, an apply.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const executable = join(root, 'bin', 'sipctl.cjs');

installWhatIsMissing();

const place = mkdtempSync(join(tmpdir(), 'sipctl-quickstart-'));
const pbx = join(place, 'asterisk');
const env = {
  ...process.env,
  SIPCTL_DB: join(place, 'site.db'),
  XDG_CONFIG_HOME: join(place, 'config'),
  SIPCTL_TENANT: 'acme',
  CARRIER_PASSWORD: 'only-an-example-5w7K',
};
mkdirSync(pbx);
writeFileSync(
  join(pbx, 'pjsip.conf'),
  '[transport-udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:5060\n',
);

sipctl('init');
sipctl(
  'tenant',
  'add',
  'acme',
  '--display-name',
  'ACME Corp',
  '--domain',
  'acme.sip.example',
  '--country',
  'US',
);
sipctl(
  'trunk',
  'add',
  'telnyx_main',
  '--provider',
  'telnyx',
  '--username',
  '1234567890',
  '--password',
  'env:CARRIER_PASSWORD',
  '--did',
  '+15551234567',
);
for (const [template, extension] of [
  ['basic_user', '1001'],
  ['advanced_user', '1002'],
  ['mobile_user', '2001'],
  ['webrtc_user', '3001'],
]) {
  sipctl(
    'user',
    'add',
    `${template.split('_')[0]}_phone`,
    '--extension',
    extension,
    '--template',
    template,
    '--generate-password',
  );
}
sipctl('node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', pbx);
sipctl('node', 'init', 'pbx1', '--write');
sipctl('plan');
sipctl('apply', '--yes');
sipctl('plan', '--detailed-exitcode');

console.log(`
Done. What was written, below ${pbx}:
${tree(pbx, '  ')}
Look around:
  alias sipctl=${executable}
  export SIPCTL_DB=${env.SIPCTL_DB} XDG_CONFIG_HOME=${env.XDG_CONFIG_HOME} SIPCTL_TENANT=acme
  sipctl render                         the files, passwords hidden
  sipctl user set basic_phone --display-name "Ann" && sipctl plan --diff
  sipctl apply --yes && sipctl history
${withAsterisk()}`);

function installWhatIsMissing() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
    console.log('Installing packages (the first time this may compile SQLite, a minute or two) …');
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  console.log('Building …');
  execFileSync(process.execPath, [join(root, 'bin', 'build.mjs')], { cwd: root, stdio: 'inherit' });
}

function sipctl(...args) {
  console.log(`\n$ sipctl ${args.map((arg) => (/[\s"]/.test(arg) ? `"${arg}"` : arg)).join(' ')}`);
  const { status } = spawnSync(process.execPath, [executable, ...args], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error(`sipctl ended with exit code ${status}`);
    process.exit(1);
  }
}

function tree(folder, indent) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((left, right) => left.name.localeCompare(right.name))
    .map(
      (entry) =>
        `${indent}${entry.name}\n${entry.isDirectory() ? tree(join(folder, entry.name), `${indent}  `) : ''}`,
    )
    .join('');
}

function withAsterisk() {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => existsSync(join(folder, 'asterisk')));
  const lead =
    found || existsSync('/usr/sbin/asterisk')
      ? 'There is an Asterisk on this machine. To provision it:'
      : 'With a real Asterisk:';
  return `
${lead}
  sipctl node add pbx --kind asterisk --dir /etc/asterisk --ami 127.0.0.1:5038 --ami-user sipctl --ami-secret-file ./ami.secret
  sipctl node init pbx --write          checks it, adds two include lines, says every remedy
  sipctl apply --yes                    docs/asterisk.md has the rest`;
}

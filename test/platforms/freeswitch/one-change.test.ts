import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Finding } from '../../../src/platforms/target.ts';
import { type EslServer, event, printed, startEslServer } from '../../support/esl-server.ts';
import { type Sandbox, sandbox } from '../../support/run-sipctl.ts';

const gateways = 12;

/** A FreeSWITCH that is only told about: where it reads, and whose files it fails to open. */
interface Imitated {
  dir: string;
  lost: string | null;
}

/** All that the generation in force includes of one kind, as a FreeSWITCH that reads it has it. */
function inForce({ dir, lost }: Imitated, file: string): string {
  const index = readFileSync(join(dir, 'sipctl', 'current', file), 'utf8');
  return [...index.matchAll(/data="\.\.\/\.\.\/([^"]*)"/g)]
    .filter(([, path = '']) => path.split('/')[1] !== lost)
    .map(([, path = '']) => readFileSync(join(dir, 'sipctl', path), 'utf8'))
    .join('')
    .replaceAll(/<\/?include>|<!--.*-->/g, '');
}

const namesIn = (text: string, tag: string): string[] =>
  [...text.matchAll(new RegExp(`<${tag} name="([^"]*)"`, 'g'))].map(([, name = '']) => name);

function located(pbx: Imitated, tag: string, name: string): string {
  if (name === 'public') return `<context name="public">${inForce(pbx, 'public.xml')}</context>`;
  if (name === 'sofia.conf')
    return `<configuration><profiles><profile name="external"><gateways>${inForce(pbx, 'gateways.xml')}</gateways></profile></profiles></configuration>`;
  const text = inForce(pbx, tag === 'domain' ? 'directory.xml' : 'calls.xml');
  return (
    text.match(new RegExp(`<${tag} name="${name}"(?:/>|>.*?</${tag}>)`, 's'))?.[0] ?? "can't find anything\n"
  );
}

function gatewayStatus(pbx: Imitated, name: string): string {
  const gateway =
    inForce(pbx, 'gateways.xml').match(new RegExp(`name="${name}">.*?</gateway>`, 's'))?.[0] ?? '';
  const value = (param: string) => gateway.match(new RegExp(`name="${param}" value="([^"]*)"`))?.[1];
  const fields = {
    ...{ name, profile: 'external', proxy: `sip:${value('proxy')}`, context: value('context') },
    ...{ exten: value('extension'), username: 'FreeSWITCH', pingfreq: value('ping') ?? '0' },
    ...{ state: 'NOREG', status: 'UP' },
  };
  const lines = Object.entries(fields).map(([field, text]) => `<${field}>${text}</${field}>`);
  return `<?xml version="1.0" encoding="ISO-8859-1"?>\n<gateway>\n${lines.join('\n')}\n</gateway>\n`;
}

/** An event socket that holds and runs whatever is in force, and writes down what it was told. */
async function obedient(pbx: Imitated): Promise<EslServer> {
  const server = await startEslServer({
    answer: async ({ line }, peer) => {
      const [, command = ''] = /^api (.*)$/.exec(line) ?? [];
      const [, killed] = /^sofia profile external killgw (\S+)$/.exec(command) ?? [];
      if (killed !== undefined) {
        await peer.send(printed('+OK gateway marked for deletion.\n'));
        return event('CUSTOM', { 'Event-Subclass': 'sofia::gateway_delete', Gateway: killed });
      }
      if (command === 'version short') return printed('1.10.12\n');
      if (command === 'reloadxml') return printed('+OK [Success]\n');
      if (command === 'sofia profile external rescan')
        return printed('Reload XML [Success]\n+OK scan complete\n');
      if (command === 'sofia jsonstatus') {
        const names = namesIn(inForce(pbx, 'gateways.xml'), 'gateway');
        const status = { state: 'RUNNING', data: 'sip:127.0.0.1' };
        const own = Object.fromEntries(names.map((name) => [name, { state: 'NOREG' }]));
        return printed(JSON.stringify({ profiles: { external: { status, gateways: own } } }));
      }
      const [, asked] = /^sofia xmlstatus gateway (\S+)$/.exec(command) ?? [];
      if (asked !== undefined) return printed(gatewayStatus(pbx, asked));
      const [, domain] = /^domain_exists (\S+)$/.exec(command) ?? [];
      if (domain !== undefined)
        return printed(`${namesIn(inForce(pbx, 'directory.xml'), 'domain').includes(domain)}`);
      const [, tag, name] = /^xml_locate \S+ (\S+) name '?([^']*)'?$/.exec(command) ?? [];
      return tag === undefined || name === undefined ? undefined : printed(located(pbx, tag, name));
    },
  });
  onTestFinished(() => server.close());
  return server;
}

async function attached(): Promise<{ box: Sandbox; pbx: Imitated; server: EslServer }> {
  const box = await sandbox();
  const pbx: Imitated = { dir: join(box.dir, 'freeswitch'), lost: null };
  mkdirSync(pbx.dir);
  const server = await obedient(pbx);
  const control = ['--esl', `${server.host}:${server.port}`, '--esl-password', 'env:ESL_PASSWORD'];
  await box.ok(['node', 'add', 'fs1', '--kind', 'freeswitch', '--dir', pbx.dir, ...control], {
    env: { ESL_PASSWORD: 's3cret' },
  });
  for (const tenant of ['acme', 'beta']) {
    await box.ok(`tenant add ${tenant} --domain ${tenant}.example`);
    await box.ok(`user add ann --tenant ${tenant} --extension 1001 --generate-password`);
    for (let at = 0; at < gateways; at++)
      await box.ok(
        `trunk add g${at} --tenant ${tenant} --provider custom_ip --host 192.0.2.1 --networks 192.0.2.1`,
      );
  }
  const first = await box.apply();
  expect(first.code, first.stdout).toBe(0);
  return { box, pbx, server };
}

const storeFiles = ({ dir }: Imitated): string[] =>
  readdirSync(join(dir, 'sipctl', 'store'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(relative(join(dir, 'sipctl', 'store'), parentPath), name));

it('one changed gateway of many is one file, one killgw and one rescan, and few questions', async () => {
  const { box, pbx, server } = await attached();
  const asked = server.lines.filter((line) => line.startsWith('api sofia xmlstatus gateway')).length;
  expect(asked).toBe(2 * gateways);

  const before = storeFiles(pbx);
  const heard = server.lines.length;
  await box.ok('trunk set g7 --tenant acme --port 5070');
  const changed = await box.apply();
  expect(changed.code, changed.stdout).toBe(0);
  expect(storeFiles(pbx).filter((path) => !before.includes(path))).toEqual([
    expect.stringMatching(/^acme\/gateways\.[0-9a-f]{16}\.xml$/),
  ]);
  expect(server.lines.slice(heard)).toEqual([
    'auth s3cret',
    'api version short',
    'event json CUSTOM sofia::gateway_delete',
    'api sofia profile external killgw acme.g7',
    'api sofia profile external rescan',
    'api domain_exists acme.example',
    "api xml_locate dialplan context name 't-acme.given-up'",
    'api domain_exists beta.example',
    "api xml_locate dialplan context name 't-beta.given-up'",
    "api xml_locate configuration configuration name 'sofia.conf'",
    'api sofia jsonstatus',
    'api sofia xmlstatus gateway acme.g7',
    'exit',
  ]);
});

it('a file of a tenant that did not change is missed where FreeSWITCH passes over it', async () => {
  const { box, pbx } = await attached();
  pbx.lost = 'beta';
  await box.ok('user set ann --tenant acme --display-name Ann');
  const ended = await box.sipctl('apply --yes --json');
  expect(ended.code, ended.stdout).toBe(9);
  const { findings } = (ended.json().data as { nodes: { findings: Finding[] }[] }).nodes[0] as {
    findings: Finding[];
  };
  const missed = findings
    .filter(({ code }) => code === 'not-included')
    .map(({ object }) => object.replace(/[0-9a-f]{16}/, '*'));
  expect(missed).toEqual(
    expect.arrayContaining(['file sipctl/store/beta/directory.*.xml', 'file sipctl/store/beta/calls.*.xml']),
  );
});

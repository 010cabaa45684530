import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';

let box: Sandbox;
let folder: string;

beforeEach(async () => {
  box = await sandbox();
  folder = join(box.dir, 'config', 'sipctl', 'templates', 'providers');
});

function file(content: unknown): string {
  const path = join(box.dir, 'provider_templates.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
}

const lines = (...all: string[]): string => `${all.join('\n')}\n`;

/** As panels write a carrier with an account: all five sections, each as lines of pjsip.conf. */
const account = {
  display_name: 'Example Telecom',
  auth_type: 'credential',
  default_server: 'sip.example.com',
  default_port: 5060,
  required_fields: ['trunk_name', 'username', 'password'],
  optional_fields: ['context', 'codecs', 'did'],
  default_codecs: 'ulaw,alaw,g722',
  registration: lines(
    ...['[{trunk_name}]', 'type=registration', 'transport=transport-udp', 'outbound_auth={trunk_name}-auth'],
    ...['server_uri=sip:{server}', 'client_uri=sip:{username}@{server}', 'contact_user={username}'],
    ...['retry_interval=60', 'expiration=600'],
  ),
  auth: lines('type=auth', 'auth_type=userpass', 'username={{username}}', `password=\${password}`),
  aor: lines('[{trunk_name}-aor]', 'type=aor', 'contact=sip:{server}', 'qualify_frequency=45'),
  endpoint: lines(
    ...['type=endpoint', 'transport=transport-udp', 'context={context}', 'disallow=all', 'allow={codecs}'],
    ...[
      'outbound_auth={trunk_name}-auth',
      'aors={trunk_name}-aor',
      'from_user={did}',
      'from_domain={server}',
    ],
    ...['send_pai=yes', 'send_rpid=yes', 'direct_media=no', 'rtp_symmetric=yes', 'force_rport=yes'],
    ...['rewrite_contact=yes ; behind NAT', 'ice_support=no', 'timers=always'],
  ),
  identify: lines('type=identify', 'endpoint={trunk_name}-endpoint', 'match=192.0.2.10'),
};

const peer = {
  display_name: 'Example Peer',
  auth_type: 'ip',
  default_server: '',
  required_fields: ['trunk_name', 'server_ip'],
  endpoint: { context: '{context}', allow: 'alaw', direct_media: false, aors: '{trunk_name}' },
  aor: { contact: 'sip:{server_ip}' },
  identify: { endpoint: '{trunk_name}', match: '{server_ip}' },
};

const codesOf = (problems: readonly { code: string }[]): string[] => problems.map(({ code }) => code);

describe('provider import', () => {
  it('writes templates that lint clean, and a second import changes nothing', async () => {
    const json = file({ example: account, example_peer: peer });
    const ended = await box.ok(`provider import ${json} --json`);
    expect(ended.json()).toMatchObject({ changed: true, warnings: [], data: { notTakenOver: [] } });
    expect((await box.ok('provider lint --json')).json()).toMatchObject({ warnings: [], data: { count: 2 } });
    expect(readdirSync(folder).sort()).toEqual(['example.yaml', 'example_peer.yaml']);
    const later = { now: () => new Date('2027-03-01T00:00:00Z') };
    expect((await box.ok(`provider import ${json} --json`, later)).json().changed).toBe(false);
    expect((await box.ok('provider show example --json')).json().data).toMatchObject({
      provider: {
        ...{ origin: 'overlay', displayName: 'Example Telecom', authTypes: ['credential'] },
        ...{ hosts: [{ host: 'sip.example.com', region: 'main' }], codecs: ['ulaw', 'alaw', 'g722'] },
        ...{ registration: { mode: 'optional', expiry: 600 }, qualifyFrequency: 45, fromUser: 'did-plus' },
        ...{ callerIdHeaders: { pai: true, rpid: true }, networks: { cidrs: ['192.0.2.10'] } },
        ...{ requiredFields: { credential: ['username', 'password'] } },
      },
    });
    expect(readFileSync(join(folder, 'example.yaml'), 'utf8').split('asterisk:\n')[1]).toBe(
      '  endpoint:\n    rewrite_contact: yes\n    timers: always\n',
    );
  });

  it('makes trunks that say to each engine what the panel wrote', async () => {
    await box.ok(`provider import ${file({ example: account, example_peer: peer })}`);
    await box.ok('node add pbx --kind asterisk --dir /etc/asterisk');
    await box.ok('node add fs --kind freeswitch --dir /etc/freeswitch');
    const trunk =
      'trunk add main --provider example --username 1234567890 --did +15551234567 --context from-trunk';
    await box.ok([...trunk.split(' '), '--password-stdin'], { input: 'carrier-Secret-9\n' });
    await box.ok('trunk add side --provider example_peer --host 198.51.100.7 --networks 198.51.100.7');
    const asterisk = (await box.ok('render pjsip_trunks.conf --node pbx --reveal')).stdout.split(
      'TRUNK: side',
    );
    const wanted = [
      ...['server_uri=sip:sip.example.com', 'client_uri=sip:1234567890@sip.example.com', 'expiration=600'],
      ...['contact_user=1234567890', 'retry_interval=60', 'auth_type=userpass', 'username=1234567890'],
      ...['password=carrier-Secret-9', 'contact=sip:sip.example.com', 'qualify_frequency=45'],
      ...['transport=transport-udp', 'context=from-trunk', 'disallow=all', 'allow=ulaw,alaw,g722'],
      ...['from_user=+15551234567', 'from_domain=sip.example.com', 'send_pai=yes', 'send_rpid=yes'],
      ...['direct_media=no', 'rtp_symmetric=yes', 'force_rport=yes', 'rewrite_contact=yes', 'ice_support=no'],
      ...['timers=always', 'match=192.0.2.10'],
    ];
    const rendered = new Set(asterisk.find((part) => part.includes('sip.example.com'))?.split('\n'));
    expect(wanted.filter((line) => !rendered.has(line))).toEqual([]);
    const peers = asterisk.find((part) => part.includes('contact=sip:198.51.100.7'))?.split('\n');
    expect(peers).toEqual(expect.arrayContaining(['allow=alaw', 'match=198.51.100.7']));
    expect(peers?.join()).not.toContain('type=registration,transport=transport-udp,outbound_auth=side');
    const freeswitch = (await box.ok('render --node fs')).stdout;
    for (const part of [
      '"expire-seconds" value="600"',
      '"ping" value="45"',
      '"proxy" value="sip.example.com"',
    ])
      expect(freeswitch).toContain(part);
  });

  it('tells what it cannot take over, with the place, and refuses it with --strict', async () => {
    const odd = {
      ...account,
      default_server: '{space}.sip.example.com',
      logo: 'x.png',
      auth: lines('type=auth', 'auth_type=userpass', 'username={username}', 'password=fixed-Secret-9'),
      endpoint: lines(
        ...[
          'type=endpoint',
          'allow={codecs}',
          'context=from-pstn',
          'no_such_option=1',
          'rtp_timeout={colour}',
        ],
        ...['direct_media=perhaps', 'identify_by=username', '{{#if did}}', 'from_user={did}', '{{/if}}'],
      ),
      identify: lines('type=identify', 'endpoint={trunk_name}', 'match=sip.example.com'),
    };
    const json = file({ providers: { odd }, user_templates: { basic_user: {} } });
    const ended = await box.ok(`provider import ${json} --json`);
    expect(ended.stdout).not.toContain('fixed-Secret-9');
    const { warnings } = ended.json() as { warnings: { code: string; field: string; place: object }[] };
    expect(new Set(codesOf(warnings))).toEqual(new Set(['not_taken_over']));
    expect(warnings.map(({ field }) => field.replace('providers.odd.', '')).sort()).toEqual([
      ...[
        'auth.password',
        'default_server',
        'endpoint.context',
        'endpoint.direct_media',
        'endpoint.identify_by',
      ],
      ...['endpoint.no_such_option', 'endpoint.rtp_timeout', 'identify.match', 'logo', 'user_templates'],
    ]);
    const at = readFileSync(json, 'utf8')
      .split('\n')
      .findIndex((line) => line.includes('"logo"'));
    const logo = warnings.find(({ field }) => field.endsWith('logo'));
    expect(logo?.place).toEqual({ source: json, line: at + 1, column: 7 });
    const written = readFileSync(join(folder, 'odd.yaml'), 'utf8');
    expect(written).toContain('- host\n');
    expect(written).toContain('from_user: did-plus');
    expect(written).not.toContain('fixed-Secret-9');
    expect((await box.sipctl('provider lint')).code).toBe(0);
    const strict = await box.sipctl(`provider import ${json} --force --strict --json`);
    expect([strict.code, strict.json().errors.length]).toEqual([3, warnings.length]);
  });

  it('overwrites and hides nothing without --force, and writes nothing then', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'example.yaml'), 'mine: true\n');
    const json = file({ example: account, telnyx: account, fresh: account });
    const refused = await box.sipctl(`provider import ${json} --json`);
    expect([refused.code, codesOf(refused.json().errors)]).toEqual([
      6,
      ['template_exists', 'template_shipped'],
    ]);
    expect(readdirSync(folder)).toEqual(['example.yaml']);
    expect(readFileSync(join(folder, 'example.yaml'), 'utf8')).toBe('mine: true\n');
    const forced = await box.ok(`provider import ${json} --force --json`);
    expect(codesOf(forced.json().warnings)).toEqual(['template_hides_shipped']);
    expect((await box.ok('provider show telnyx --json')).json().data).toMatchObject({
      provider: { origin: 'overlay', displayName: 'Example Telecom' },
    });
  });

  it('only shows with --check', async () => {
    const ended = await box.sipctl(`provider import ${file({ example: account })} --check`);
    expect(ended.code).toBe(2);
    expect(ended.stdout).toContain('id: example\n');
    expect(existsSync(folder)).toBe(false);
  });

  it('writes all or nothing', async () => {
    // A folder in the place of the last template lets its rename fail, after the others took their places.
    mkdirSync(join(folder, 'zulu.yaml', 'inside'), { recursive: true });
    writeFileSync(join(folder, 'example.yaml'), 'mine: true\n');
    const ended = await box.sipctl(
      `provider import ${file({ example: account, fresh: account, zulu: account })} --force --json`,
    );
    expect([ended.code, codesOf(ended.json().errors)]).toEqual([1, ['templates_unwritable']]);
    expect(readdirSync(folder).sort()).toEqual(['example.yaml', 'zulu.yaml']);
    expect(readFileSync(join(folder, 'example.yaml'), 'utf8')).toBe('mine: true\n');
  });

  it.each([
    ['{\n  "a": {\n    "x": tru\n}', 'invalid_json', /not well-formed JSON/, 3],
    ['{\n "a":\n', 'invalid_json', /not well-formed JSON: Unexpected end/, 2],
    ['{\n "a": {},\n}', 'invalid_json', /not well-formed JSON/, 3],
    ['[1]', 'invalid_providers_file', /does not hold carriers by name/, 1],
    ['{}', 'invalid_providers_file', /there is no carrier/, 1],
    ['{\n"a": 1}', 'invalid_providers_file', /a: a carrier is a block of keys/, 2],
    ['{\n"a": {},\n"a": {}}', 'invalid_providers_file', /stands twice/, 3],
    ['{"a": {\n"auth_type": "magic"}}', 'invalid_providers_file', /a.auth_type: 'magic' is not one of/, 2],
    ['{"a": {\n"default_port": 70000}}', 'invalid_providers_file', /a.default_port/, 2],
    ['{"a": {\n"default_server": "sip:x y"}}', 'invalid_providers_file', /a.default_server/, 2],
    ['{"a": {\n"required_fields": "username"}}', 'invalid_providers_file', /not a list of names/, 2],
    ['{"a": {\n"endpoint": 7}}', 'invalid_providers_file', /neither lines of pjsip.conf/, 2],
    ['{"a": {\n"endpoint": {"a": {}}}}', 'invalid_providers_file', /neither lines of pjsip.conf/, 2],
    ['{\n"a-b": {}}', 'invalid_providers_file', /is not a template id/, 2],
  ])('names the place in %j', async (text, code, message, line) => {
    const ended = await box.sipctl(`provider import ${file(text)} --json`);
    expect(ended.code).toBe(3);
    const [first] = ended.json().errors;
    expect(first).toMatchObject({ code, place: { line } });
    expect(first?.message).toMatch(message);
    expect(existsSync(folder)).toBe(false);
  });
});

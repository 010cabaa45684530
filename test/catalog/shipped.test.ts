import { readFile } from 'node:fs/promises';
import Handlebars from 'handlebars';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileShipped, type ShippedCatalog } from '../../src/catalog/compile.ts';
import { trunkVariables, userVariables } from '../../src/catalog/expressions.ts';
import { type TemplateFile, templateFiles } from '../../src/catalog/files.ts';
import { lintTemplate, type OptionTable } from '../../src/catalog/lint.ts';
import { network } from '../../src/model/rules.ts';
import { optionName, type ProviderTemplate, type UserTemplate } from '../../src/model/template.ts';
import * as rendered from '../../src/platforms/asterisk/render/contexts.ts';
import { templatesDir } from './support.ts';

let shipped: ShippedCatalog;
let options: OptionTable;
let files: { providers: TemplateFile[]; users: TemplateFile[] };

beforeAll(async () => {
  shipped = await compileShipped(templatesDir);
  const table = new URL('../../src/platforms/asterisk/pjsip-options.json', import.meta.url);
  options = JSON.parse(await readFile(table, 'utf8'));
  files = {
    providers: await templateFiles(templatesDir, 'providers'),
    users: await templateFiles(templatesDir, 'users'),
  };
});

const provider = (id: string): ProviderTemplate => {
  const found = shipped.providers.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no provider ${id}`);
  return found;
};
const user = (id: string): UserTemplate => {
  const found = shipped.users.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no user template ${id}`);
  return found;
};

describe('the shipped providers', () => {
  test('are the ten of the guide and at least eight more', () => {
    const ids = shipped.providers.map((one) => one.id);
    expect(ids).toEqual(
      expect.arrayContaining([
        ...['telnyx', 'signalwire', 'twilio', 'vonage', 'bandwidth', 'voipms', 'flowroute', 'plivo'],
        ...['custom_credential', 'custom_ip', 'twilio_domain'],
      ]),
    );
    expect(ids.length).toBeGreaterThanOrEqual(18);
    expect(ids).toEqual([...ids].sort());
  });

  test('stand in files of their own names, each short', () => {
    const names = files.providers.map((file) => file.name);
    expect(names).toEqual(
      ['_base', ...shipped.providers.map((one) => one.id)].map((id) => `providers/${id}.yaml`).sort(),
    );
    for (const file of files.providers) {
      const lines = file.text.split('\n').filter((line) => !/^ *(#|- \{ host|$)/.test(line));
      if (!file.name.endsWith('_base.yaml')) expect(lines.length, file.name).toBeLessThan(60);
    }
  });

  test('lint without an error or a warning', () => {
    const request = { kind: 'provider', base: shipped.bases.provider, options, today: '2026-11-30' } as const;
    for (const file of files.providers.filter((one) => !one.name.endsWith('_base.yaml'))) {
      expect(lintTemplate(file.text, file.name, request), file.name).toEqual({ errors: [], warnings: [] });
    }
  });

  test.each([
    ...['twilio', 'plivo', 'anveodirect', 'openai_realtime', 'elevenlabs', 'retell', 'vapi', 'livekit'],
    ...['vonage', 'bandwidth', 'didww', 'skyetel', 'custom_ip'],
  ])('%s takes no REGISTER and has no such section', (id) => {
    expect(provider(id).registration.mode).toBe('none');
    expect(Object.keys(provider(id).asterisk)).not.toContain('registration');
  });

  test('of the others have a section that names the endpoint for calls to the registered contact', () => {
    const registering = shipped.providers.filter((one) => one.registration.mode !== 'none');
    expect(registering.map((one) => one.id)).toContain('telnyx');
    for (const { id, asterisk } of registering) {
      expect(asterisk.registration, id).toMatchObject({ $when: 'registration', max_retries: '4294967295' });
      expect(asterisk.registration?.line, id).toContain('yes');
    }
  });

  test('hold networks that are networks, never a name', () => {
    for (const { id, networks } of shipped.providers) {
      for (const cidr of networks?.cidrs ?? [])
        expect(network(cidr), `${id} ${cidr}`).toEqual({ ok: true, value: cidr });
    }
    expect(provider('twilio').networks?.cidrs).toHaveLength(8);
    expect(provider('plivo').networks?.cidrs).toHaveLength(14);
    expect(provider('signalwire').networks).toBeNull();
  });

  test('are never identified by a name that anyone could send', () => {
    for (const { id, asterisk } of shipped.providers) {
      expect(asterisk.endpoint?.identify_by, id).toBe('ip');
      expect(asterisk.endpoint, id).not.toHaveProperty('rewrite_contact');
    }
  });

  test('ask for a host where the carrier gives each customer one, and for its networks where no REGISTER replaces them', () => {
    for (const { id, authTypes, hosts, requiredFields } of shipped.providers) {
      for (const type of authTypes) {
        if (hosts.length === 0) expect(requiredFields[type], `${id} ${type}`).toContain('host');
      }
    }
    expect(provider('bandwidth').requiredFields.ip).toEqual(['host', 'networks']);
  });

  test('choose VoIP.ms hosts by region and know its account names', () => {
    const { hosts, usernameRule } = provider('voipms');
    expect(hosts).toContainEqual({ host: 'atlanta.voip.ms', region: 'atlanta' });
    const rule = new RegExp(`^(?:${usernameRule?.pattern})$`);
    expect(['123456', '123456_sub'].every((name) => rule.test(name))).toBe(true);
    expect(['12345', '123456_', 'bob'].some((name) => rule.test(name))).toBe(false);
  });

  test('say once in words what their options say', () => {
    expect(provider('telnyx').asterisk.endpoint).toMatchObject({
      send_pai: 'yes',
      send_rpid: 'yes',
      t38_udptl: 'yes',
    });
    expect(provider('voipms').asterisk.endpoint).toMatchObject({ send_pai: 'no', send_rpid: 'yes' });
    expect(provider('twilio').asterisk.endpoint).toMatchObject({ trust_id_outbound: 'no' });
    expect(provider('twilio').asterisk.endpoint).not.toHaveProperty('t38_udptl');
  });
});

describe('the shipped user templates', () => {
  test('are the four of the guide, under the titles of its markers', () => {
    expect(shipped.users.map((one) => [one.id, one.title])).toEqual([
      ['advanced_user', 'Advanced SIP User'],
      ['basic_user', 'Basic SIP User'],
      ['mobile_user', 'Mobile SIP User'],
      ['webrtc_user', 'WebRTC SIP User'],
    ]);
  });

  test('lint without an error or a warning', () => {
    const request = { kind: 'user', base: shipped.bases.user, options, today: '2026-11-30' } as const;
    for (const file of files.users.filter((one) => !one.name.endsWith('_base.yaml'))) {
      expect(lintTemplate(file.text, file.name, request), file.name).toEqual({ errors: [], warnings: [] });
    }
  });

  test('keep the defaults of the guide', () => {
    expect(user('basic_user')).toMatchObject({ maxContacts: 1, codecs: ['ulaw', 'alaw'] });
    expect(user('advanced_user')).toMatchObject({ maxContacts: 3, codecs: ['ulaw', 'alaw', 'g722'] });
    expect(user('mobile_user')).toMatchObject({ maxContacts: 5, codecs: ['opus', 'ulaw', 'alaw'] });
    expect(user('mobile_user').asterisk.aor).toMatchObject({
      default_expiration: '3600',
      maximum_expiration: '7200',
    });
    expect(user('webrtc_user')).toMatchObject({ codecs: ['opus', 'ulaw', 'vp8', 'h264'] });
    expect(user('webrtc_user').asterisk.endpoint).toMatchObject({ webrtc: 'yes', media_encryption: 'dtls' });
  });

  test('leave out what was proved wrong, and say so', () => {
    for (const { id, asterisk, corrections } of shipped.users) {
      expect(asterisk.aor?.remove_existing, id).toBe('yes');
      expect(corrections.join(' '), id).toContain('remove_existing');
      for (const gone of ['use_avpf', 'call_limit', 'voicemail'])
        expect(asterisk.endpoint, id).not.toHaveProperty(gone);
    }
  });
});

test('the variables are ones that the renderer knows, all that templates may want', () => {
  expect(Object.keys(rendered.trunkVariables)).toEqual(expect.arrayContaining([...trunkVariables]));
  expect(Object.keys(rendered.userVariables)).toEqual(expect.arrayContaining([...userVariables]));
});

test('every expression is one that Handlebars compiles with known names only', () => {
  const all = [
    ...shipped.providers.map((one) => [one, trunkVariables] as const),
    ...shipped.users.map((one) => [one, userVariables] as const),
  ];
  for (const [template, variables] of all) {
    const context = Object.fromEntries(variables.map((name) => [name, `<${name}>`]));
    for (const [type, section] of Object.entries(template.asterisk)) {
      for (const [key, expression] of Object.entries(section)) {
        if (key === '$when') continue;
        const render = Handlebars.compile(expression, {
          strict: true,
          noEscape: true,
          knownHelpersOnly: true,
        });
        expect(render(context), `${template.id} ${type} ${optionName(key)}`).not.toMatch(/[{}\n]/);
      }
    }
  }
});

import { describe, expect, it } from 'vitest';
import * as commands from '../../../../src/platforms/freeswitch/esl/commands.ts';
import { EslError } from '../../../../src/platforms/freeswitch/esl/failures.ts';
import type { Ask } from '../../../../src/platforms/freeswitch/esl/replies.ts';
import { errorOf } from '../../../support/control-client.ts';

/** Answers one command with one text, as FreeSWITCH 1.10.12 does. */
const says =
  (reply: string): Ask =>
  async () =>
    reply;

/** The line that a command sends. */
async function lineOf(send: (ask: Ask) => Promise<unknown>): Promise<string> {
  let line = '';
  await send(async (command) => {
    line = command;
    return '';
  }).catch(() => undefined);
  return line;
}

describe('a reload', () => {
  it('is done with exactly one answer', async () => {
    await commands.reloadXml(says('+OK [Success]\n'));
    for (const reply of [
      '+OK [[error near line 185]: unexpected closing tag </gateway>]\n',
      '+OK\n',
      '+OK [Success] but\n',
      '-ERR reloadxml Command not found!\n',
      '',
    ])
      expect(await errorOf(commands.reloadXml(says(reply)))).toBeInstanceOf(EslError);
  });

  it('says the line of the error', async () => {
    const error = await errorOf(
      commands.reloadXml(says('+OK [[error near line 185]: unexpected closing tag </a>]\n')),
    );
    expect(error.message).toBe(
      'FreeSWITCH refused reloadxml: [[error near line 185]: unexpected closing tag </a>]',
    );
  });

  it('by a rescan is done where both lines say so', async () => {
    await commands.rescanProfile(says('Reload XML [Success]\n+OK scan complete\n'), 'external');
    for (const reply of [
      'Reload XML [[error near line 185]: x]\n+OK scan complete\n',
      'Reload XML [Success]\n-ERR cannot find config for profile external\n',
      'Reload XML [Success]\n',
      '+OK scan complete\n',
      'Invalid Profile [external]',
    ])
      expect(await errorOf(commands.rescanProfile(says(reply), 'external'))).toBeInstanceOf(EslError);
  });
});

describe('gateways', () => {
  const xml = `<?xml version="1.0" encoding="ISO-8859-1"?>
  <gateway>
    <name>acme.main</name>
    <profile>external</profile>
    <username>acme</username>
    <from>&lt;sip:acme@carrier.test&gt;</from>
    <exten>a&amp;amp;b</exten>
    <proxy>sip:carrier.test:5060;x=<y></proxy>
    <state>REGED</state>
    <status>UP</status>
    <retry>5s</retry>
  </gateway>
`;

  it('are there with their state, or not there', async () => {
    const gateway = await commands.gatewayStatus(says(xml), 'acme.main');
    expect(gateway).toMatchObject({ name: 'acme.main', profile: 'external', state: 'REGED', status: 'UP' });
    expect(gateway?.proxy).toBe('sip:carrier.test:5060;x=<y>');
    expect(gateway?.all.get('from')).toBe('<sip:acme@carrier.test>');
    expect(gateway?.all.get('exten')).toBe('a&amp;b');
    expect(await commands.gatewayStatus(says('Invalid Gateway!\n'), 'acme.main')).toBeNull();
    for (const reply of ['-ERR sofia Command not found!\n', '<gateway>\n</gateway>\n', ''])
      expect(await errorOf(commands.gatewayStatus(says(reply), 'acme.main'))).toBeInstanceOf(EslError);
  });

  it('are killed one by one and never all', async () => {
    expect(await commands.killGateway(says('+OK gateway marked for deletion.\n'), 'external', 'a')).toBe(
      true,
    );
    expect(await commands.killGateway(says('-ERR no such gateway.\n'), 'external', 'a')).toBe(false);
    for (const reply of ['Invalid Profile [external]', '+OK every gateway marked for deletion.\n', ''])
      expect(await errorOf(commands.killGateway(says(reply), 'external', 'a'))).toBeInstanceOf(EslError);
    expect((await errorOf(commands.killGateway(says(''), 'external', '_all_'))).outcome).toBe('invalid');
  });

  it('stand below their profiles', async () => {
    const reply = JSON.stringify({
      profiles: {
        external: {
          status: { type: 'profile', state: 'RUNNING', data: 'sip:mod_sofia@127.0.0.1:5080' },
          gateways: { 'acme.main': { type: 'gateway', state: 'REGED', data: 'sip:acme@x' } },
        },
        'sip.example': { status: { type: 'alias', state: 'ALIASED', data: 'external' } },
      },
    });
    expect(await commands.sofiaStatus(says(reply))).toEqual([
      {
        name: 'external',
        state: 'RUNNING',
        data: 'sip:mod_sofia@127.0.0.1:5080',
        gateways: [{ name: 'acme.main', state: 'REGED' }],
      },
      { name: 'sip.example', state: 'ALIASED', data: 'external', gateways: [] },
    ]);
    for (const other of ['{}', '[]', '-ERR x', '{"profiles":{"a":1}}'])
      expect(await errorOf(commands.sofiaStatus(says(other)))).toBeInstanceOf(EslError);
  });
});

describe('look-ups', () => {
  it('tell what is not there from what failed', async () => {
    expect(
      await commands.xmlLocate(says("can't find anything\n"), 'dialplan', 'context', 'name', 'a'),
    ).toBeNull();
    expect(await commands.xmlLocate(says('<context/>'), 'dialplan', 'context', 'name', 'a')).toBe(
      '<context/>',
    );
    expect(await errorOf(commands.xmlLocate(says('-ERR bad args\n'), 'a', 'b', 'c', 'd'))).toBeInstanceOf(
      EslError,
    );
    expect(await commands.domainExists(says('true'), 'a')).toBe(true);
    expect(await commands.domainExists(says('false'), 'a')).toBe(false);
    expect(await errorOf(commands.domainExists(says(''), 'a'))).toBeInstanceOf(EslError);
    expect(await commands.userExists(says('true'), '1001', 'a')).toBe(true);
    expect(await commands.userData(says(''), '1001', 'a', 'var', 'x')).toBeNull();
    expect(await commands.userData(says('-ERR is its value'), '1001', 'a', 'var', 'x')).toBe(
      '-ERR is its value',
    );
    expect(await commands.globalVariable(says(''), 'x')).toBeNull();
    expect(await commands.moduleExists(says('false'), 'mod_x')).toBe(false);
    expect(await commands.limitUsage(says('3'), 'a', 'b')).toBe(3);
    const usage = 'USAGE: limit_usage <backend> <realm> <resource> [rate]\n';
    for (const reply of [usage, '-ERR limit_usage Command not found!\n', '3/4'])
      expect(await errorOf(commands.limitUsage(says(reply), 'a', 'b'))).toBeInstanceOf(EslError);
  });

  it('list rows, which are left out where there are none', async () => {
    expect(await commands.show(says('{"row_count": 0}\n'), 'channels')).toEqual([]);
    expect(await commands.show(says('{"row_count":1,"rows":[{"uuid":"a"}]}'), 'channels')).toEqual([
      { uuid: 'a' },
    ]);
    for (const reply of ['-ERR SQL disabled, no data available!\n', '{"row_count":2,"rows":[{}]}', '{}', ''])
      expect(await errorOf(commands.show(says(reply), 'channels'))).toBeInstanceOf(EslError);
  });

  it('say the version and the state', async () => {
    for (const reply of ['1.10.12\n', '1.10.12-release\n'])
      expect(await commands.version(says(reply))).toBe('1.10.12');
    const status = (words: string) => `UP 0 years, 0 days
FreeSWITCH (Version 1.10.12-release git cc93a68 64bit) is ${words}
7 session(s) since startup
2 session(s) - peak 3, last 5min 3 
0 session(s) per Sec out of max 500, peak 1, last 5min 1 
1000 session(s) max
min idle cpu 0.00/99.00
`;
    expect(await commands.systemStatus(says(status('ready')))).toEqual({
      ready: true,
      sessions: 2,
      maxSessions: 1000,
    });
    expect((await commands.systemStatus(says(status('not ready')))).ready).toBe(false);
    expect(await errorOf(commands.systemStatus(says('UP')))).toBeInstanceOf(EslError);
  });
});

describe('channels', () => {
  it('have variables, or are not there', async () => {
    expect(await commands.channelVariable(says('_undef_'), 'u', 'x')).toBeNull();
    expect(await commands.channelVariable(says('-ERR is its value'), 'u', 'x')).toBe('-ERR is its value');
    for (const reply of ['-ERR No such channel!\n', '-USAGE: <uuid> <var>\n'])
      expect(await errorOf(commands.channelVariable(says(reply), 'u', 'x'))).toBeInstanceOf(EslError);
    expect(await commands.channelExists(says('false'), 'u')).toBe(false);
    expect(await commands.killChannel(says('+OK\n'), 'u', 'USER_BUSY')).toBe(true);
    expect(await commands.killChannel(says('-ERR No such channel!\n'), 'u', 'USER_BUSY')).toBe(false);
    expect(await commands.dumpChannel(says('{"a":"b"}'), 'u')).toEqual({ a: 'b' });
    await commands.perform(says('+OK Success\n'), 'uuid_hold', 'u');
    for (const reply of ['-ERR Cannot locate session!\n', '-USAGE: x\n', '+OKAY', ''])
      expect(await errorOf(commands.perform(says(reply), 'uuid_hold', 'u'))).toBeInstanceOf(EslError);
  });

  it('are made, or there is a cause', async () => {
    const originate = (reply: string) => commands.originate(says(reply), 'user/1001@a', '&park()');
    expect(await originate('+OK af1b7263-ff82-4234-8787-6fc50d7c2b78\n')).toEqual({
      uuid: 'af1b7263-ff82-4234-8787-6fc50d7c2b78',
    });
    expect(await originate('-ERR USER_BUSY\n')).toEqual({ cause: 'USER_BUSY' });
    for (const reply of ['-USAGE: <call url>\n', '-ERR originate Command not found!\n', '+OK ', ''])
      expect(await errorOf(originate(reply))).toBeInstanceOf(EslError);
  });

  it('stand in conferences', async () => {
    expect(await commands.conferences(says('[]'))).toEqual([]);
    expect(await commands.conference(says('-ERR Conference a not found\n'), 'a')).toBeNull();
    expect(await commands.conference(says('[{"conference_name":"a"}]'), 'a')).toEqual({
      conference_name: 'a',
    });
    expect(await errorOf(commands.conferences(says('+OK No active conferences.\n')))).toBeInstanceOf(
      EslError,
    );
  });
});

describe('arguments', () => {
  it('are words, or quoted for FreeSWITCH to put together again', async () => {
    expect(await lineOf((ask) => commands.userExists(ask, '1001', 'acme.sip.example'))).toBe(
      'user_exists id 1001 acme.sip.example',
    );
    expect(await lineOf((ask) => commands.setChannelVariable(ask, 'u', 'x', "it's \\ so"))).toBe(
      "uuid_setvar u x 'it\\'s \\\\ so'",
    );
  });

  it.each([
    '',
    'two words',
    "it's",
    '"quoted"',
    'back\\slash',
    'line\nbreak',
    'tab\t',
    '\0',
  ])('that are not one plain word are refused: %j', async (text) => {
    for (const attempt of [
      () => commands.rescanProfile(says(''), text),
      () => commands.gatewayStatus(says(''), text),
      () => commands.domainExists(says(''), text),
      () => commands.userExists(says(''), text, 'a'),
      () => commands.channelVariable(says(''), text, 'x'),
      () => commands.conference(says(''), text),
    ])
      expect((await errorOf(attempt())).outcome).toBe('invalid');
  });
});

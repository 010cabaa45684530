import { describe, expect, it } from 'vitest';
import { optionProblems } from '../../src/model/check-options.ts';
import { partsOfOption, rawOption } from '../../src/model/raw-option.ts';

const messages = (kind: 'trunk' | 'user', ...options: string[]): string[] =>
  optionProblems(kind, options).map(({ message }) => message.replace('options: ', ''));

describe('an option', () => {
  it('is section.option=value, and its value may hold anything that a line can', () => {
    for (const text of [
      'endpoint.set_var=A=a,b;c',
      'aor.contact=',
      'outbound.sip_h_X-A=1',
      'gateway.ping-max=3',
    ])
      expect(rawOption(text)).toEqual({ ok: true, value: text });
    expect(partsOfOption('endpoint.set_var=A=1,2')).toEqual({
      section: 'endpoint',
      option: 'set_var',
      value: 'A=1,2',
    });
  });

  it.each([
    'endpoint',
    'endpoint.x',
    '[a].b=c',
    'endpoint.a\n[evil]=x',
    'endpoint.a=x\ny',
    '.a=b',
    'a.=b',
    'e.]=1',
  ])('is not %j', (text) => expect(rawOption(text).ok).toBe(false));

  it('that has no shape is told without its value', () => {
    expect(JSON.stringify(rawOption('passwd=hunter2'))).not.toContain('hunter2');
  });

  it.each([
    ['endpoint.rtp_timeout=30', 'endpoint.direct_media=yes', 'endpoint.send_pai='],
    ['endpoint.set_var=FOO=1', 'aor.contact=sip:a.example', 'registration.line=', 'registration.endpoint='],
    ['gateway.ping-max=3', 'inbound.any=1', 'outbound.sip_h_X-Account=7'],
    // What no field can hold: a literal name in From, a codec with its framing.
    ['endpoint.from_user=anybody', 'endpoint.allow=ulaw:20'],
  ])('of a trunk may be %j', (...options) => expect(messages('trunk', ...options)).toEqual([]));

  it.each([
    'endpoint.set_var=API_TOKEN=hunter2',
    'endpoint.set_var=A=1,API_TOKEN=hunter2',
    'aor.contact=sip:acme:hunter2@sip.example.com',
    'outbound.api_key=hunter2',
  ])('that holds a secret is refused, and not repeated: %s', (option) => {
    const [message = ''] = messages('trunk', option);
    expect(message).toContain('holds a secret');
    expect(message).not.toContain('hunter2');
  });

  it('of a user may be a parameter or a variable of FreeSWITCH', () => {
    expect(messages('user', 'param.sip-force-contact=x', 'variable.hold_music=y', 'auth.realm=z')).toEqual(
      [],
    );
  });

  it.each([
    ['trunk', 'endpoint.context=foo', 'is what the field context says'],
    ['trunk', 'endpoint.allow=ulaw,alaw', 'is what the field codecs says'],
    ['user', 'aor.max_contacts=3', 'is what the field maxContacts says'],
    ['trunk', 'gateway.realm=x', 'is what the field realm says'],
    ['trunk', 'auth.password=hunter2', 'is a secret, and options are shown'],
    ['user', 'param.a1-hash=hunter2', 'is a secret, and options are shown'],
    ['trunk', 'endpoint.type=auth', 'is written by sipctl itself'],
    ['trunk', 'endpoint.aors=other', 'is written by sipctl itself'],
    ['trunk', 'registration.endpoint=other', 'is written by sipctl itself'],
    ['user', 'endpoint.set_var=CALL_LIMIT=99', 'sets a variable that sipctl sets itself'],
    ['trunk', 'endpoint.set_var=__SIPCTL_TENANT=other', 'sets a variable that sipctl sets itself'],
    ['user', 'variable.sipctl_caller_tenant=other', 'sets a variable that sipctl sets itself'],
    ['trunk', 'endpoint.rtp_timout=3', 'is no option of Asterisk'],
    ['trunk', 'endpoint.constructor=3', 'is no option of Asterisk'],
    ['trunk', 'gateway.pinng=3', 'is no option of FreeSWITCH'],
    ['trunk', 'endpoint.direct_media=maybe', 'is neither yes nor no, and Asterisk would take it for no'],
    ['user', 'registration.expiration=3', 'is of no section that a user has'],
  ] as const)('of a %s is not %s: it %s', (kind, option, message) => {
    const [found, ...more] = messages(kind, option);
    expect(more).toEqual([]);
    expect(found).toContain(message);
    expect(found).not.toContain('hunter2');
  });
});

import { describe, expect, it } from 'vitest';
import type { SourceFinder } from '../../../../src/model/reading.ts';
import { groupObjects } from '../../../../src/platforms/asterisk/reading/groups.ts';
import { readSections } from '../../../../src/platforms/asterisk/reading/sections.ts';

const nowhere: SourceFinder = { find: () => [] };

/** `name: option=value …` of each section, without places. */
function shown(text: string, finder: SourceFinder = nowhere): string[] {
  const { sections } = readSections([{ source: 'pjsip.conf', text }], finder);
  return sections.map(
    ({ name, options }) => `${name}: ${options.map((one) => `${one.option}=${one.value}`).join(' ')}`,
  );
}

describe('sections', () => {
  it('inherit what stands before them, in order, and go on with each other', () => {
    expect(shown('[t](!)\na=1\n[u](t)\nb=2\n[v](u,t)\nc=3\n[u](+)\nd=4\n')).toEqual([
      'u: a=1 b=2 d=4',
      'v: a=1 b=2 a=1 c=3',
    ]);
  });

  it('of one name are told apart by a filter', () => {
    const text =
      '[x]\ntype=auth\n[x]\ntype=endpoint\n[x](+type=endpoint)\nb=2\n[t](!)\na=1\n[t](+TEMPLATES=include)\nc=3\n[y](t)\n';
    expect(shown(text)).toEqual(['x: type=auth', 'x: type=endpoint b=2', 'y: a=1 c=3']);
  });

  it('go on with a value, and know an option in any case', () => {
    expect(shown('[t](!)\nallow=ulaw\n[x](t)\nALLOW += ,alaw\n[y](t)\n')).toEqual([
      'x: allow=ulaw,alaw',
      'y: allow=ulaw',
    ]);
  });

  it('keep their lines, also those of included files', () => {
    const finder: SourceFinder = { find: () => [{ source: 'd/a.conf', text: '\n[y]\nb=2\n' }] };
    const { sections } = readSections(
      [{ source: 'pjsip.conf', text: '[x]\na=1\n#include d/*.conf\n' }],
      finder,
    );
    expect(sections.map(({ place }) => `${place.source}:${place.line}`)).toEqual([
      'pjsip.conf:1',
      'd/a.conf:2',
    ]);
    expect(sections[1]?.options[0]?.place).toEqual({ source: 'd/a.conf', line: 3, column: 1 });
  });

  it.each([
    ['#exec /bin/rm -rf /\n', 'exec_refused'],
    ['#include gone.conf\n', 'include_missing'],
    ['[x](gone)\n', 'no_section'],
    ['[gone](+)\na=1\n', 'no_section'],
    ['a=1\n', 'no_section'],
    ['[x\n', 'invalid_line'],
    ['[x]\nno equals sign\n', 'invalid_line'],
  ])('are complained of: %j', (text, code) => {
    const { problems } = readSections([{ source: 'pjsip.conf', text }], nowhere);
    expect(problems.map((one) => one.code)).toContain(code);
    expect(problems[0]?.place?.source).toBe('pjsip.conf');
  });

  it('that include each other end', () => {
    const finder: SourceFinder = { find: () => [{ source: 'pjsip.conf', text: '#include pjsip.conf\n' }] };
    const { problems } = readSections([{ source: 'pjsip.conf', text: '#include pjsip.conf\n' }], finder);
    expect(problems.map(({ code }) => code)).toEqual(['include_loop']);
  });

  it('of optional files, and of patterns that nothing fits, may be missing', () => {
    const text = '#tryinclude gone.conf\n#include pjsip.d/*.conf\n';
    expect(readSections([{ source: 'pjsip.conf', text }], nowhere).problems).toEqual([]);
  });
});

describe('a wizard', () => {
  const groupsOf = (text: string) => {
    const { sections } = readSections([{ source: 'pjsip_wizard.conf', text }], nowhere);
    return groupObjects(sections);
  };

  it('stands for the objects of a trunk', () => {
    const { groups, rest, problems } = groupsOf(`
[defaults](!)
type = wizard
transport = ipv4
[my-itsp](defaults)
sends_auth = yes
sends_registrations = yes
remote_hosts = sip1.example:5061,198.51.100.2
outbound_auth/username = me
outbound_auth/password = secret
endpoint/context = from-itsp
endpoint/allow = ulaw
registration/expiration = 600
`);
    expect(problems).toEqual([]);
    expect(rest).toEqual([]);
    const [group, ...more] = groups;
    expect(more).toEqual([]);
    expect(group?.kind).toBe('trunk');
    const lines = (
      object: { id: string; options: readonly { option: string; value: string }[] } | null | undefined,
    ) => [object?.id, ...(object?.options ?? []).map(({ option, value }) => `${option}=${value}`)];
    expect(lines(group?.endpoint)).toEqual([
      'my-itsp',
      'context=from-itsp',
      'allow=ulaw',
      'aors=my-itsp',
      'transport=ipv4',
      'outbound_auth=my-itsp-oauth',
    ]);
    expect(lines(group?.outboundAuth)).toEqual([
      'my-itsp-oauth',
      'username=me',
      'password=secret',
      'auth_type=userpass',
    ]);
    expect(lines(group?.aors[0])).toEqual([
      'my-itsp',
      'contact=sip:sip1.example:5061',
      'contact=sip:198.51.100.2',
    ]);
    expect(group?.registrations.map(lines)).toEqual([
      [
        'my-itsp-reg-0',
        'expiration=600',
        'server_uri=sip:sip1.example:5061',
        'client_uri=sip:me@sip1.example:5061',
        'outbound_auth=my-itsp-oauth',
        'transport=ipv4',
      ],
      [
        'my-itsp-reg-1',
        'expiration=600',
        'server_uri=sip:198.51.100.2',
        'client_uri=sip:me@198.51.100.2',
        'outbound_auth=my-itsp-oauth',
        'transport=ipv4',
      ],
    ]);
    expect(lines(group?.identifies[0])).toEqual([
      'my-itsp-identify',
      'endpoint=my-itsp',
      'match=sip1.example:5061',
      'match=198.51.100.2',
    ]);
  });

  it('stands for the objects of a phone', () => {
    const { groups } = groupsOf(
      '[bob]\ntype=wizard\naccepts_auth=yes\naccepts_registrations=yes\ninbound_auth/username=bob\ninbound_auth/password=p\naor/max_contacts=2\n',
    );
    expect(groups).toMatchObject([
      { kind: 'user', auth: { id: 'bob-iauth' }, aors: [{ id: 'bob' }], identifies: [], registrations: [] },
    ]);
  });
});

describe('objects', () => {
  it('that stand twice are a problem, those without a type are passed over', () => {
    const { sections } = readSections(
      [{ source: 'f', text: '[a]\ntype=aor\n[a]\ntype=aor\n[b]\nx=1\n' }],
      nowhere,
    );
    expect(groupObjects(sections).problems.map(({ code }) => code)).toEqual([
      'duplicate_object',
      'not_taken_over',
    ]);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Ended } from '../support/run-sipctl.ts';
import { type LiveSite, liveSite } from './live-site.ts';

let site: LiveSite;

beforeEach(async () => {
  site = await liveSite();
});

interface Listed {
  cdrs: Record<string, unknown>[];
  count: number;
}

const listed = async (flags = '--all-tenants'): Promise<Listed['cdrs']> =>
  ((await site.ok(`cdr list --json ${flags}`)).json().data as Listed).cdrs;

/** `cdr import` of these lines; times in them are those of Berlin. */
function imported(lines: readonly string[], node = 'pbx1', zone = 'Europe/Berlin'): Promise<Ended> {
  const file = join(site.box.dir, 'Master.csv');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return site.run(['cdr', 'import', file, '--node', node, '--time-zone', zone, '--json']);
}

const asterisk = {
  // 1777888800 is 2026-05-04T10:00:00Z.
  inbound:
    '"acme","+4915111111111","+4930555555","from-trunk-acme","""Eva, ""Q"" X"" <+4915111111111>","PJSIP/acme.main-00000001","PJSIP/ann@acme.example-00000002","Dial","PJSIP/ann,30","2026-05-04 12:00:00","2026-05-04 12:00:04","2026-05-04 12:01:04",64,60,"ANSWERED","DOCUMENTATION","1777888800.1",""',
  missed:
    '"acme","1001","+4930123456","t-acme","""Ann"" <1001>","PJSIP/ann@acme.example-00000003","PJSIP/acme.main-00000004","Dial","PJSIP/x","2026-05-04 13:00:00",,"2026-05-04 13:00:09",9,0,"BUSY","DOCUMENTATION","1777892400.3",""',
  local:
    '"","","s","x","","Local/1@x-0001;1","","","","2026-05-04 12:00:00",,"2026-05-04 12:00:01",1,0,"NO ANSWER","DOCUMENTATION","1777888800.9",""',
  // As cdr_csv writes it where nothing is set in cdr.conf: no id.
  plain:
    '"","1002","1001","t-acme","""Bob"" <1002>","PJSIP/bob@acme.example-00000007","PJSIP/ann@acme.example-00000008","Dial","","2026-05-04 14:00:00","2026-05-04 14:00:02","2026-05-04 14:00:32",32,30,"ANSWERED","DOCUMENTATION"',
};

describe('cdr import', () => {
  it('reads Asterisk’s list: who, whom, over what, when; and changes nothing the second time', async () => {
    const lines = Object.values(asterisk);
    const ended = await imported([...lines, '"what","is","this"']);
    expect(ended.json()).toMatchObject({
      ok: true,
      changed: true,
      data: { read: 3, added: 3, files: [{ skipped: 1, unreadable: 1 }] },
      warnings: [{ code: 'lines_unreadable' }],
    });
    expect(await listed()).toMatchObject([
      {
        ...{ tenant: 'acme', direction: 'internal', from: '1002', to: '1001', user: 'bob', trunk: null },
        ...{ call: expect.stringMatching(/^csv-[0-9a-f]{16}$/), startedAt: '2026-05-04T12:00:00.000Z' },
      },
      {
        ...{ call: '1777892400.3', direction: 'outbound', user: 'ann', trunk: 'main', answeredAt: null },
        ...{ q850: 17, cause: 'busy', talkSeconds: 0, startedAt: '2026-05-04T11:00:00.000Z' },
      },
      {
        ...{ call: '1777888800.1', direction: 'inbound', user: 'ann', trunk: 'main', from: '+4915111111111' },
        ...{
          fromName: 'Eva, "Q" X',
          answeredAt: '2026-05-04T10:00:04.000Z',
          talkSeconds: 60,
          source: 'import',
        },
      },
    ]);
    const again = (await imported(lines)).json();
    expect([again.changed, again.data]).toMatchObject([
      false,
      { read: 3, added: 0, changed: 0, unchanged: 3 },
    ]);
    // With an id, the zone does not matter.
    expect((await imported([asterisk.inbound], 'pbx1', 'UTC')).json().data).toMatchObject({ unchanged: 1 });
  });

  it('joins the lines of one call where Asterisk tells which they are', async () => {
    const fork = (channel: string, disposition: string, unique: string): string =>
      `"acme","+49","+4930555555","from-trunk-acme","","PJSIP/acme.main-00000001","${channel}","Dial","","2026-05-04 12:00:00","2026-05-04 12:00:04","2026-05-04 12:00:10",10,6,"${disposition}","DOCUMENTATION","${unique}","","","1777888800.1",5`;
    await imported([
      fork('PJSIP/bob@acme.example-00000002', 'NO ANSWER', '1777888800.1'),
      fork('PJSIP/ann@acme.example-00000003', 'ANSWERED', '1777888800.1'),
    ]);
    expect(await listed()).toMatchObject([{ call: '1777888800.1', cause: 'answered', talkSeconds: 6 }]);
  });

  it('takes no step of the dialplan for a number', async () => {
    // As Asterisk 22 wrote it of a call that was held, and then sent elsewhere.
    const line = (from: string, to: string, context: string, channel: string, id: string): string =>
      `"acme","${from}","${to}","${context}","","${channel}","","Wait","1","2026-11-21 20:56:37","2026-11-21 20:56:37","2026-11-21 20:56:44",6,6,"ANSWERED","DOCUMENTATION","${id}","acme","1795294597.7",5`;
    await imported(
      [
        line('1001', 's', 't-acme.holding', 'PJSIP/ann@acme.example-00000003', '1795294597.7'),
        line('s', 's', 't-acme.held', 'PJSIP/acme.main-00000004', '1795294597.8'),
        line('1001', '+4930123456', 't-acme.routes', 'PJSIP/ann@acme.example-00000003', '1795294597.7'),
      ],
      'pbx1',
      'UTC',
    );
    expect(await listed()).toMatchObject([
      { call: '1795294597.7', from: '1001', to: '+4930123456', user: 'ann', trunk: 'main' },
    ]);
  });

  it('reads FreeSWITCH’s lists, CSV and JSON, and joins the legs', async () => {
    const { box } = site;
    await box.ok(['node', 'add', 'fs1', '--kind', 'freeswitch', '--dir', join(box.dir, 'fs1')]);
    const id = '6c9a2f1e-0b1d-4a53-9a56-0c6a3b1f2d10';
    const csv = `"Ann","1001","+4930123456","t-acme","2026-05-04 12:00:00","2026-05-04 12:00:05","2026-05-04 12:00:35","35","30","NORMAL_CLEARING","${id}","","acme","PCMA","PCMA"`;
    expect((await imported([csv], 'fs1')).json().data).toMatchObject({ added: 1 });
    const leg = (uuid: string, more: object, profile: object): string =>
      JSON.stringify({
        variables: {
          ...{ uuid, call_uuid: id, accountcode: 'acme', start_uepoch: '1777888800123456' },
          ...{ answer_uepoch: '1777888805000000', end_uepoch: '1777888835000000' },
          ...{ hangup_cause: 'NORMAL_CLEARING', hangup_cause_q850: '16', read_codec: 'PCMA', ...more },
        },
        callflow: [{ caller_profile: profile }],
      });
    const ann = {
      user_name: 'ann',
      domain_name: 'acme.example',
      channel_name: 'sofia%2Finternal%2Fann%40acme.example',
    };
    const called = {
      caller_id_name: 'Ann',
      caller_id_number: '1001',
      destination_number: '+4930123456',
      context: 't-acme',
    };
    const out = '6c9a2f1e-0b1d-4a53-9a56-0c6a3b1f2d11';
    const ended = await imported(
      [
        leg(out, { sip_gateway_name: 'acme.main', sip_term_status: '200' }, {}),
        leg(id, ann, called),
        '{broken',
      ],
      'fs1',
    );
    expect(ended.json()).toMatchObject({
      data: { read: 2, added: 0 },
      warnings: [{ code: 'lines_unreadable' }],
    });
    expect(await listed()).toMatchObject([
      {
        ...{ node: 'fs1', call: id, tenant: 'acme', direction: 'outbound', from: '1001', to: '+4930123456' },
        ...{ user: 'ann', trunk: 'main', codec: 'PCMA', q850: 16, talkSeconds: 30 },
      },
    ]);
  });

  it('says what it cannot use', async () => {
    expect((await imported(['a,b,c'])).json()).toMatchObject({
      ok: false,
      errors: [{ code: 'lines_unreadable' }],
    });
    expect((await imported([], 'pbx1', 'Mars/Olympus')).json().errors[0]).toMatchObject({
      field: 'time-zone',
    });
    expect((await imported([], 'nowhere')).code).toBe(5);
    expect((await site.run('cdr import /nonexistent --node pbx1')).code).toBe(5);
    expect((await site.run(['cdr', 'import', site.box.dir, '--node', 'pbx1'])).stderr).toContain('EISDIR');
    expect((await site.run('cdr import /nonexistent')).code).toBe(64);
  });
});

describe('cdr', () => {
  beforeEach(() => imported(Object.values(asterisk)));

  it('list and show keep to the tenant, and find by what people write', async () => {
    expect(await listed('--tenant other')).toEqual([]);
    expect(await listed('--tenant acme')).toHaveLength(3);
    const calls = async (...flags: string[]): Promise<unknown[]> => {
      const { data } = (await site.ok(['cdr', 'list', '--tenant', 'acme', '--json', ...flags])).json();
      return (data as Listed).cdrs.map(({ to }) => to);
    };
    expect(await calls('--number', '030 123456')).toEqual(['+4930123456']);
    expect(await calls('--direction', 'inbound')).toEqual(['+4930555555']);
    expect(await calls('--unanswered')).toEqual(['+4930123456']);
    expect(await calls('--cause', '17')).toEqual(['+4930123456']);
    expect(await calls('--from', '2026-05-04T11:30', '--to', '2026-05-04')).toEqual(['1001']);
    expect(await calls('--to', '2026-05-03')).toEqual([]);
    expect(await calls('--user', 'bob', '--limit', '1')).toEqual(['1001']);
    expect((await site.run('cdr list --from yesterday')).code).toBe(3);
    expect((await site.run('cdr list --answered --unanswered')).code).toBe(64);
    expect((await site.ok('cdr show 1777888800 --tenant acme')).stdout).toContain('+4930555555');
    expect((await site.run('cdr show 1777888800 --tenant other')).code).toBe(5);
    expect((await site.run('cdr show 1777 --tenant acme')).code).toBe(3);
    expect((await site.ok('cdr list --tenant acme')).stdout).toMatch(
      /CDR +STARTED +DIRECTION +FROM +TO +USER +TRUNK +TALK +END\n +\d +2026-05-04 12:00:00/,
    );
  });

  it('export is CSV that no spreadsheet runs, or JSON, one a line', async () => {
    const evil = asterisk.inbound
      .replace('Eva, ""Q"" X', "=cmd|' /C calc'!A0")
      .replaceAll('1777888800.1', '1777888801.7');
    await imported([evil]);
    const { stdout } = await site.ok('cdr export --tenant acme');
    const [head, first] = stdout.split('\n');
    expect(head).toBe(
      'id,node,call,tenant,direction,from,from_name,to,trunk,user,channel,codec,started_at,answered_at,ended_at,talk_seconds,q850,sip,cause,mos,loss_percent,jitter_ms,rtt_ms,recorded,source',
    );
    expect(first).toMatch(
      /^\d,pbx1,1777888800.1,acme,inbound,\+4915111111111,"Eva, ""Q"" X",\+4930555555,main,ann/,
    );
    expect(stdout).toContain(",'=cmd|' /C calc'!A0,");
    const lines = (await site.ok('cdr export --tenant acme --format ndjson')).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).call)).toHaveLength(4);
    expect((await site.ok('cdr export --tenant acme --json')).json().data).toMatchObject({ count: 4 });
    expect((await site.ok('cdr export --tenant other')).stdout.split('\n')).toHaveLength(2);
  });

  it('report counts calls, answered ones, minutes and what follows from them', async () => {
    const { stdout } = await site.ok('cdr report --tenant acme --by trunk');
    expect(stdout).toBe(
      [
        'TRUNK  CALLS  ANSWERED  ASR %  MINUTES   ACD',
        'main       2         1   50.0      1.0  1:00',
        '-          1         1  100.0      0.5  0:30',
        '',
      ].join('\n'),
    );
    const { data } = (await site.ok('cdr report --all-tenants --by day --json')).json();
    expect(data).toMatchObject({
      lines: [{ group: '2026-05-04', calls: 3, answered: 2, asr: 66.7, minutes: 1.5, acd: 45 }],
    });
    expect((await site.run('cdr report --by colour')).code).toBe(3);
  });

  it('prune removes what is old enough, once that is confirmed, and says so in the audit', async () => {
    const prune = 'cdr prune --tenant acme --older-than 2026-05-04T10:30';
    expect((await site.ok(`${prune} --dry-run`)).stdout).toBe(
      '1 call of tenant acme from before 2026-05-04T10:30Z would be removed\n',
    );
    expect((await site.run(prune)).code).toBe(4);
    expect(await listed()).toHaveLength(3);
    expect((await site.ok(`${prune} --yes --json`)).json()).toMatchObject({
      changed: true,
      data: { removed: 1 },
    });
    expect(await listed()).toHaveLength(2);
    expect((await site.ok('cdr prune --tenant other --older-than 1d')).stdout).toBe('nothing is that old\n');
    expect((await site.run('cdr prune --tenant acme --yes')).code).toBe(3);
    const { data } = (await site.ok('audit --tenant acme --noun cdr --json')).json();
    expect(data).toMatchObject({ entries: [{ action: 'remove', detail: { removed: 1 } }] });
  });

  it('prune wants the exact count where more than 30 % of ten or more calls would go', async () => {
    const row = (at: number): string =>
      asterisk.missed.replace('1777892400.3', `17778924${at}.3`).replace('13:00:00', `13:00:${at}`);
    await imported(Array.from({ length: 12 }, (_, at) => row(10 + at)));
    const prune = 'cdr prune --all-tenants --older-than 2026-05-05 --yes --json';
    const refused = await site.run(prune);
    const of = (await listed()).length;
    expect(of).toBeGreaterThanOrEqual(10);
    expect([refused.code, refused.json().errors]).toEqual([
      4,
      [
        expect.objectContaining({
          code: 'too_many_removals',
          hint: expect.stringContaining(`--confirm ${of}`),
        }),
      ],
    ]);
    expect((await site.run(`${prune} --confirm ${of - 1}`)).code).toBe(4);
    expect((await site.ok(`${prune} --confirm ${of}`)).json().data).toMatchObject({ removed: of });
  });

  it('export stops in the middle at Ctrl-C, also where the file takes everything at once', async () => {
    const more = Array.from({ length: 1200 }, (_, at) =>
      asterisk.missed.replace('1777892400.3', `${1777900000 + at}.3`).replace('00000003', `${10000000 + at}`),
    );
    await imported(more);
    const interrupt = new AbortController();
    process.once('SIGUSR2', () => interrupt.abort());
    let written = '';
    const ended = await site.run('cdr export --all-tenants --format ndjson', {
      signal: interrupt.signal,
      onOut: (text) => {
        if (written === '') process.kill(process.pid, 'SIGUSR2');
        written += text;
      },
    });
    expect(ended.code).toBe(130);
    expect(written.split('\n').length).toBeLessThan(1200);
  });

  it('refuse a day that no calendar has', async () => {
    for (const time of ['2026-02-31', '2026-02-31T10:00', '2026-04-31T10:00Z']) {
      const ended = await site.run(['cdr', 'list', '--all-tenants', '--from', time, '--json']);
      expect([time, ended.code, ended.json().errors[0]?.code]).toEqual([time, 3, 'invalid_from']);
    }
    expect((await site.run('cdr prune --all-tenants --older-than 2026-02-30 --yes')).code).toBe(3);
  });
});

import { once } from 'node:events';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SipctlError } from '../../src/errors.ts';
import { type Asked, ScriptedPbx, scriptedNow } from '../support/scripted-plane.ts';
import { ann, bob, carrier, type LiveSite, liveSite } from './live-site.ts';

let site: LiveSite;

beforeEach(async () => {
  site = await liveSite();
});

const asked = (): Asked[] => site.pbx.asked.splice(0);
const ref = (id: string) => ({ id, channel: `PJSIP/${id}` });
const whispers = async (command: string): Promise<string> => (await site.ok(command)).stdout;

/** The command ends with this code, in both forms, and this is the first of its errors. */
async function fails(command: string, code: number, error: string, field?: string): Promise<string> {
  const plain = await site.run(command);
  const json = await site.run(`${command} --json`);
  expect([command, plain.code, json.code], plain.stderr).toEqual([command, code, code]);
  expect(json.json().errors[0]).toMatchObject({ code: error, ...(field === undefined ? {} : { field }) });
  return plain.stderr;
}

describe('call list', () => {
  it('shows calls of the tenant alone, with who talks to whom over what', async () => {
    site.inbound();
    site.internal();
    site.pbx.call('e300', { endpoint: 'eve@other.example', number: '1001', dialled: '911' }, {});
    site.pbx.leg('x1', { number: '666' });
    const { stdout } = await site.ok('call list --tenant acme');
    expect(stdout).toBe(
      [
        'CALL    STATE     DIRECTION  FROM            TO           TRUNK  CODEC  TALK  REC',
        'c100.1  answered  inbound    +4915111111111  +4930555555  main   -      0:16',
        'd200.1  answered  internal   1001 (Ann)      1002         -      -      0:16',
        '',
      ].join('\n'),
    );
    const { calls, count } = (await site.ok('call list --all-tenants --json')).json().data as never;
    expect(count).toBe(4);
    expect(calls[0]).toMatchObject({
      ...{ id: 'c100.1', node: 'pbx1', tenant: 'acme', trunk: 'main', direction: 'inbound' },
      ...{ startedAt: '2026-05-04T10:00:00.000Z', answeredAt: '2026-05-04T10:00:04.000Z', talkSeconds: 16 },
      legs: [{ id: 'c100.1', party: { kind: 'trunk' } }, { party: { kind: 'user', name: 'ann' } }],
    });
    expect(site.pbx.openSessions).toBe(0);
  });

  it('filters, and says what is not there', async () => {
    site.inbound();
    site.pbx.leg('r1', { ...bob, dialled: '1001' });
    const ids = async (flags: string): Promise<string[]> =>
      (
        (await site.ok(`call list --tenant acme --json ${flags}`)).json().data as { calls: { id: string }[] }
      ).calls.map(({ id }) => id);
    expect(await ids('--state ringing')).toEqual(['r1']);
    expect(await ids('--direction inbound')).toEqual(['c100.1']);
    expect(await ids('--trunk main')).toEqual(['c100.1']);
    expect(await ids('--number 555')).toEqual(['c100.1']);
    expect(await ids('--number 1001')).toEqual(['r1']);
    expect((await site.ok('call list --tenant other')).stdout).toContain("no calls of tenant 'other'");
    await fails('call list --state dead', 3, 'invalid_state', 'state');
    await fails('call list --tenant nobody', 5, 'tenant_not_found');
    await fails('call list --tenant acme --node nowhere', 5, 'node_not_found');
  });

  it('shows what other nodes have where one is down, and ends with 7', async () => {
    const { box, pbx } = site;
    await box.ok(['node', 'add', 'pbx2', '--kind', 'freeswitch', '--dir', join(box.dir, 'pbx2')]);
    site.inbound();
    const down = new ScriptedPbx();
    down.goDown('127.0.0.1:8021 does not answer');
    const control = (node: string, options: { events: boolean }) =>
      node === 'pbx2' ? down.open(node, options) : pbx.open(node, options);
    const ended = await site.run('call list --tenant acme', { control });
    expect([ended.code, ended.stdout]).toEqual([7, expect.stringContaining('c100.1')]);
    expect(ended.stderr).toContain('pbx2: 127.0.0.1:8021 does not answer');
    // Whether the call is there cannot be said.
    expect((await site.run('call show nowhere --tenant acme', { control })).code).toBe(7);
    expect((await site.run('call show nowhere --tenant acme --node pbx1', { control })).code).toBe(5);
    pbx.goDown('gone');
    await fails('call list --tenant acme', 7, 'scripted');
  });

  it('neutralises what a caller’s name would do to a terminal', async () => {
    site.pbx.call('c1', { ...carrier, name: '\u001b]0;owned\u0007\u202eX' }, ann);
    const { stdout } = await site.ok('call list --tenant acme');
    expect(stdout).toContain('(\\u001b]0;owned\\u0007\\u202eX)');
    expect((await site.ok('call show c1.1 --tenant acme')).stdout).not.toContain('\u001b');
  });
});

describe('a call', () => {
  it('is found by its id, by the beginning or the end of it, and by its channels; never in another tenant', async () => {
    site.inbound('1714817401');
    site.inbound('1714817402');
    for (const id of ['1714817401.1', '7401.1', '1714817401', '1714817401.2', 'PJSIP/1714817401.2'])
      expect(await whispers(`call show ${id} --tenant acme`)).toContain('1714817401.1 on pbx1');
    expect(await fails('call show 1714 --tenant acme', 3, 'call_ambiguous', 'call')).toContain(
      '1714817402.1',
    );
    await fails('call show 1.1 --tenant acme', 5, 'call_not_found', 'call');
    await fails('call hangup 1714817401.1 --tenant other', 5, 'call_not_found', 'call');
    expect(asked()).toEqual([]);
    await site.ok('call hangup 1714817401.1 --tenant other --all-tenants');
  });

  it('is hung up with a cause, whole or one leg of it', async () => {
    site.inbound();
    site.inbound('c200');
    await site.ok('call hangup c100.1 --tenant acme --cause busy');
    expect(asked()).toEqual([
      { verb: 'hangup', args: [ref('c100.1'), 17] },
      { verb: 'hangup', args: [ref('c100.2'), 17] },
    ]);
    await site.ok('call hangup c200.1 --tenant acme --leg callee');
    expect(asked()).toEqual([{ verb: 'hangup', args: [ref('c200.2'), 16] }]);
    await fails('call hangup c200.1 --tenant acme --cause 128', 3, 'invalid_cause', 'cause');
    await fails('call hangup --tenant acme', 64, 'usage');
    await fails('call hangup c200.1 --all --tenant acme', 64, 'usage');
  });

  it('is hung up with all others of the tenant, once that is confirmed', async () => {
    site.inbound();
    site.internal();
    site.pbx.call('e300', { endpoint: 'eve@other.example' }, {});
    await fails('call hangup --all --tenant acme', 4, 'not_confirmed');
    expect([...site.pbx.legs.keys()]).toHaveLength(6);
    expect(await whispers('call hangup --all --tenant acme --yes')).toBe(
      '2 calls of tenant acme were hung up\n',
    );
    expect([...site.pbx.legs.keys()]).toEqual(['e300.1', 'e300.2']);
    expect(await whispers('call hangup --all --tenant acme')).toBe('0 calls of tenant acme were hung up\n');
  });

  it('says which calls were hung up where others were not, and where Ctrl-C came', async () => {
    site.inbound();
    site.internal();
    site.pbx.on('hangup', ({ id }: { id: string }) => {
      if (id.startsWith('c100'))
        throw new SipctlError('failed', { code: 'stuck', message: 'it does not end' });
    });
    const all = await site.run('call hangup --all --tenant acme --yes --json');
    expect([all.code, all.json().data]).toEqual([1, { hungUp: ['d200.1'], count: 1, cause: 16 }]);
    const interrupt = new AbortController();
    site.pbx.on('hangup', () => interrupt.abort());
    const ended = await site.run('call hangup --all --tenant acme --yes', { signal: interrupt.signal });
    expect([ended.code, ended.stderr]).toEqual([
      130,
      'error: interrupted: 1 call of tenant acme was hung up, of 2\n',
    ]);
  });

  it('shows a caller whose number would steer the terminal', async () => {
    site.pbx.call('n100', { endpoint: 'acme.main', number: '+49\u001b[2J', dialled: '+4930555555' }, ann);
    expect(await whispers('call hold n100 --tenant acme')).toBe('+49\\u001b[2J is held\n');
  });

  it('has a leg that a verb means by itself: the party outside; between users it has to be said', async () => {
    site.inbound();
    site.internal();
    expect(await whispers('call hold c100.1 --tenant acme')).toBe('+4915111111111 is held\n');
    expect(asked()).toEqual([{ verb: 'hold', args: [ref('c100.1'), ref('c100.2')] }]);
    expect(await whispers('call list --tenant acme')).toContain('held');
    await site.ok('call unhold c100.1 --tenant acme');
    await site.ok('call mute c100.1 --tenant acme --leg c100.2');
    await site.ok('call unmute c100.1 --tenant acme --leg callee');
    expect(asked().slice(1)).toEqual([
      { verb: 'mute', args: [ref('c100.2'), true] },
      { verb: 'mute', args: [ref('c100.2'), false] },
    ]);
    expect(await fails('call hold d200.1 --tenant acme', 3, 'invalid_leg', 'leg')).toContain('--leg caller');
    await fails('call hold d200.1 --tenant acme --leg elsewhere', 3, 'invalid_leg', 'leg');
    expect(await whispers('call hold d200.1 --tenant acme --leg callee')).toBe('bob is held\n');
  });

  it('is transferred to what a user of the tenant would dial, and nowhere where nothing answers', async () => {
    site.inbound();
    const transfer = async (to: string): Promise<unknown> => {
      await site.ok(['call', 'transfer', 'c100.1', '--tenant', 'acme', '--to', to]);
      return asked()[0]?.args;
    };
    expect(await transfer('1002')).toEqual([ref('c100.1'), { tenant: 'acme', dialled: '1002' }]);
    expect(await transfer('bob')).toEqual([ref('c100.1'), { tenant: 'acme', dialled: '1002' }]);
    expect(await transfer('(030) 123-456')).toEqual([
      ref('c100.1'),
      { tenant: 'acme', dialled: '+4930123456' },
    ]);
    await fails('call transfer c100.1 --tenant acme --to 1999', 4, 'not_reachable', 'to');
    await fails('call transfer c100.1 --tenant acme --to nobody', 5, 'user_not_found', 'to');
    const injected = await site.run([
      'call',
      'transfer',
      'c100.1',
      '--tenant',
      'acme',
      '--to',
      '1\r\nAction: Reload',
    ]);
    expect([injected.code, asked()]).toEqual([3, []]);
    await fails('call transfer c100.1 --tenant acme', 64, 'usage', 'to');
    expect(await whispers('call transfer c100.1 --tenant acme --to 1002 --attended')).toBe(
      '+4915111111111 talks to 1002, and ann has left\n',
    );
    expect(asked()).toEqual([
      { verb: 'attendedTransfer', args: [ref('c100.2'), ref('c100.1'), { tenant: 'acme', dialled: '1002' }] },
    ]);
  });

  it('is parked, and hears digits, which are said nowhere', async () => {
    site.inbound();
    expect(await whispers('call park c100.1 --tenant acme --timeout 45')).toBe(
      '+4915111111111 is parked: dial 701\n',
    );
    const { stdout } = await site.ok('call dtmf c100.1 4711# --tenant acme --json');
    expect(stdout).not.toContain('4711');
    expect(asked()).toEqual([
      { verb: 'park', args: [ref('c100.1'), { seconds: 45 }] },
      { verb: 'dtmf', args: [ref('c100.1'), '4711#'] },
    ]);
    await fails('call dtmf c100.1 12x --tenant acme', 3, 'invalid_digits', 'digits');
    await fails('call park c100.1 --tenant acme --timeout 0', 3, 'invalid_timeout', 'timeout');
  });

  it('is answered or rejected while it rings, and only then', async () => {
    site.inbound();
    site.pbx.leg('r1', { ...carrier, dialled: '+4930555555' });
    site.pbx.leg('r1.2', { ...ann, callId: 'r1', way: 'out' });
    site.pbx.leg('r2', { ...carrier, dialled: '+4930555555' });
    expect(await whispers('call answer r1 --tenant acme')).toBe('the call of +4915111111111 was answered\n');
    await site.ok('call reject r2 --tenant acme --cause busy');
    expect(asked()).toEqual([
      { verb: 'answer', args: [ref('r1')] },
      { verb: 'reject', args: [ref('r2'), 17] },
    ]);
    await fails('call answer c100.1 --tenant acme', 4, 'not_ringing', 'call');
    await fails('call reject c100.1 --tenant acme', 4, 'not_ringing', 'call');
  });

  it('stays as it is where the PBX refuses, with the PBX’s reason', async () => {
    site.inbound();
    site.pbx.refuse('park', 'pbx1 has no parking lot');
    expect(await fails('call park c100.1 --tenant acme', 4, 'scripted')).toContain('no parking lot');
    site.pbx.refuse('hold', 'the connection was closed', 'unreachable');
    await fails('call hold c100.1 --tenant acme', 7, 'scripted');
  });
});

describe('call originate', () => {
  const user = {
    ...{ endpoint: 'ann@acme.example', tenant: 'acme', username: 'ann', extension: '1001' },
    ringSeconds: 30,
  };

  it('rings the user’s phone and dials as the tenant does, leaving an audit row', async () => {
    const { stdout } = await site.ok([
      'call',
      'originate',
      '--tenant',
      'acme',
      '--from',
      'ann',
      '--to',
      '030 123456',
    ]);
    expect(stdout).toBe('ann has picked up; +4930123456 is dialled (call o1)\n');
    expect(asked()[0]?.args[0]).toMatchObject({ user, to: '+4930123456' });
    await site.ok('call originate --tenant acme --from ann --to bob --ring 5');
    expect(asked()[0]?.args[0]).toMatchObject({ user: { ...user, ringSeconds: 5 }, to: '1002' });
    const { entries } = (await site.ok('audit --tenant acme --json')).json().data as never;
    expect(entries[0]).toMatchObject({
      action: 'call',
      noun: 'user',
      name: 'ann',
      detail: { to: '1002', call: 'o1' },
    });
  });

  it('ends with 1 where the phone was not answered, and refuses what could not be called', async () => {
    site.pbx.on('originate', () => ({
      answered: false,
      callId: null,
      q850: 19,
      sip: 480,
      text: 'No answer',
    }));
    expect(await fails('call originate --tenant acme --from ann --to 1002', 1, 'not_answered')).toContain(
      'ann did not answer: No answer (SIP 480, Q.850 19)',
    );
    await fails('call originate --tenant acme --from ann --to 4444', 4, 'not_reachable', 'to');
    await fails('call originate --tenant acme --from nobody --to 1002', 5, 'user_not_found');
    await fails('call originate --tenant acme --to 1002', 64, 'usage', 'from');
    await site.ok('user disable ann --tenant acme');
    await fails('call originate --tenant acme --from ann --to 1002', 4, 'disabled', 'user');
  });

  it('goes to the node where the phone is registered', async () => {
    const { box, pbx } = site;
    const second = new ScriptedPbx();
    await box.ok(['node', 'add', 'pbx2', '--kind', 'asterisk', '--dir', join(box.dir, 'pbx2')]);
    const control = (node: string, options: { events: boolean }) =>
      (node === 'pbx2' ? second : pbx).open(node, options);
    const command = 'call originate --tenant acme --from ann --to 1002';
    expect((await site.run(command, { control })).code).toBe(4);
    second.user(ann.endpoint, 1);
    expect((await site.ok(`${command} --json`, { control })).json().data).toMatchObject({ node: 'pbx2' });
    expect([pbx.asked.length, second.asked.length]).toEqual([0, 1]);
  });

  it('calls once more whom a kept call went to, or back where it came from', async () => {
    const { Store } = await import('../../src/store/store.ts');
    const store = await Store.open({
      file: site.box.db,
      keyFile: 'unused',
      actor: 'x',
      now: () => new Date(),
    });
    const party = { kind: 'user', tenant: 'acme', name: 'ann', extension: '1001' } as const;
    const leg = {
      id: '1',
      channel: 'x',
      way: 'out',
      party,
      number: null,
      name: null,
      state: 'ringing',
    } as const;
    await store.saveCdrs([
      {
        ...{ id: 'missed-1', node: 'pbx1', tenant: 'acme', trunk: 'main', direction: 'inbound' },
        ...{ from: '+4915111111111', fromName: null, to: '+4930555555', state: 'ended', codec: null },
        ...{ startedAt: scriptedNow, answeredAt: null, endedAt: scriptedNow, end: null, quality: null },
        recorded: false,
        legs: [{ ...leg, codec: null, startedAt: scriptedNow, answeredAt: null }],
      },
    ]);
    store.close();
    await site.ok('call originate --tenant acme --redial missed-1');
    expect(asked()[0]?.args[0]).toMatchObject({ user, to: '+4915111111111' });
    await fails('call originate --tenant other --redial missed-1', 5, 'cdr_not_found', 'cdr');
  });
});

describe('call listen, whisper and barge', () => {
  interface Details {
    entries: { action: string; name: string; detail: Record<string, unknown> }[];
  }
  const rows = async (): Promise<Details['entries']> =>
    ((await site.ok('audit --tenant acme --noun call --json')).json().data as Details).entries;

  it('wait until it is over, and leave rows that say who, whom and how long', async () => {
    site.inbound();
    site.pbx.on('spy', () => ({ id: 's1', ended: Promise.resolve(12.4), stop: async () => undefined }));
    const { stdout, stderr } = await site.ok('call whisper c100.1 --tenant acme --user boss');
    expect([stdout, stderr]).toEqual([
      'boss whispered for 12 s\n',
      expect.stringContaining('heard by ann alone'),
    ]);
    expect(asked()).toMatchObject([
      {
        verb: 'spy',
        args: [{ mode: 'whisper', leg: ref('c100.2'), supervisor: { endpoint: 'boss@acme.example' } }],
      },
    ]);
    expect(await rows()).toMatchObject([
      {
        action: 'whisper',
        name: 'c100.1',
        detail: { supervisor: 'boss', state: 'ended', seconds: 12, from: '+4915111111111' },
      },
      { action: 'whisper', name: 'c100.1', detail: { supervisor: 'boss', state: 'asked', node: 'pbx1' } },
    ]);
  });

  it('take the supervisor off the call at Ctrl-C, and say so there, too', async () => {
    site.inbound();
    const interrupt = new AbortController();
    site.pbx.on('spy', () => {
      let over: (seconds: number) => void = () => undefined;
      const ended = new Promise<number>((resolve) => {
        over = resolve;
      });
      setTimeout(() => interrupt.abort(), 20);
      return { id: 's1', ended, stop: async () => over(7) };
    });
    const ended = await site.run('call listen c100.1 --tenant acme --user boss', {
      signal: interrupt.signal,
    });
    expect([ended.code, ended.stderr]).toEqual([130, expect.stringContaining('boss listened for 7 s')]);
    expect((await rows())[0]).toMatchObject({ action: 'listen', detail: { state: 'ended', seconds: 7 } });
  });

  it('end the ringing at Ctrl-C, and keep what is known where the PBX is lost', async () => {
    site.inbound();
    const interrupt = new AbortController();
    site.pbx.on('spy', async ({ signal }: { signal: AbortSignal }) => {
      setTimeout(() => interrupt.abort(), 20);
      await once(signal, 'abort');
      throw new SipctlError('interrupted', { code: 'interrupted', message: 'the call was interrupted' });
    });
    const ended = await site.run('call listen c100.1 --tenant acme --user boss', {
      signal: interrupt.signal,
    });
    expect([ended.code, ended.stderr]).toEqual([
      130,
      expect.stringContaining('the phone of boss does not ring any more'),
    ]);
    expect((await rows())[0]).toMatchObject({ detail: { state: 'failed' } });
    const lost = new SipctlError('unreachable', { code: 'lost', message: 'the connection was closed' });
    site.pbx.on('spy', () => ({ id: 's1', ended: Promise.reject(lost), stop: async () => undefined }));
    await fails('call listen c100.1 --tenant acme --user boss', 7, 'lost');
    expect((await rows())[0]).toMatchObject({
      detail: { state: 'lost', seconds: 0, why: 'the connection was closed' },
    });
  });

  it('are refused to those who talk, to strangers, and before anybody has answered', async () => {
    site.inbound();
    site.pbx.leg('r1', { ...carrier, dialled: '1' });
    await fails('call listen c100.1 --tenant acme --user ann', 4, 'own_call', 'user');
    await fails('call listen c100.1 --tenant acme --user eve', 5, 'user_not_found');
    await fails('call barge c100.1 --tenant acme', 64, 'usage', 'user');
    await fails('call barge r1 --tenant acme --user boss', 4, 'not_answered', 'call');
    site.pbx.refuse('spy', 'boss has no phone registered');
    await fails('call listen c100.1 --tenant acme --user boss', 4, 'scripted');
    expect((await rows())[0]).toMatchObject({
      detail: { state: 'failed', why: 'boss has no phone registered' },
    });
  });
});

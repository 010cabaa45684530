import { describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { ScriptedPbx } from '../support/scripted-plane.ts';

const now = (): Date => new Date('2026-05-04T10:22:33Z');

/** Two tenants, and a PBX with a call of each. */
async function site(): Promise<{ box: Sandbox; pbx: ScriptedPbx }> {
  const box = await sandbox();
  await box.ok('tenant add acme --domain acme.example');
  await box.ok('tenant add globex --domain globex.example');
  const env = { S: 'a long enough secret' };
  await box.ok('user add ann --tenant acme --extension 1001 --password env:S', { env });
  await box.ok('user add bob --tenant acme --extension 1002 --password env:S', { env });
  await box.ok('trunk add main --tenant acme --provider custom_ip --host 192.0.2.1 --networks 192.0.2.1/32');
  await box.ok(
    `node add pbx1 --kind asterisk --dir ${box.dir} --ami 127.0.0.1:5038 --ami-user u --ami-secret env:S`,
    {
      env,
    },
  );
  const pbx = new ScriptedPbx();
  pbx.call(
    '1714',
    { endpoint: 'acme.main', account: 'acme' },
    { endpoint: 'ann@acme.example', account: 'acme' },
  );
  pbx.call('1999', { endpoint: null, account: 'globex' }, { endpoint: null, account: 'globex' });
  return { box, pbx };
}

describe('recording start, stop, pause and resume', () => {
  it.each([
    ['start', 'startRecording', ['sipctl/acme/2026-05-04/1714.1--102233.wav']],
    ['stop', 'stopRecording', []],
    ['pause', 'pauseRecording', [true]],
    ['resume', 'pauseRecording', [false]],
  ])('%s', async (verb, asked, more) => {
    const { box, pbx } = await site();
    await box.ok(`recording ${verb} 1714.1 --tenant acme`, { control: pbx.open, now });
    expect(pbx.asked).toEqual([{ verb: asked, args: [expect.objectContaining({ id: '1714.1' }), ...more] }]);
    const audit = (await box.ok('audit --tenant acme --json')).json().data as { entries: object[] };
    expect(audit.entries[0]).toMatchObject({
      ...{ action: 'record', noun: 'call', name: '1714.1' },
      detail: { verb, node: 'pbx1', leg: '1714.1' },
    });
    expect(pbx.openSessions).toBe(0);
  });

  it('say what the PBX says', async () => {
    const { box, pbx } = await site();
    pbx.refuse('startRecording', 'the call is recorded already');
    const ended = await box.sipctl('recording start 1714.1 --tenant acme --json', { control: pbx.open });
    expect({ code: ended.code, message: ended.json().errors[0]?.message }).toEqual({
      ...{ code: 4, message: expect.stringContaining('recorded already') },
    });
  });

  it('know no call of another tenant, and none that nobody answered', async () => {
    const { box, pbx } = await site();
    expect((await box.sipctl('recording start 1999.1 --tenant acme', { control: pbx.open })).code).toBe(5);
    pbx.call(
      '1800',
      { endpoint: 'acme.main', account: 'acme', state: 'ringing', answeredAt: null },
      {
        ...{ endpoint: 'ann@acme.example', account: 'acme', state: 'ringing', answeredAt: null },
      },
    );
    expect((await box.sipctl('recording start 1800.1 --tenant acme', { control: pbx.open })).code).toBe(4);
    expect(pbx.asked).toEqual([]);
  });
});

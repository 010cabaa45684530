import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Sandbox } from '../support/run-sipctl.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { attach, complaintsSince, node, shown, withManager } from './attached.ts';
import { type SlowLine, startSlowLine } from './slow-line.ts';

const accounts = { main: 'line-main', telnyx: 'line4telnyx', far: 'line-far' };
const passwordOf = (account: string): string => `of ${account}; a "right" one \\`;

/** Registrar, and a peer that wants every call to be signed. */
const account = (name: string): string => `
[${name}]
type = endpoint
context = carrier
disallow = all
allow = ulaw,alaw
auth = ${name}
aors = ${name}

[${name}]
type = auth
auth_type = userpass
username = ${name}
password = ${passwordOf(name).replaceAll(';', '\\;')}

[${name}]
type = aor
max_contacts = 5
`;

const seen = (...expressions: string[]): string =>
  `exten = _[+0-9a-z].,1,Set(GLOBAL(SEEN)=${expressions.map((one) => `\${${one}}`).join('|')})
 same = n,Answer()
 same = n,Wait(120)
`;
const carrierDialplan = `[carrier]\n${seen('CHANNEL(endpoint)', 'EXTEN', 'CALLERID(num)', 'PJSIP_HEADER(read,P-Asserted-Identity)')}`;
const pbxDialplan = ['from-trunk', 'carriers-acme']
  .map(
    (context) =>
      `[${context}]\n${seen('CONTEXT', 'CHANNEL(endpoint)', 'SIPCTL_TRUNK', 'SIPCTL_TENANT', 'CALL_LIMIT')}`,
  )
  .join('\n');

describeAsterisk('a carrier', ({ start }) => {
  let pbx: AsteriskInstance;
  let carrier: AsteriskInstance;
  let box: Sandbox;
  let line: SlowLine;

  beforeAll(async () => {
    [pbx, carrier] = await Promise.all([
      start({ etc: { 'extensions.d/trunks.conf': pbxDialplan } }),
      start({
        pjsip: Object.values(accounts).map(account).join(''),
        etc: { 'extensions.d/carrier.conf': carrierDialplan },
      }),
    ]);
    line = await startSlowLine({ host: carrier.host, port: carrier.sip.udp }, 300);
    box = await attach(pbx);
    await box.ok('tenant add acme --domain acme.sip.example');
    const at = `--host ${carrier.host} --port ${carrier.sip.udp}`;
    await addTrunk(
      `main --provider custom_credential --username ${accounts.main} ${at}`,
      passwordOf(accounts.main),
    );
    await addTrunk(
      `tel --tenant acme --provider telnyx --username ${accounts.telnyx} ${at} --max-calls 3 --context carriers-acme`,
      'wrong',
    );
    await addTrunk(
      `far --provider custom_credential --username ${accounts.far} --host ${carrier.host} --port ${line.port}`,
      passwordOf(accounts.far),
    );
    expect((await box.apply()).code).toBe(0);
  });
  afterAll(() => line?.close());

  const addTrunk = (words: string, password: string) =>
    box.ok(`trunk add ${words} --password-stdin`, { input: password });

  async function stateOf(trunk: string): Promise<string | undefined> {
    const status = (await box.ok('status --json')).json().data as {
      nodes: { node: string; states: { id: string; kind: string; state: string }[] }[];
    };
    return status.nodes
      .find((one) => one.node === node)
      ?.states.find(({ id, kind }) => id === trunk && kind === 'registration')?.state;
  }
  // The first REGISTER waits up to ten seconds, so that a reload of many trunks does not look like an attack.
  const becomes = (trunk: string, state: string) =>
    expect.poll(() => stateOf(trunk), { timeout: 30_000, interval: 200 }).toBe(state);
  const contactsAt = async (name: string): Promise<string> =>
    (await shown(carrier)).aor.get(name)?.Contacts ?? '';
  const calls = async (asterisk: AsteriskInstance): Promise<string[]> =>
    withManager(asterisk, async (ami) =>
      (await ami.list('CoreShowChannels')).flatMap((item) => item.get('Uniqueid') ?? []).sort(),
    );
  const originate = (asterisk: AsteriskInstance, channel: string, callerId: string) =>
    withManager(asterisk, (ami) =>
      ami.action('Originate', { Channel: channel, Application: 'Wait', Data: '120', CallerID: callerId }),
    );
  const global = async (asterisk: AsteriskInstance): Promise<string | undefined> =>
    /^\s*SEEN=(.*)$/m.exec(await asterisk.cli('dialplan show globals'))?.[1];

  it('sees a trunk register', async () => {
    await becomes('main', 'Registered');
    expect(await contactsAt(accounts.main)).toContain(`sip:${accounts.main}@${pbx.host}`);
  });

  it('takes calls that are signed, with the number of the caller', async () => {
    await originate(pbx, 'PJSIP/+15557654321@main', '"Ann" <+15551234567>');
    expect(await global(carrier)).toMatch(
      new RegExp(`^${accounts.main}\\|\\+15557654321\\|.*\\|.*<sip:\\+15551234567@`),
    );
  });

  it('reaches the context of the trunk that registered', async () => {
    await originate(carrier, `PJSIP/${accounts.main}`, '<+15550001111>');
    expect(await global(pbx)).toBe('from-trunk|main|main|default|5');
  });

  it('refuses a wrong password; the right one takes effect with one apply, and calls stay up', async () => {
    await becomes('acme.tel', 'Rejected');
    const before = [await calls(pbx), await calls(carrier)];
    expect(before.map((uniqueids) => uniqueids.length > 0)).toEqual([true, true]);
    await box.ok('trunk set tel --tenant acme --password-stdin', { input: passwordOf(accounts.telnyx) });
    expect((await box.apply()).code).toBe(0);
    await becomes('acme.tel', 'Registered');
    expect([await calls(pbx), await calls(carrier)]).toEqual(before);
    await originate(carrier, `PJSIP/${accounts.telnyx}`, '<+15550001111>');
    expect(await global(pbx)).toBe('carriers-acme|acme.tel|tel|acme|3');
  });

  it('is told before a trunk goes, also where it is far away', async () => {
    await becomes('far', 'Registered');
    const [mark, carrierMark] = [pbx.mark(), carrier.mark()];
    await box.ok('trunk remove far --yes');
    await box.ok('trunk remove main --yes');
    expect((await box.apply()).code).toBe(0);
    expect([await contactsAt(accounts.far), await contactsAt(accounts.main)]).toEqual(['', '']);
    expect([...(await shown(pbx)).registration.keys()]).toEqual(['acme.tel']);
    expect(await complaintsSince(pbx, mark)).toEqual([]);
    expect(await complaintsSince(carrier, carrierMark)).toEqual([]);
  });
});

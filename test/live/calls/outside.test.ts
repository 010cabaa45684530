import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AsteriskInstance, type AsteriskSuite, describeAsterisk } from '../asterisk.ts';
import { callIn, sippAvailable } from '../sipp.ts';
import { type Outside, outsideMissing, startOutside } from './outside.ts';
import { type CarrierAccount, freshAddress } from './outside-config.ts';
import { writeTone } from './sound.ts';

/** What the tests of calls see with, against a dialplan written by hand: a tool that sees nothing would prove nothing. */

const carrier: CarrierAccount = {
  name: 'carrier',
  address: await freshAddress(),
  line: null,
  credentials: { username: 'account', password: 'right; "really"' },
};
const users = ['ann', 'bob'];
const greetingTone = 3000;

const endpoint = (name: string, lines: string): string => `
[${name}]
type = endpoint
context = pbx
disallow = all
allow = ulaw
aors = ${name}
${lines}
`;
const pjsip = `
${users
  .map(
    (user) => `${endpoint(user, `auth = ${user}\nmailboxes = ${user}@default`)}
[${user}]
type = auth
username = ${user}
password = of ${user}

[${user}]
type = aor
max_contacts = 1
`,
  )
  .join('')}
${endpoint('trunk', 'outbound_auth = trunk\nfrom_user = account\nsend_pai = yes')}
[trunk]
type = auth
username = account
password = right\\; "really"

[trunk]
type = aor
contact = sip:${carrier.address}

[trunk]
type = registration
max_random_initial_delay = 0
retry_interval = 1
server_uri = sip:${carrier.address}
client_uri = sip:account@${carrier.address}
contact_user = account
outbound_auth = trunk
line = yes
endpoint = trunk

[trunk]
type = identify
endpoint = trunk
match = ${carrier.address}
`;
const dialplan = `
[pbx]
exten = 2,1,Dial(\${PJSIP_DIAL_CONTACTS(bob)},20)
 same = n,Hangup(\${HANGUPCAUSE})
exten = 3,1,Answer()
 same = n,Playback(custom/greeting)
exten = 4,1,VoiceMail(bob@default,s)
exten = 5,1,Hangup(17)
exten = account,1,Goto(\${IF($["\${PJSIP_HEADER(read,To):0:10}" = "<sip:+4930"]?2:5)},1)
exten = _+X!,1,Dial(PJSIP/\${EXTEN}@trunk,20)
 same = n,Hangup(\${HANGUPCAUSE})
`;
const voicemail = `[general]\nformat = wav\nmailcmd = /bin/true\n[default]\nbob => 1,Bob\n`;

function suite({ start }: AsteriskSuite): void {
  let pbx: AsteriskInstance;
  let outside: Outside;

  beforeAll(async () => {
    pbx = await start({ pjsip, etc: { 'extensions.d/pbx.conf': dialplan, 'voicemail.conf': voicemail } });
    writeTone(join(dirname(pbx.etc), 'data/sounds/custom/greeting.wav'), greetingTone, 1);
    outside = await startOutside({
      pbx: { phones: { host: pbx.host, port: pbx.sip.udp }, carriers: { host: pbx.host, port: pbx.sip.udp } },
      phones: users.map((name) => ({ name, username: name, password: `of ${name}`, domain: null })),
      carriers: [carrier],
    });
    await outside.registered();
  });
  afterAll(() => outside?.stop());

  const statusOf = async (party: string, target: string): Promise<number> =>
    (await (await outside.call(party, target)).ended).status;

  it('hear each other, and keys', async () => {
    const call = await outside.call('ann', '2');
    expect(await call.answered).toBe(true);
    await call.press('12#');
    await sleep(500);
    await call.hangUp();
    expect(await call.ended).toEqual({ status: 200, q850: 16 });
    const [arrival] = outside.arrivals('bob');
    expect(outside.keys(arrival?.id ?? '')).toBe('12#');
    for (const [id, self, other] of [
      [call.id, 'ann', 'bob'],
      [arrival?.id ?? '', 'bob', 'ann'],
    ] as const) {
      expect(await outside.heard(id, other)).toBeGreaterThan(0.5);
      expect(await outside.heard(id, self)).toBe(0);
    }
  });

  it('refuse, and see how they are refused', async () => {
    for (const [cause, status] of [
      [17, 486],
      [21, 403],
    ] as const) {
      await outside.does('bob', cause);
      expect(await statusOf('ann', '2')).toBe(status);
    }
    await outside.does('bob', 'answer');
    expect([await statusOf('ann', '5'), await statusOf('ann', '99')]).toEqual([486, 404]);
  });

  it('see the headers of a call that leaves', async () => {
    await expect.poll(() => outside.contacts(carrier), { timeout: 20_000 }).toHaveLength(1);
    await outside.does('carrier', 34, '+15550000');
    expect(await statusOf('ann', '+15550000')).toBe(503);
    const call = await outside.call('ann', '+15551111');
    expect(await call.answered).toBe(true);
    await call.hangUp();
    const [, arrival] = outside.arrivals('carrier');
    expect(arrival).toMatchObject({
      requestUri: `sip:+15551111@${carrier.address}`,
      from: expect.stringMatching(/^<sip:account@/),
      to: expect.stringMatching(/^<sip:\+15551111@/),
      pai: expect.stringMatching(/<sip:ann@/),
    });
  });

  it('call in at the contact that registered', async () => {
    const [uri] = await outside.contacts(carrier);
    const call = await outside.call('carrier', '', { uri: uri ?? '', callerId: '<+49301234>' });
    expect((await call.ended).status).toBe(486);
  });

  it.skipIf(sippAvailable() !== null)('call in with the number in To', async () => {
    const at = { host: pbx.host, port: pbx.sip.udp, from: carrier.address, callerNumber: '+49309' };
    const requestUri = `sip:account@${pbx.host}:${pbx.sip.udp}`;
    const calls = await Promise.all(
      ['+4930111', '+4940111'].map((did) => callIn({ ...at, requestUri, to: `sip:${did}@${pbx.host}` })),
    );
    expect(calls.map(({ statuses }) => statuses.at(-1))).toEqual([200, 486]);
    expect(outside.arrivals('bob').at(-1)?.from).toMatch(/^<sip:\+49309@/);
  });

  it('leave a message, and see the lamp; hear a greeting', async () => {
    const message = await outside.call('ann', '4');
    const greeting = await outside.call('ann', '3');
    await sleep(2500);
    await Promise.all([message.hangUp(), greeting.ended]);
    await expect.poll(() => outside.waiting('bob'), { timeout: 10_000 }).toBe(1);
    expect(await outside.heard(greeting.id, greetingTone)).toBeGreaterThan(0.8);
  });
}
describeAsterisk('phones and carriers', suite, outsideMissing);

import { describe, expect, it } from 'vitest';
import type { LivekitSite } from '../../../src/model/livekit.ts';
import { Secret } from '../../../src/model/secret.ts';
import { Connection, livekitSite, sipPassword } from '../../support/livekit/connection.ts';
import { LivekitServer } from '../../support/livekit/livekit-server.ts';

async function ready(): Promise<{ server: LivekitServer; connection: Connection; site: LivekitSite }> {
  const server = await LivekitServer.start();
  return { server, connection: new Connection(), site: livekitSite(server) };
}

describe('what is made', () => {
  it('is asked for in the fields of LiveKit’s protocol', async () => {
    const { server, connection, site } = await ready();
    const { outcome, error } = await connection.apply(site);
    expect([outcome, error]).toEqual(['verified', null]);
    expect(server.writes).toEqual([
      'CreateSIPInboundTrunk',
      'CreateSIPOutboundTrunk',
      'CreateSIPDispatchRule',
    ]);
    const numbers = ['+4930111001', '+4930111002'];
    expect(server.bodies('CreateSIPInboundTrunk')).toEqual([
      {
        trunk: {
          name: 'sipctl-acme-main',
          numbers,
          allowedAddresses: ['35.156.191.128/30', '54.172.60.0/30'],
          media: { encryption: 'SIP_MEDIA_ENCRYPT_DISABLE' },
        },
      },
    ]);
    expect(server.bodies('CreateSIPOutboundTrunk')).toEqual([
      {
        trunk: {
          name: 'sipctl-acme-main',
          address: 'user-acme-1795262400.pstn.twilio.com',
          numbers,
          authUsername: 'sip-acme',
          authPassword: sipPassword,
          media: { encryption: 'SIP_MEDIA_ENCRYPT_DISABLE' },
        },
      },
    ]);
    const [inboundId] = server.state.inbound.keys();
    expect(server.bodies('CreateSIPDispatchRule')).toEqual([
      {
        name: 'sipctl-acme-main',
        trunkIds: [inboundId],
        rule: { dispatchRuleIndividual: { roomPrefix: 'call-' } },
        roomConfig: { agents: [{ agentName: 'receptionist' }] },
      },
    ]);
  });

  it('is followed by a plan without changes, of which the password is no part', async () => {
    const { connection, site } = await ready();
    const first = await connection.plan(site);
    expect(first.changes.map(({ action, key }) => `${action} ${key}`)).toEqual([
      'create inbound-trunk',
      'create outbound-trunk',
      'create dispatch-rule',
    ]);
    expect(JSON.stringify(first)).not.toContain(sipPassword);
    await connection.apply(site);
    expect((await connection.plan(site)).changes).toEqual([]);
    expect(JSON.stringify([...connection.memory.entries])).not.toContain(sipPassword);
  });

  it('speaks TLS and SRTP where the trunk at Twilio does', async () => {
    const { server, connection, site } = await ready();
    const secure = { ...site, trunk: { ...site.trunk, secure: true } };
    expect((await connection.apply(secure)).outcome).toBe('verified');
    const required = {
      media: { encryption: 'SIP_MEDIA_ENCRYPT_REQUIRE' },
      mediaEncryption: 'SIP_MEDIA_ENCRYPT_REQUIRE',
    };
    expect(server.bodies('CreateSIPInboundTrunk')).toMatchObject([{ trunk: required }]);
    expect(server.bodies('CreateSIPOutboundTrunk')).toMatchObject([
      { trunk: { ...required, transport: 'SIP_TRANSPORT_TLS' } },
    ]);
  });

  it('names only numbers that take calls, or make them', async () => {
    const { server, connection, site } = await ready();
    const [one, two] = site.numbers as [(typeof site.numbers)[0], (typeof site.numbers)[0]];
    const numbers = [
      { ...one, outbound: false },
      { ...two, inbound: false },
      { ...two, number: '+4930111003', enabled: false },
    ];
    await connection.apply({ ...site, numbers });
    expect([...server.state.inbound.values()].map((trunk) => trunk.numbers)).toEqual([[one.number]]);
    expect([...server.state.outbound.values()].map((trunk) => trunk.numbers)).toEqual([[two.number]]);
  });

  it('is nothing where there is no number: such a trunk would take anybody’s calls', async () => {
    const { server, connection, site } = await ready();
    await expect(connection.plan({ ...site, numbers: [] })).rejects.toMatchObject({
      outcome: 'invalid',
      problems: [
        { code: 'livekit_no_numbers', hint: expect.stringContaining('--trunk twilio --inbound') },
        { code: 'livekit_no_numbers', hint: expect.stringContaining('--trunk twilio --outbound') },
      ],
    });
    expect(server.writes).toEqual([]);
  });

  it('has no agent where none is named', async () => {
    const { server, connection, site } = await ready();
    const without = { ...site, livekit: { ...site.livekit, agent: null } };
    expect((await connection.apply(without)).outcome).toBe('verified');
    expect(server.bodies('CreateSIPDispatchRule')).toEqual([
      expect.not.objectContaining({ roomConfig: expect.anything() }),
    ]);
  });
});

describe('what differs', () => {
  it('is changed where it is, field by field, and nothing else of it', async () => {
    const { server, connection, site } = await ready();
    await connection.apply(site);
    const [inbound] = server.state.inbound.values();
    const [outbound] = server.state.outbound.values();
    if (inbound === undefined || outbound === undefined) throw new Error('nothing was made');
    Object.assign(inbound, { krispEnabled: true, numbers: ['+4930111001'], metadata: 'of the dashboard' });
    Object.assign(outbound, { address: 'elsewhere.example', transport: 2 });

    const plan = await connection.plan(site);
    expect(plan.changes.map(({ key, options }) => [key, options])).toEqual([
      [
        'inbound-trunk',
        [
          {
            section: 'inbound-trunk',
            option: 'numbers',
            before: '+4930111001',
            after: '+4930111001, +4930111002',
          },
        ],
      ],
      [
        'outbound-trunk',
        [
          {
            section: 'outbound-trunk',
            option: 'address',
            before: 'elsewhere.example',
            after: 'user-acme-1795262400.pstn.twilio.com',
          },
          { section: 'outbound-trunk', option: 'transport', before: 'tcp', after: 'auto' },
        ],
      ],
    ]);
    expect((await connection.apply(site)).outcome).toBe('verified');
    expect(server.bodies('UpdateSIPInboundTrunk')).toMatchObject([
      { sipTrunkId: inbound.sipTrunkId, update: { numbers: { set: ['+4930111001', '+4930111002'] } } },
    ]);
    expect(server.bodies('UpdateSIPOutboundTrunk')).toMatchObject([
      { update: { address: 'user-acme-1795262400.pstn.twilio.com', transport: 'SIP_TRANSPORT_AUTO' } },
    ]);
    expect(server.state.inbound.get(inbound.sipTrunkId)).toMatchObject({
      krispEnabled: true,
      metadata: 'of the dashboard',
    });
  });

  it('is the password, too, though LiveKit never tells it', async () => {
    const { server, connection, site } = await ready();
    await connection.apply(site);
    const renewed = { ...site, trunk: { ...site.trunk, sipPassword: new Secret('An0therPassw0rdX') } };
    const { changes } = await connection.plan(renewed);
    expect(changes.map(({ key, options }) => [key, options])).toEqual([
      [
        'outbound-trunk',
        [{ section: 'outbound-trunk', option: 'authPassword', before: '[secret]', after: '[secret]' }],
      ],
    ]);
    expect((await connection.apply(renewed)).outcome).toBe('verified');
    expect([...server.state.outbound.values()].map(({ authPassword }) => authPassword)).toEqual([
      'An0therPassw0rdX',
    ]);
  });

  it('is a rule for any trunk, which is bound to the trunk again; what it has besides stays', async () => {
    const { server, connection, site } = await ready();
    await connection.apply(site);
    const [rule] = server.state.rules.values();
    const [trunkId] = server.state.inbound.keys();
    Object.assign(rule ?? {}, { trunkIds: [], attributes: { branch: 'berlin' } });
    if (rule?.roomConfig?.agents[0] !== undefined) rule.roomConfig.agents[0].metadata = 'in German';

    const renamed = { ...site, livekit: { ...site.livekit, roomPrefix: 'phone-' } };
    expect((await connection.apply(renamed)).outcome).toBe('verified');
    expect(server.bodies('UpdateSIPDispatchRule')).toEqual([
      {
        sipDispatchRuleId: rule?.sipDispatchRuleId,
        replace: expect.objectContaining({
          trunkIds: [trunkId],
          attributes: { branch: 'berlin' },
          rule: { dispatchRuleIndividual: { roomPrefix: 'phone-' } },
          roomConfig: { agents: [{ agentName: 'receptionist', metadata: 'in German' }] },
        }),
      },
    ]);
  });

  it('is what somebody removed: it is made again, and the rule follows', async () => {
    const { server, connection, site } = await ready();
    await connection.apply(site);
    server.state.inbound.clear();
    const { outcome } = await connection.apply(site);
    expect(outcome).toBe('verified');
    const [rule] = server.state.rules.values();
    expect(rule?.trunkIds).toEqual([...server.state.inbound.keys()]);
  });
});

describe('what others have in the project', () => {
  function withForeign(server: LivekitServer): () => unknown {
    const { state } = server;
    const trunk = state.addInbound({ name: 'sales', numbers: ['+12025550100'] });
    state.addOutbound({ name: 'sales', numbers: ['+12025550100'], address: 'sip.example.com' });
    state.addRule({
      name: 'sales',
      trunkIds: [trunk.sipTrunkId],
      rule: { rule: { case: 'dispatchRuleDirect', value: { roomName: 'sales' } } },
    });
    const foreign = () =>
      [...state.inbound.values(), ...state.outbound.values(), ...state.rules.values()]
        .filter(({ name }) => name === 'sales')
        .map((one) => one.toJson());
    return foreign;
  }

  it('stays as it is, whatever happens', async () => {
    const { server, connection, site } = await ready();
    const foreign = withForeign(server);
    const before = foreign();
    await connection.apply(site);
    await connection.apply({ ...site, trunk: null });
    expect(foreign()).toEqual(before);
    expect([server.state.inbound.size, server.state.outbound.size, server.state.rules.size]).toEqual([
      1, 1, 1,
    ]);
    expect(connection.memory.entries.size).toBe(0);
  });

  it('is found among hundreds, page by page', async () => {
    const { server, connection, site } = await ready();
    for (let one = 0; one < 250; one += 1)
      server.state.addInbound({ name: `other-${one}`, numbers: [`+1202555${1000 + one}`] });
    await connection.apply(site);
    expect((await connection.plan(site)).changes).toEqual([]);
    connection.memory.entries.clear();
    const again = await connection.plan(site);
    expect(again.changes.map(({ action, key }) => `${action} ${key}`)).toEqual(['update outbound-trunk']);
    expect(server.state.inbound.size).toBe(251);
  });

  it('may have taken a number: what was made is taken back, and it is said who has it', async () => {
    const { server, connection, site } = await ready();
    const other = server.state.addInbound({ name: 'sales', numbers: ['+4930111002'] });
    const { outcome, error } = await connection.apply(site);
    expect(outcome).toBe('taken-back');
    expect(error?.problems).toMatchObject([
      { code: 'livekit_refused', message: expect.stringContaining(other.sipTrunkId) },
    ]);
    expect(error?.problems[0]?.hint).toContain('remove the number there');
    expect([...server.state.inbound.keys()]).toEqual([other.sipTrunkId]);
  });

  it('may bear the same name twice: nothing is guessed', async () => {
    const { server, connection, site } = await ready();
    server.state.addInbound({ name: 'sipctl-acme-main', numbers: ['+1'] });
    server.state.addInbound({ name: 'sipctl-acme-main', numbers: ['+2'] });
    await expect(connection.plan(site)).rejects.toMatchObject({
      outcome: 'conflict',
      problems: [{ code: 'livekit_ambiguous' }],
    });
  });
});

describe('what goes', () => {
  it('goes the last made first, so that no rule is ever without its trunk', async () => {
    const { server, connection, site } = await ready();
    await connection.apply(site);
    server.requests.length = 0;
    const { outcome } = await connection.apply({ ...site, trunk: null });
    expect(outcome).toBe('verified');
    expect(server.writes).toEqual(['DeleteSIPDispatchRule', 'DeleteSIPTrunk', 'DeleteSIPTrunk']);
    expect((await connection.plan({ ...site, trunk: null })).changes).toEqual([]);
  });
});

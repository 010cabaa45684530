import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import type { EslEvent } from '../../src/platforms/freeswitch/esl/codec.ts';
import {
  channelExists,
  channelVariable,
  conference,
  conferences,
  domainExists,
  dumpChannel,
  gatewayStatus,
  globalVariable,
  killChannel,
  killGateway,
  limitUsage,
  moduleExists,
  originate,
  perform,
  reloadXml,
  rescanProfile,
  setChannelVariable,
  show,
  sofiaStatus,
  systemStatus,
  userData,
  userExists,
  version,
  xmlLocate,
} from '../../src/platforms/freeswitch/esl/commands.ts';
import { connectEsl, type EslConnection } from '../../src/platforms/freeswitch/esl/connection.ts';
import { errorOf, shown } from '../support/control-client.ts';
import { connectPeer, type Peer } from '../support/esl-peer.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { eventSocket, gateway } from './freeswitch-conf.ts';

describeFreeswitch('the event socket', (start) => {
  let freeswitch: FreeswitchInstance;
  let esl: EslConnection;
  let peer: Peer;
  const api = (command: string): Promise<string> => esl.api(command);
  const background = (command: string): Promise<string> => esl.background(command);

  beforeAll(async () => {
    freeswitch = await start();
    esl = await connectTo(freeswitch);
    peer = await connectPeer(freeswitch.esl, freeswitch.esl.password);
  });
  afterAll(async () => {
    peer?.close();
    await esl?.close();
  });

  /** A channel that stands until it is hung up. */
  async function call(extension = 'park'): Promise<string> {
    const made = await originate(background, `loopback/${extension}/acme`, '&park()');
    if (!('uuid' in made)) throw new Error(`no call: ${made.cause}`);
    return made.uuid;
  }

  /** The next event that the condition holds for. */
  async function awaited(
    events: AsyncIterableIterator<EslEvent>,
    is: (event: EslEvent) => boolean,
  ): Promise<EslEvent> {
    for (;;) {
      const { value } = await events.next();
      if (value === undefined) throw new Error('there are no more events');
      if (is(value)) return value;
    }
  }

  it('refuses a wrong password, which is not repeated', async () => {
    const options = { ...freeswitch.esl, connectTimeoutMs: 5000, commandTimeoutMs: 5000 };
    const error = await errorOf(connectEsl({ ...options, password: new Secret('wr0ng') }));
    expect(error).toMatchObject({ outcome: 'refused', problems: [{ code: 'esl_login' }] });
    expect(shown(error)).not.toContain('wr0ng');
  });

  it('gives the same answers to both clients', async () => {
    const commands = [
      'version',
      'global_getvar',
      'show modules as json',
      'show channels as json',
      'sofia xmlstatus gateway acme.main',
      'sofia xmlstatus gateway nothing',
      'sofia profile nothing rescan',
      'xml_locate directory domain name acme.sip.example',
      'user_data 1001@acme.sip.example var effective_caller_id_name',
      'uuid_getvar nothing name',
      'uuid_kill',
      'no_such_command',
      'echo 50% of it ✓',
    ];
    const still = (text: string) => text.replace(/<uptime-usec>\d+/, '');
    for (const command of commands)
      expect([command, still(await esl.api(command))]).toEqual([command, still(await peer.api(command))]);
    for (const command of commands)
      expect([command, still(await esl.background(command))]).toEqual([
        command,
        still(await peer.background(command)),
      ]);
  });

  it('gives the same events to both clients', async () => {
    const [ours, theirs] = [new Map<string, unknown>(), new Map<string, unknown>()];
    const own = await connectTo(freeswitch);
    const other = await connectPeer(freeswitch.esl, freeswitch.esl.password);
    // The other one asks for more by itself.
    await own.subscribe([
      'CHANNEL_EXECUTE_COMPLETE',
      'CHANNEL_CREATE',
      'CHANNEL_ANSWER',
      'CHANNEL_HANGUP_COMPLETE',
    ]);
    await other.command('event json CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE');
    const events = own.events();
    expect(await killChannel(api, await call(), 'USER_BUSY')).toBe(true);
    // Both legs of the loopback have ended with their second one.
    const isLast = (headers: ReadonlyMap<string, unknown>) => {
      const names = [...headers.values()].map((event) => (event as Record<string, unknown>)['Event-Name']);
      return names.filter((name) => name === 'CHANNEL_HANGUP_COMPLETE').length === 2;
    };
    while (!isLast(ours)) {
      const event = (await events.next()).value as EslEvent;
      const values = event.names.map((name) => {
        const all = event.all(name);
        return [name, all.length > 1 ? all : all[0]];
      });
      ours.set(event.get('Event-Sequence') ?? '', Object.fromEntries(values));
    }
    while (!isLast(theirs)) {
      const { headers } = await other.event();
      if (headers['Event-Name'] !== 'BACKGROUND_JOB') theirs.set(String(headers['Event-Sequence']), headers);
    }
    expect(ours).toEqual(theirs);
    expect(ours.size).toBeGreaterThanOrEqual(6);
    other.close();
    await own.close();
  });

  it('can be asked for some events, fewer of them, and those of a filter', async () => {
    const own = await connectTo(freeswitch);
    const events = own.events();
    expect(await errorOf(own.subscribe(['HEARTBEAT', 'NO_SUCH_EVENT']))).toMatchObject({ command: 'event' });
    await own.subscribe(['CHANNEL_ANSWER', 'CHANNEL_HANGUP'], ['sofia::gateway_add']);
    await own.unsubscribe(['CHANNEL_ANSWER']);
    const [first, second] = [await call(), await call()];
    await own.filter('Unique-ID', second);
    await killChannel(api, first, 'USER_BUSY');
    await killChannel(api, second, 'USER_BUSY');
    const hangup = await awaited(events, (event) => event.name !== 'HEARTBEAT');
    expect([hangup.name, hangup.get('Unique-ID')]).toEqual(['CHANNEL_HANGUP', second]);
    // A job of this connection ends in spite of the filter.
    expect(await own.background('echo job')).toBe('job');
    await own.unfilter();
    await killChannel(api, await call(), 'USER_BUSY');
    expect((await awaited(events, (event) => event.name === 'CHANNEL_HANGUP')).get('Unique-ID')).not.toBe(
      second,
    );
    await own.close();
  });

  it('is asked whether it is there while it is silent', async () => {
    const own = await connectEsl({
      ...freeswitch.esl,
      ...{ password: new Secret(freeswitch.esl.password), pingIntervalMs: 20 },
      ...{ connectTimeoutMs: 5000, commandTimeoutMs: 5000 },
    });
    const next = own.events().next();
    await sleep(300);
    expect(await own.api('echo still here')).toBe('still here');
    await own.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('prints many megabytes', async () => {
    const users = Array.from(
      { length: 5000 },
      (_, user) => `<user id="u${user}"><variables>
      <variable name="effective_caller_id_name" value="Ünïcode ${'x'.repeat(1200)}"/></variables></user>`,
    );
    freeswitch.write(
      'directory/many.xml',
      `<include>\n<domain name="many">\n${users.join('\n')}\n</domain>\n</include>\n`,
    );
    await reloadXml(api);
    const xml = (await xmlLocate(api, 'directory', 'domain', 'name', 'many')) ?? '';
    expect(Buffer.byteLength(xml)).toBeGreaterThan(5_000_000);
    expect(xml.match(/<user id=/g)).toHaveLength(users.length);
    expect(xml.trimEnd().endsWith('</domain>')).toBe(true);
    freeswitch.remove('directory/many.xml');
    await reloadXml(api);
    expect(await domainExists(api, 'many')).toBe(false);
  });

  it('keeps every event for a consumer that is slow', async () => {
    const own = await connectTo(freeswitch);
    await own.subscribe(['ALL']);
    const events = own.events();
    const calls = await Promise.all(Array.from({ length: 30 }, () => call()));
    for (const uuid of calls) await killChannel(api, uuid, 'NORMAL_CLEARING');
    await sleep(500);
    const ended = new Set<string>();
    let last = 0;
    while (calls.some((uuid) => !ended.has(uuid))) {
      const event = await awaited(events, () => true);
      if (event.name === 'CHANNEL_DESTROY') ended.add(event.get('Unique-ID') ?? '');
      last += 1;
    }
    expect(last).toBeGreaterThan(1000);
    expect(await own.api('echo on')).toBe('on');
    await own.close();
  });

  describe('reloads', () => {
    it('tell a broken tree from a good one', async () => {
      await reloadXml(api);
      await rescanProfile(api, 'external');
      freeswitch.write('dialplan/broken.xml', '<include>\n<context name="broken">\n</include>\n');
      const error = await errorOf(reloadXml(api));
      expect(error).toMatchObject({ command: 'reloadxml', outcome: 'failed' });
      expect(error.message).toMatch(/error near line \d+/);
      expect((await errorOf(rescanProfile(api, 'external'))).message).toMatch(/error near line \d+/);
      freeswitch.remove('dialplan/broken.xml');
      await reloadXml(api);
      expect((await errorOf(rescanProfile(api, 'nothing'))).message).toContain('Invalid Profile [nothing]');
    });

    it('bring a gateway, and killgw takes it away', async () => {
      expect(await gatewayStatus(api, 'acme.other')).toBeNull();
      freeswitch.write('sip_profiles/external/other.xml', gateway('acme.other', freeswitch.host));
      await rescanProfile(api, 'external');
      expect(await gatewayStatus(api, 'acme.other')).toMatchObject({
        name: 'acme.other',
        profile: 'external',
        username: 'acme',
        state: 'NOREG',
        status: 'UP',
      });
      const names = (await sofiaStatus(api)).flatMap(({ gateways }) => gateways.map(({ name }) => name));
      expect(names.sort()).toEqual(['acme.main', 'acme.other']);

      const own = await connectTo(freeswitch);
      const events = own.events();
      await own.subscribe([], ['sofia::gateway_delete']);
      expect(await killGateway(api, 'external', 'acme.other')).toBe(true);
      const deleted = await awaited(events, ({ subclass }) => subclass === 'sofia::gateway_delete');
      expect(deleted.get('Gateway')).toBe('acme.other');
      expect(await gatewayStatus(api, 'acme.other')).toBeNull();
      expect(await killGateway(api, 'external', 'acme.other')).toBe(false);
      expect((await errorOf(killGateway(api, 'nothing', 'acme.main'))).message).toContain('Invalid Profile');
      await own.close();
    });
  });

  it('looks up the directory and the dialplan', async () => {
    expect(await domainExists(api, 'acme.sip.example')).toBe(true);
    expect(await domainExists(api, 'nothing')).toBe(false);
    expect(await userExists(api, '1001', 'acme.sip.example')).toBe(true);
    expect(await userExists(api, '1002', 'acme.sip.example')).toBe(false);
    expect(await userData(api, '1001', 'acme.sip.example', 'var', 'effective_caller_id_name')).toBe(
      'Änne <One>',
    );
    expect(await userData(api, '1001', 'acme.sip.example', 'param', 'allow-empty-password')).toBe('false');
    expect(await userData(api, '1001', 'acme.sip.example', 'attr', 'id')).toBe('1001');
    expect(await userData(api, '1001', 'acme.sip.example', 'var', 'empty')).toBeNull();
    expect(await userData(api, '1002', 'acme.sip.example', 'attr', 'id')).toBeNull();
    expect(await xmlLocate(api, 'dialplan', 'context', 'name', 'acme')).toContain('<extension name="park">');
    expect(await xmlLocate(api, 'dialplan', 'context', 'name', 'nothing')).toBeNull();
    expect(await xmlLocate(api, 'configuration', 'configuration', 'name', 'sofia.conf')).toContain(
      'acme.main',
    );
  });

  it('says how the system stands', async () => {
    expect(await version(api)).toMatch(/^1\.1\d\.\d+$/);
    expect(await systemStatus(api)).toMatchObject({ ready: true, maxSessions: 1000 });
    expect(await moduleExists(api, 'mod_sofia')).toBe(true);
    expect(await moduleExists(api, 'mod_nothing')).toBe(false);
    expect(await globalVariable(api, 'conf_dir')).toBe(freeswitch.conf);
    expect(await globalVariable(api, 'nothing')).toBeNull();
    expect((await show(api, 'modules')).some(({ ikey }) => ikey === 'mod_commands')).toBe(true);
    expect(await show(api, 'registrations')).toEqual([]);
  });

  describe('calls', () => {
    it('that cannot be made give their cause', async () => {
      expect(await originate(background, 'loopback/busy/acme', '&park()')).toMatchObject({
        cause: expect.any(String),
      });
      expect(await originate(background, 'sofia/gateway/nothing/1', '&park()')).toEqual({
        cause: 'INVALID_GATEWAY',
      });
      expect(await originate(background, 'nothing/1', '&park()')).toEqual({ cause: 'CHAN_NOT_IMPLEMENTED' });
      expect((await errorOf(originate(background, '', ''))).message).toContain('USAGE');
    });

    it('have channels with variables of any text', async () => {
      const uuid = await call();
      expect(await channelExists(api, uuid)).toBe(true);
      // FreeSWITCH writes the table behind it a little later.
      while (!(await show(api, 'channels')).some((channel) => channel.uuid === uuid)) await sleep(20);
      expect(await channelVariable(api, uuid, 'tried')).toBeNull();
      for (const value of [
        'plain',
        'two words',
        `it's "so" \\n \\ 'x' ü ✓`,
        "'",
        '${caller_id_name}, }[x=y]',
        ' a ',
      ]) {
        await setChannelVariable(api, uuid, 'tried', value);
        expect(await channelVariable(api, uuid, 'tried')).toBe(value);
      }
      expect((await dumpChannel(api, uuid))['Unique-ID']).toBe(uuid);
      await perform(api, 'uuid_park', uuid);
      expect(await killChannel(api, uuid, 'USER_BUSY')).toBe(true);
      while (await channelExists(api, uuid)) await sleep(20);
      expect(await killChannel(api, uuid, 'USER_BUSY')).toBe(false);
      for (const attempt of [
        () => channelVariable(api, uuid, 'tried'),
        () => setChannelVariable(api, uuid, 'tried', 'x'),
        () => dumpChannel(api, uuid),
        () => perform(api, 'uuid_park', uuid),
      ]) {
        expect((await errorOf(attempt())).problems[0]?.code).toBe('esl_error');
      }
    });

    it('count against limits and stand in conferences', async () => {
      expect(await limitUsage(api, 'acme', 'calls')).toBe(0);
      expect(await conferences(api)).toEqual([]);
      expect(await conference(api, 'acme-3000')).toBeNull();
      const limited = await call('limited');
      expect(await limitUsage(api, 'acme', 'calls')).toBe(1);
      const talking = await call('conference');
      const running = await conference(api, 'acme-3000');
      expect(running).toMatchObject({ conference_name: 'acme-3000', member_count: 1 });
      expect(await conferences(api)).toHaveLength(1);
      for (const uuid of [limited, talking]) await killChannel(api, uuid, 'NORMAL_CLEARING');
    });
  });

  // These two end the connections of all others: they come last.
  it('refuses an address that its ACL does not allow', async () => {
    freeswitch.write('autoload_configs/event_socket.conf.xml', eventSocket(freeswitch.esl, 'nobody'));
    await reloadXml(api);
    const next = errorOf(esl.events().next());
    await esl.api('reload mod_event_socket').catch(() => undefined);
    expect((await next).problems[0]?.code).toBe('esl_lost');
    let error = await errorOf(connectTo(freeswitch));
    while (error.outcome === 'unreachable') error = await errorOf(connectTo(freeswitch));
    expect(error).toMatchObject({ outcome: 'refused', problems: [{ code: 'esl_acl' }] });
  });

  it('loses its clients when FreeSWITCH ends', async () => {
    const second = await start();
    const own = await connectTo(second);
    const next = errorOf(own.events().next());
    await second.stop();
    expect((await next).message).toContain('was lost');
    expect((await errorOf(connectTo(second))).outcome).toBe('unreachable');
  });
});

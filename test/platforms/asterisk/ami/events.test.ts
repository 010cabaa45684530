import { describe, expect, it } from 'vitest';
import { event, open, serverOf } from '../../../support/ami-client.ts';
import { errorOf, until } from '../../../support/control-client.ts';
import type { Peer } from '../../../support/scripted-server.ts';

describe('events', () => {
  it('reach every consumer in order, unknown ones and odd header names included', async () => {
    const server = await serverOf();
    const ami = await open(server, { events: 'all' });
    const [first, second] = [ami.events(), ami.events()];
    await server.peers[0]?.send(
      event('TestEvent', 'State: ✓') +
        event('constructor', '__proto__: a', 'constructor: b') +
        'Nonsense\r\n\r\n' +
        event('close', 'error: x'),
    );
    for (const events of [first, second]) {
      expect((await events.next()).value?.get('State')).toBe('✓');
      expect((await events.next()).value?.entries).toEqual([
        ['Event', 'constructor'],
        ['__proto__', 'a'],
        ['constructor', 'b'],
      ]);
      expect((await events.next()).value?.get('error')).toBe('x');
    }
    await ami.close();
    expect(await first.next()).toEqual({ done: true, value: undefined });
    expect(await ami.events().next()).toEqual({ done: true, value: undefined });
  });

  it('wait in the server while their consumer is slow, and an answer behind them is found all the same', async () => {
    const server = await serverOf();
    const ami = await open(server, { events: 'all' });
    const events = ami.events();
    const total = 100_000;
    const pumped = pump(server.peers[0] as Peer, total);
    await pumped.stalled();
    expect(pumped.sent()).toBeLessThan(total / 2);

    for (let id = 0; id < 3000; id += 1) {
      expect((await events.next()).value?.get('Id')).toBe(String(id));
    }
    await pumped.stalled();
    expect(pumped.sent()).toBeLessThan(total);
    // The answer stands behind all that was written so far; waiting for it must not wait for the consumer.
    expect((await ami.action('Ping')).get('Ping')).toBe('Pong');

    let id = 3000;
    while (id < total) expect((await events.next()).value?.get('Id')).toBe(String(id++));
    expect(pumped.sent()).toBe(total);
  });

  it('that nobody wants any more are dropped, and the socket is read again', async () => {
    const server = await serverOf();
    const ami = await open(server, { events: 'all' });
    const total = 100_000;
    const events = ami.events();
    const pumped = pump(server.peers[0] as Peer, total);
    await pumped.stalled();
    for await (const one of events) {
      expect(one.get('Id')).toBe('0');
      break;
    }
    await until(() => pumped.sent() === total);
    expect((await ami.action('Ping')).get('Ping')).toBe('Pong');
  });

  it('end with an error where the server vanished without a word', async () => {
    let alive = true;
    const server = await serverOf({ answer: () => (alive ? undefined : null) });
    const ami = await open(server, { events: 'all', pingIntervalMs: 10, actionTimeoutMs: 40 });
    const next = errorOf(ami.events().next());
    await until(() => server.actions.filter(({ name }) => name === 'Ping').length > 2);
    alive = false;
    expect((await next).outcome).toBe('unreachable');
  });
});

/** Sends numbered events as fast as the socket takes them. */
function pump(peer: Peer, total: number): { sent: () => number; stalled: () => Promise<void> } {
  let sent = 0;
  const padding = `Padding: ${'x'.repeat(500)}`;
  const run = (): void => {
    while (sent < total) {
      const taken = peer.socket.write(event('Newchannel', `Id: ${sent}`, padding));
      sent += 1;
      if (!taken) {
        peer.socket.once('drain', run);
        return;
      }
    }
  };
  run();
  return {
    sent: () => sent,
    stalled: async () => {
      for (let last = -1; sent !== last; ) {
        last = sent;
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    },
  };
}

import { describe, expect, it } from 'vitest';
import { errorOf, until } from '../../../support/control-client.ts';
import { open, serverOf } from '../../../support/esl-client.ts';
import { event, type ReceivedCommand, reply } from '../../../support/esl-server.ts';
import type { Peer } from '../../../support/scripted-server.ts';

describe('events', () => {
  it('reach every consumer in order, whatever they hold', async () => {
    const server = await serverOf({ pieceBytes: 11 });
    const esl = await open(server);
    const [first, second] = [esl.events(), esl.events()];
    const peer = server.peers[0] as Peer;
    await peer.send(
      event('CUSTOM', { 'Event-Subclass': 'sofia::register', name: 'Ünïcode ✓\nEvent-Name: FORGED' }),
    );
    await peer.send(event('constructor', { error: 'x' }));
    for (const events of [first, second]) {
      const one = (await events.next()).value;
      expect([one?.name, one?.subclass, one?.get('name')]).toEqual([
        'CUSTOM',
        'sofia::register',
        'Ünïcode ✓\nEvent-Name: FORGED',
      ]);
      expect((await events.next()).value?.get('error')).toBe('x');
    }
    await esl.close();
    expect(await first.next()).toEqual({ done: true, value: undefined });
    expect(await esl.events().next()).toEqual({ done: true, value: undefined });
  });

  it('are asked for one by one, and CUSTOM ones by their subclasses', async () => {
    const answer = ({ line }: ReceivedCommand) =>
      line === 'event json NOTHING' ? reply('-ERR no keywords supplied') : undefined;
    const server = await serverOf({ answer });
    const esl = await open(server);
    await esl.subscribe(['CHANNEL_ANSWER', 'HEARTBEAT'], ['sofia::register', 'sofia::expire']);
    await esl.unsubscribe(['HEARTBEAT', 'BACKGROUND_JOB'], ['sofia::expire']);
    await esl.filter('Unique-ID', 'a b');
    await esl.filter('Unique-ID', 'c');
    await esl.unfilter();
    expect(server.lines.slice(1)).toEqual([
      'event json CHANNEL_ANSWER',
      'event json HEARTBEAT',
      'event json CUSTOM sofia::register sofia::expire',
      'nixevent HEARTBEAT',
      'nixevent CUSTOM sofia::expire',
      'filter Event-Name BACKGROUND_JOB',
      'filter Unique-ID a b',
      'filter Unique-ID c',
      'filter delete all',
    ]);
    expect(await errorOf(esl.subscribe(['HEARTBEAT', 'NOTHING']))).toMatchObject({
      command: 'event',
      reply: '-ERR no keywords supplied',
    });
    for (const attempt of [() => esl.unsubscribe(['ALL']), () => esl.filter('delete', 'x')])
      expect((await errorOf(attempt())).outcome).toBe('invalid');
  });

  it('wait in the server while their consumer is slow, and an answer behind them is found all the same', async () => {
    const server = await serverOf();
    const esl = await open(server);
    const events = esl.events();
    const total = 30_000;
    const pumped = pump(server.peers[0] as Peer, total);
    await pumped.stalled();
    expect(pumped.sent()).toBeLessThan(total / 2);

    for (let id = 0; id < 1500; id += 1) expect((await events.next()).value?.get('Id')).toBe(String(id));
    await pumped.stalled();
    expect(pumped.sent()).toBeLessThan(total);
    // The answer stands behind all that was written so far; waiting for it must not wait for the consumer.
    expect(await esl.api('echo here')).toBe('here');
    expect(await esl.background('echo there')).toBe('there');

    let id = 1500;
    while (id < total) expect((await events.next()).value?.get('Id')).toBe(String(id++));
    expect(pumped.sent()).toBe(total);
  });

  it('that nobody wants any more are dropped, and the socket is read again', async () => {
    const server = await serverOf();
    const esl = await open(server);
    const total = 30_000;
    const events = esl.events();
    const pumped = pump(server.peers[0] as Peer, total);
    await pumped.stalled();
    for await (const one of events) {
      expect(one.get('Id')).toBe('0');
      break;
    }
    await until(() => pumped.sent() === total);
    expect(await esl.api('echo here')).toBe('here');
  });

  it('end with an error where the server vanished without a word', async () => {
    let alive = true;
    const server = await serverOf({ answer: () => (alive ? undefined : null) });
    const esl = await open(server, { pingIntervalMs: 10, commandTimeoutMs: 40 });
    const next = errorOf(esl.events().next());
    await until(() => server.lines.filter((line) => line === 'nolog').length > 2);
    alive = false;
    expect((await next).outcome).toBe('unreachable');
  });
});

/** Sends numbered events as fast as the socket takes them. */
function pump(peer: Peer, total: number): { sent: () => number; stalled: () => Promise<void> } {
  let sent = 0;
  const padding = 'x'.repeat(2000);
  const run = (): void => {
    while (sent < total) {
      const taken = peer.socket.write(event('CHANNEL_CREATE', { Id: sent, padding }));
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

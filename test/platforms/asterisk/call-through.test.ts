import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/model/secret.ts';
import { callThrough } from '../../../src/platforms/asterisk/call-through.ts';
import { defaultTimeouts } from '../../../src/platforms/asterisk/timeouts.ts';
import type { NodeCallRequest } from '../../../src/platforms/node-view.ts';
import { nodeWith } from '../../live/live-node.ts';
import { event, secretText, serverOf } from '../../support/ami-client.ts';
import { type AmiServer, message, type ReceivedAction } from '../../support/ami-server.ts';
import { errorOf, until } from '../../support/control-client.ts';
import type { Peer } from '../../support/scripted-server.ts';

const request: NodeCallRequest = {
  trunk: { id: 'acme.main', numberFormat: 'plus', techPrefix: null, did: '+15550001111' },
  country: 'US',
  number: '+15557654321',
  callerId: null,
  ringMs: 5000,
  talkMs: 0,
};

const done = (action: ReceivedAction): string => message(action, 'Response: Success');
const uniqueid = (action: ReceivedAction): string => `Uniqueid: ${action.get('ChannelId')}`;
const failure = (action: ReceivedAction): string =>
  event('OriginateResponse', 'Response: Failure', 'Reason: 0', uniqueid(action));

/** An Asterisk whose calls go as the script says. */
async function asterisk(
  call: (action: ReceivedAction, peer: Peer) => string | null,
  hangUp: (action: ReceivedAction, calls: ReceivedAction) => string = done,
): Promise<AmiServer> {
  let made: ReceivedAction | undefined;
  return serverOf({
    answer: (action, peer) => {
      if (action.name === 'ListCommands')
        return message(action, 'Response: Success', 'Originate: Originate a call.  (Priv: originate,all)');
      if (action.name === 'Hangup') return hangUp(action, made as ReceivedAction);
      if (action.name !== 'Originate') return undefined;
      // The first one finds out whether events arrive.
      if (action.get('Channel')?.startsWith('Local/')) return done(action) + failure(action);
      made = action;
      return call(action, peer);
    },
  });
}

const callOver = (server: AmiServer, more: Partial<NodeCallRequest> = {}, signal?: AbortSignal) => {
  const node = nodeWith({
    ami: `${server.host}:${server.port}`,
    amiUser: 'sipctl',
    amiSecret: new Secret(secretText),
  });
  return callThrough(node, defaultTimeouts, { ...request, ...more }, signal);
};

describe('a call over a trunk of Asterisk', () => {
  it('is told from those of others', async () => {
    const server = await asterisk((action) =>
      [
        done(action),
        event('Newchannel', uniqueid(action)),
        event('Newstate', 'ChannelStateDesc: Up', 'Uniqueid: 1795234308.0'),
        event('Hangup', 'Cause: 34', 'Cause-txt: Congestion', 'TechCause: 503', 'Uniqueid: 1795234308.0'),
        event('HangupRequest', 'Cause: 17', 'TechCause: 486', uniqueid(action)),
        event('Hangup', 'Cause: 17', 'Cause-txt: User busy', 'TechCause: 486', uniqueid(action)),
      ].join(''),
    );
    expect(await callOver(server)).toMatchObject({
      ...{ outcome: 'refused', answered: false, answeredMs: null, ringingMs: null, endedBy: 'carrier' },
      ...{ sipStatus: 486, cause: 17, causeText: 'User busy', codec: null },
    });
    expect(server.actions.find(({ name, get }) => name === 'Originate' && get('CallerID'))?.headers).toEqual(
      expect.arrayContaining([
        ['Channel', 'PJSIP/+15557654321@acme.main'],
        ['CallerID', '<+15550001111>'],
      ]),
    );
  });

  it('has no status of the carrier where Asterisk made one up', async () => {
    const server = await asterisk((action) =>
      [
        done(action),
        event('Newchannel', uniqueid(action)),
        event('DialState', 'DialStatus: RINGING', `Dest${uniqueid(action)}`),
        failure(action),
        event(
          'Hangup',
          'Cause: 19',
          'Cause-txt: User alerting, no answer',
          'TechCause: 480',
          uniqueid(action),
        ),
      ].join(''),
    );
    expect(await callOver(server)).toMatchObject({
      ...{ outcome: 'unanswered', ringing: true, endedBy: 'pbx', sipStatus: null, cause: 19 },
    });
  });

  it('is silence where Asterisk itself gives up waiting for any answer', async () => {
    const server = await asterisk((action) =>
      [
        done(action),
        event('Newchannel', uniqueid(action)),
        event('HangupRequest', 'Cause: 18', uniqueid(action)),
        event('Hangup', 'Cause: 18', 'Cause-txt: No user responding', uniqueid(action)),
      ].join(''),
    );
    expect(await callOver(server)).toMatchObject({ outcome: 'unanswered', cause: 18 });
  });

  it('is not taken for unsent where its failure is told before its channel', async () => {
    const server = await asterisk((action) =>
      [
        done(action),
        failure(action),
        event('Newchannel', uniqueid(action)),
        event('HangupRequest', 'Cause: 1', 'TechCause: 404', uniqueid(action)),
        event('Hangup', 'Cause: 1', 'Cause-txt: Unallocated', 'TechCause: 404', uniqueid(action)),
      ].join(''),
    );
    expect(await callOver(server)).toMatchObject({ outcome: 'refused', sipStatus: 404 });
  });

  it('is hung up again and again, until it is over', async () => {
    let asked = 0;
    const server = await asterisk(
      (action) => done(action),
      (action, call) => {
        asked += 1;
        // The channel is made by a thread of its own.
        if (asked < 3) return message(action, 'Response: Error', 'Message: No such channel');
        return (
          done(action) + event('Newchannel', uniqueid(call)) + event('Hangup', 'Cause: 0', uniqueid(call))
        );
      },
    );
    const abort = new AbortController();
    const error = errorOf(callOver(server, {}, abort.signal));
    await until(() => server.actions.filter(({ name }) => name === 'Originate').length === 2);
    abort.abort();
    expect((await error).outcome).toBe('interrupted');
    expect(asked).toBe(3);
  });

  it('fails where the connection is lost in the middle of it', async () => {
    const server = await asterisk((action, peer) => {
      void peer.send(done(action) + event('Newchannel', uniqueid(action))).then(() => peer.reset());
      return null;
    });
    expect((await errorOf(callOver(server))).outcome).toBe('unreachable');
  });

  it('fails where Asterisk does not take the order', async () => {
    const server = await asterisk((action) =>
      message(action, 'Response: Error', 'Message: Originate Access Forbidden: app or data blacklisted'),
    );
    expect((await errorOf(callOver(server))).message).toContain('Access Forbidden');
  });

  it.each(['+1555;1', '1@evil', 'a/b', '', `1${'2'.repeat(70)}`])('is not made to %j', async (number) => {
    const server = await asterisk(done);
    const error = await errorOf(callOver(server, { number }));
    expect(error.outcome).toBe('invalid');
    expect(error.problems[0]).toMatchObject({ field: 'number' });
    expect(server.actions).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/model/secret.ts';
import { callThrough } from '../../../src/platforms/freeswitch/call-through.ts';
import { defaultTimeouts } from '../../../src/platforms/freeswitch/timeouts.ts';
import type { NodeCallRequest } from '../../../src/platforms/node-view.ts';
import { nodeWith } from '../../live/live-node.ts';
import { errorOf, until } from '../../support/control-client.ts';
import { serverOf } from '../../support/esl-client.ts';
import { type EslServer, event, jobEnd, printed, reply } from '../../support/esl-server.ts';
import type { Peer } from '../../support/scripted-server.ts';

const request: NodeCallRequest = {
  trunk: { id: 'acme.main', numberFormat: 'digits', techPrefix: '7', did: null },
  country: 'US',
  number: '+15557654321',
  callerId: '+15550001111',
  ringMs: 5000,
  talkMs: 0,
};

interface Started {
  uuid: string;
  peer: Peer;
  /** The end of the command. */
  printed(text: string): Buffer;
}

/** A FreeSWITCH whose calls go as the script says. */
async function freeSwitch(
  call: (started: Started) => readonly Buffer[],
  kill: (uuid: string) => readonly Buffer[] = () => [printed('+OK\n')],
): Promise<EslServer> {
  return serverOf({
    answer: ({ line, headers }, peer) => {
      const job = headers['Job-UUID'];
      const killed = /^api uuid_kill (\S+)/.exec(line)?.[1];
      if (killed !== undefined) return Buffer.concat(kill(killed));
      const uuid = /origination_uuid=([^,}]+)/.exec(line)?.[1];
      if (uuid === undefined) return undefined;
      const started = Buffer.from(reply(`+OK Job-UUID: ${job}`, `Job-UUID: ${job}`));
      return Buffer.concat([started, ...call({ uuid, peer, printed: (text) => jobEnd(job, text) })]);
    },
  });
}

const of = (name: string, uuid: string, headers: Readonly<Record<string, string>> = {}): Buffer =>
  event(name, { 'Unique-ID': uuid, ...headers });

const callOver = (server: EslServer, signal?: AbortSignal) => {
  const esl = { esl: `${server.host}:${server.port}`, eslPassword: new Secret('s3cret') };
  return callThrough(nodeWith({ kind: 'freeswitch', ...esl }), defaultTimeouts, request, signal);
};

describe('a call over a gateway of FreeSWITCH', () => {
  it('is told from those of others, and ends with its last event', async () => {
    const server = await freeSwitch(({ uuid, printed: end }) => [
      of('CHANNEL_CREATE', uuid),
      of('CHANNEL_ANSWER', 'somebody-else'),
      end('-ERR USER_BUSY\n'),
      of('CHANNEL_HANGUP_COMPLETE', uuid, {
        'Hangup-Cause': 'USER_BUSY',
        variable_hangup_cause_q850: '17',
        variable_sip_term_status: '486',
        variable_sip_hangup_disposition: 'recv_refuse',
      }),
    ]);
    expect(await callOver(server)).toMatchObject({
      ...{ outcome: 'refused', answered: false, endedBy: 'carrier', number: '715557654321' },
      ...{ callerId: '15550001111', sipStatus: 486, cause: 17, causeText: 'USER_BUSY' },
    });
    const line = server.lines.find((one) => one.startsWith('bgapi originate')) ?? '';
    expect(line).toContain('origination_caller_id_number=15550001111');
    expect(line).toMatch(/\}sofia\/gateway\/acme\.main\/715557654321 &park\(\)$/);
  });

  it('has no status where it was FreeSWITCH that gave up', async () => {
    const server = await freeSwitch(({ uuid, printed: end }) => [
      of('CHANNEL_CREATE', uuid),
      of('CHANNEL_PROGRESS', uuid),
      of('CHANNEL_HANGUP_COMPLETE', uuid, {
        'Hangup-Cause': 'NO_ANSWER',
        variable_hangup_cause_q850: '19',
        variable_sip_term_status: '487',
        variable_sip_hangup_disposition: 'send_cancel',
      }),
      end('-ERR NO_ANSWER\n'),
    ]);
    expect(await callOver(server)).toMatchObject({
      ...{ outcome: 'unanswered', ringing: true, sipStatus: null, endedBy: 'pbx', cause: 19 },
    });
  });

  it('is not sent over a gateway that is down', async () => {
    const server = await freeSwitch(({ printed: end }) => [end('-ERR GATEWAY_DOWN\n')]);
    expect(await callOver(server)).toMatchObject({
      ...{ outcome: 'not-sent', sipStatus: null, cause: null, causeText: 'GATEWAY_DOWN' },
    });
  });

  it('is hung up where it was interrupted, also before there is a channel', async () => {
    let asked = 0;
    const server = await freeSwitch(
      () => [],
      (uuid) => {
        asked += 1;
        if (asked < 3) return [printed('-ERR No such channel!\n')];
        return [of('CHANNEL_CREATE', uuid), of('CHANNEL_HANGUP_COMPLETE', uuid), printed('+OK\n')];
      },
    );
    const abort = new AbortController();
    const error = errorOf(callOver(server, abort.signal));
    await until(() => server.lines.some((line) => line.startsWith('bgapi originate')));
    abort.abort();
    expect((await error).outcome).toBe('interrupted');
    expect(asked).toBe(3);
  });

  it('fails where the connection is lost in the middle of it', async () => {
    const server = await freeSwitch(({ uuid, peer }) => {
      setTimeout(() => peer.reset(), 50);
      return [of('CHANNEL_CREATE', uuid)];
    });
    expect((await errorOf(callOver(server))).outcome).toBe('unreachable');
  });

  it('fails where FreeSWITCH says something that is no cause', async () => {
    const server = await freeSwitch(({ printed: end }) => [end('-USAGE: originate <dest>\n')]);
    expect((await errorOf(callOver(server))).outcome).toBe('failed');
  });
});

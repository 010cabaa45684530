import { describe, expect, it } from 'vitest';
import type { AmiConnection } from '../../../../src/platforms/asterisk/ami/connection.ts';
import { AmiError } from '../../../../src/platforms/asterisk/ami/failures.ts';
import { open, secretText, serverOf } from '../../../support/ami-client.ts';
import { connectPeer, flattened } from '../../../support/ami-peer.ts';
import type { AmiScript } from '../../../support/ami-server.ts';
import { recordedSession, replayed } from '../../../support/ami-session.ts';
import { ends } from '../../../support/control-client.ts';

describe.each([16, 22] as const)('a session recorded at Asterisk %i', (version) => {
  const exchanges = recordedSession(version);
  const replaying = (): AmiScript => {
    let next = 0;
    return {
      pieceBytes: 97,
      answer: (action) => {
        if (action.name !== exchanges[next]?.name) return undefined;
        const exchange = exchanges[next++] as (typeof exchanges)[number];
        return replayed(exchange, action);
      },
    };
  };

  it('is understood', async () => {
    const server = await serverOf(replaying());
    const ami = await open(server, { events: 'all' });
    const answers = new Map<string, unknown>();
    const lists = ['PJSIPShowEndpoints', 'PJSIPShowRegistrationsOutbound', 'CoreShowChannels'];
    for (const { name, fields } of exchanges) {
      const isList = lists.includes(name) || fields.Endpoint === 'carrier';
      const answer = isList ? ami.list(name, fields) : ami.action(name, fields);
      answers.set(
        Object.values({ name, ...fields })
          .slice(0, 2)
          .join(' '),
        await answer.catch((error) => error),
      );
    }
    const names = (key: string): unknown =>
      (answers.get(key) as { get(name: string): string }[]).map(
        (item) => item.get('ObjectName') ?? item.get('Event'),
      );
    expect(names('PJSIPShowEndpoints')).toEqual(['1001', 'carrier']);
    expect(names('PJSIPShowEndpoint carrier')).toEqual([
      'carrier',
      'carrier',
      'carrier',
      'ContactStatusDetail',
    ]);
    expect(names('PJSIPShowRegistrationsOutbound')).toEqual(['carrier', 'carrier']);
    expect(names('CoreShowChannels')).toEqual(['CoreShowChannel', 'CoreShowChannel']);
    expect(answers.get('Reload res_pjsip.so')).toMatchObject({ output: [] });
    expect(answers.get('PJSIPShowEndpoint nosuch')).toMatchObject({
      reply: 'Unable to retrieve endpoint nosuch',
    });
    expect(answers.get('Hangup PJSIP/none-00000000')).toMatchObject({ reply: 'No such channel' });
    expect(answers.get('Nonsense')).toMatchObject({
      reply: expect.stringContaining('Invalid/unknown command'),
    });
    expect(answers.get('Command nonsense')).toMatchObject({
      reply: expect.stringContaining('No such command'),
    });
    const { output } = answers.get('Command pjsip show registrations') as { output: string[] };
    expect(output).toHaveLength(8);
    expect(output[4]).toMatch(/^ carrier\/sip:.* Registered/);
  });

  it('is understood as asterisk-manager understands it', async () => {
    const ours = await open(await serverOf(replaying()), { events: 'all' });
    const theirs = await connectPeer(await serverOf(replaying()), 'sipctl', secretText);
    ends.push(() => theirs.close());
    const events = ours.events();
    let compared = 0;
    for (const { name, fields, received } of exchanges) {
      expect(await answerOf(ours, name, fields)).toEqual(saying(await theirs.action(name, fields)));
      const count = received.match(/(^|\n)Event: /g)?.length ?? 0;
      for (let index = 0; index < count; index += 1) {
        const event = (await events.next()).value;
        expect(flattened(event?.entries ?? [], [])).toEqual(await theirs.event());
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});

/** Our answer in the other client's form; of a refusal, the words. */
async function answerOf(ami: AmiConnection, name: string, fields: Record<string, string>): Promise<unknown> {
  try {
    const { entries, output } = await ami.action(name, fields);
    return flattened(entries, output);
  } catch (error) {
    if (error instanceof AmiError) return { refused: error.reply };
    throw error;
  }
}

/** The other client's answer; of a refusal, the words, which a command gives in its output. */
function saying(answer: Record<string, unknown>): Record<string, unknown> {
  return answer.response === 'Error' ? { refused: String(answer.output ?? answer.message).trim() } : answer;
}

import { describe, expect, it } from 'vitest';
import { ends } from '../../../support/control-client.ts';
import { open, passwordText, serverOf } from '../../../support/esl-client.ts';
import { connectPeer, type PlainEvent } from '../../../support/esl-peer.ts';
import { event, jobEnd, printed, type ReceivedCommand, reply } from '../../../support/esl-server.ts';

const texts = [
  '+OK [Success]\n',
  'no final newline',
  'Invalid Gateway!\n',
  'two\n\nparagraphs ü ✓ 🎉\n',
  '50% of it',
  'x'.repeat(100_000),
];

const answer = ({ line, headers }: ReceivedCommand) => {
  const [verb, name] = line.split(' ');
  if (verb === 'api') return printed(texts[Number(name)] ?? '');
  if (verb !== 'bgapi') return undefined;
  const id = headers['Job-UUID'];
  return Buffer.concat([
    Buffer.from(reply(`+OK Job-UUID: ${id}`, `Job-UUID: ${id}`)),
    jobEnd(id, texts[Number(name)] ?? ''),
  ]);
};

const sent: Readonly<Record<string, unknown>>[] = [
  { 'Event-Subclass': 'sofia::register', 'from-user': 'Ünïcode ✓', percent: '50% of it' },
  { 'Unique-ID': '1', list: ['a', 'b'], empty: '', quoted: '"\\\n' },
  { 'Unique-ID': '2', long: 'x'.repeat(13_000) },
];

describe.each([undefined, 1460, 7])('traffic in pieces of %s bytes', (pieceBytes) => {
  it('means the same to us and to modesl', async () => {
    const server = await serverOf({ answer, ...(pieceBytes === undefined ? {} : { pieceBytes }) });
    const esl = await open(server);
    const peer = await connectPeer(server, passwordText);
    ends.push(() => peer.close());

    for (const index of texts.keys()) {
      expect(await esl.api(`${index}`)).toBe(await peer.api(`${index}`));
      expect(await esl.background(`${index}`)).toBe(await peer.background(`${index}`));
    }

    // The ends of its own jobs reach the other one as events too.
    for (const _ of texts) await peer.event();
    const events = esl.events();
    for (const headers of sent) {
      const bytes = event('CUSTOM', headers);
      for (const { send } of server.peers) await send(bytes);
      const ours = (await events.next()).value;
      const theirs: PlainEvent = await peer.event();
      expect(ours?.names).toEqual(Object.keys(theirs.headers));
      for (const [name, value] of Object.entries(theirs.headers))
        expect(ours?.all(name)).toEqual([value].flat());
      expect(ours?.body).toBe(theirs.body);
    }
  });
});

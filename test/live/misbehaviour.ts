import { type Behaviour, reply } from './faulty-peer.ts';

const ok: Behaviour = (line, heard) => line.send(reply(heard, '200 OK'));

/** Every byte there is, three times: no text of any kind. */
const noise = Buffer.from(Array.from({ length: 768 }, (_, index) => (index * 7) % 256));

/** A reply that comes byte by byte, each after so many milliseconds. */
function drip(everyMs: number): Behaviour {
  return (line, heard) => {
    for (const [index, byte] of [...reply(heard, '200 OK')].entries()) {
      line.later(index * everyMs, () => line.send(byte));
    }
  };
}

/** What no real server can be made to do, by what it does. What is not said of REGISTER and OPTIONS holds for both. */
export const misbehaviours = {
  'says nothing': () => undefined,
  'says 100 and no more': (line, heard) => line.send(reply(heard, '100 Trying')),
  /** RFC 3261 §17.1.2.2: what is lost is sent again, half a second and one second later. */
  'loses the first two packets': (line, heard) => {
    if (heard.nth > 2) ok(line, heard);
  },
  'answers twice': (line, heard) => {
    ok(line, heard);
    ok(line, heard);
  },
  'answers in three pieces': (line, heard) => {
    const text = reply(heard, '200 OK');
    for (const [index, [from, to]] of [
      [0, 5],
      [5, 60],
      [60, text.length],
    ].entries()) {
      line.later(index * 50, () => line.send(text.slice(from, to)));
    }
  },
  drips: drip(100),
  'answers from another port': (line, heard) => line.sendFromElsewhere(reply(heard, '200 OK')),
  'answers another transaction': (line, heard) =>
    line.send(
      reply(heard, '200 OK', { via: (value) => value.replace(/branch=[^;]*/, 'branch=z9hG4bKother') }),
    ),
  'sends noise': (line) => line.send(noise),
  'sends a first line alone': (line) => line.send('SIP/2.0 200 OK\r\n\r\n'),
  'sends a status of four digits': (line, heard) =>
    line.send(reply(heard, '200 OK', { first: 'SIP/2.0 2000 OK' })),
  'says more body than it sends': (line, heard) =>
    line.send(reply(heard, '200 OK', { headers: ['Content-Type: text/plain'], length: 500, body: 'short' })),
  'speaks HTTP': (line) =>
    line.send('HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n'),
  'sends a body of 100 MB': (line, heard) => {
    line.send(reply(heard, '200 OK', { length: 100_000_000 }));
    for (let sent = 0; sent < 16; sent++) line.send('x'.repeat(65_536));
  },
  'sends a header without end': (line, heard) => {
    line.send(reply(heard, '200 OK').replace(/Content-Length[\s\S]*$/, 'X-Endless: '));
    for (let sent = 0; sent < 4; sent++) line.send('x'.repeat(65_536));
  },
  'hangs up': (line) => line.end(),
  'breaks the connection off': (line) => line.reset(),
  'keeps registrations': (line, heard) =>
    line.send(reply(heard, /^Expires: *0\s*$/im.test(heard.text) ? '500 Server Internal Error' : '200 OK')),
  /** As behind a NAT: RFC 3581 §4. */
  'sees another address': (line, heard) =>
    line.send(
      reply(heard, '200 OK', {
        via: (value) =>
          `${value.replace(/;(rport|received)(=[^;,]*)?/g, '')};received=203.0.113.9;rport=40404`,
      }),
    ),
} as const satisfies Record<string, Behaviour>;

export type Misbehaviour = keyof typeof misbehaviours;

import { createSocket, type Socket } from 'node:dgram';
import { createServer, isIPv6, type Server } from 'node:net';

/** Below the ports that the kernel gives to connections, and below those of the media of `asterisk-up`. */
const lowest = 20_000;
const amount = 12_000;

/** Ports of an address on which nobody listens, neither by TCP nor by UDP, all different. What takes them does so soon after. */
export async function freePorts(host: string, count: number): Promise<number[]> {
  const taken: { port: number; release(): Promise<void> }[] = [];
  while (taken.length < count) {
    const port = lowest + Math.floor(Math.random() * amount);
    const release = await take(host, port);
    if (release !== null) taken.push({ port, release });
  }
  await Promise.all(taken.map(({ release }) => release()));
  return taken.map(({ port }) => port);
}

/** Null where somebody has it. */
async function take(host: string, port: number): Promise<(() => Promise<void>) | null> {
  const server = createServer();
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const release = async (): Promise<void> => void (await Promise.all([closed(server), closed(socket)]));
  try {
    await Promise.all([
      listening(server, () => server.listen(port, host)),
      listening(socket, () => socket.bind(port, host)),
    ]);
    return release;
  } catch {
    await release();
    return null;
  }
}

const listening = (one: Server | Socket, begin: () => void): Promise<void> =>
  new Promise((resolve, reject) => {
    one.once('error', reject);
    one.once('listening', resolve);
    begin();
  });

// What never listened has nothing to close, and says so.
const closed = (one: Server | Socket): Promise<void> =>
  new Promise((resolve) => {
    try {
      one.close(() => resolve());
    } catch {
      resolve();
    }
  });

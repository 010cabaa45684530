import { createSocket } from 'node:dgram';

/** A line to a carrier on which every packet is under way for a while. */
export interface SlowLine {
  port: number;
  close(): void;
}

/**
 * Forwards UDP packets between one PBX and a carrier, each after `delayMs`: what is far away answers late, and a
 * reload may come first.
 */
export function startSlowLine(to: { host: string; port: number }, delayMs: number): Promise<SlowLine> {
  const [near, far] = [createSocket('udp4'), createSocket('udp4')];
  const timers = new Set<NodeJS.Timeout>();
  let pbx: { address: string; port: number } | null = null;
  const later = (work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, delayMs);
    timers.add(timer);
  };
  near.on('message', (message, from) => {
    pbx = from;
    later(() => far.send(message, to.port, to.host));
  });
  far.on('message', (message) => {
    const back = pbx;
    if (back !== null) later(() => near.send(message, back.port, back.address));
  });
  return new Promise((resolve, reject) => {
    near.once('error', reject);
    far.bind(0, to.host);
    near.bind(0, to.host, () =>
      resolve({
        port: near.address().port,
        close: () => {
          for (const timer of timers) clearTimeout(timer);
          near.close();
          far.close();
        },
      }),
    );
  });
}

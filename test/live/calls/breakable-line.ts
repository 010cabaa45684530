import { createSocket } from 'node:dgram';

/** A way to a carrier that can be cut. */
export interface BreakableLine {
  cut(): void;
  mend(): void;
  close(): void;
}

/** Forwards SIP over UDP between whoever asks at port 5060 of one address and a carrier at another; cut, all is lost. */
export async function startBreakableLine(address: string, carrier: string): Promise<BreakableLine> {
  const [near, far] = [createSocket('udp4'), createSocket('udp4')];
  let whole = true;
  let asker: { address: string; port: number } | null = null;
  near.on('message', (message, from) => {
    asker = from;
    if (whole) far.send(message, 5060, carrier);
  });
  far.on('message', (message) => {
    if (whole && asker !== null) near.send(message, asker.port, asker.address);
  });
  await new Promise<void>((resolve, reject) => {
    near.once('error', reject);
    far.bind(0, address, () => near.bind(5060, address, resolve));
  });
  return {
    cut: () => {
      whole = false;
    },
    mend: () => {
      whole = true;
    },
    close: () => {
      near.close();
      far.close();
    },
  };
}

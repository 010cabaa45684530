import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

/** A way to a carrier that can be cut. */
export interface BreakableLine {
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): void;
}

/**
 * Forwards SIP over UDP between whoever asks at port 5060 of one address and a carrier at another. Cut, all is lost in
 * silence, or nobody has the port any more, which the network tells whoever sends there.
 */
export async function startBreakableLine(
  address: string,
  carrier: string,
  whenCut: 'silent' | 'closed',
): Promise<BreakableLine> {
  const far = createSocket('udp4');
  let near: Socket | null = null;
  let whole = true;
  let asker: RemoteInfo | null = null;
  const open = async (): Promise<void> => {
    const socket = createSocket('udp4');
    socket.on('message', (message, from) => {
      asker = from;
      if (whole) far.send(message, 5060, carrier);
    });
    await bound(socket, 5060, address);
    near = socket;
  };
  far.on('message', (message) => {
    if (whole && asker !== null) near?.send(message, asker.port, asker.address);
  });
  await bound(far, 0, address);
  await open();
  const closeNear = (): Promise<void> =>
    new Promise((resolve) => {
      if (near === null) resolve();
      else near.close(resolve);
      near = null;
    });
  return {
    cut: async () => {
      whole = false;
      if (whenCut === 'closed') await closeNear();
    },
    mend: async () => {
      if (near === null) await open();
      whole = true;
    },
    close: () => {
      void closeNear();
      far.close();
    },
  };
}

const bound = (socket: Socket, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, resolve);
  });

import { createRequire } from 'node:module';
import type { AmiEntry } from '../../src/platforms/asterisk/ami/codec.ts';

type Flat = Record<string, unknown>;

interface Manager {
  on(name: string, listener: (event: Flat) => void): void;
  once(name: string, listener: () => void): void;
  connect(port: number, host: string, callback: () => void): void;
  login(callback: (error?: unknown) => void): void;
  action(fields: Flat, callback: (error: unknown, answer: Flat) => void): string;
  disconnect(callback?: () => void): void;
  options: { username: string; password: string };
}

// The package has no types.
const newManager = createRequire(import.meta.url)('asterisk-manager') as new (...none: unknown[]) => Manager;

/** An independent client, the npm package asterisk-manager, to compare with. */
export interface Peer {
  /** The answer, also where it is an error. */
  action(name: string, fields: Record<string, string>): Promise<Flat>;
  /** The next event. */
  event(): Promise<Flat>;
  close(): void;
}

/** Signs the independent client in, with a plain login: it knows no other. */
export async function connectPeer(
  { host, port }: { host: string; port: number },
  username: string,
  password: string,
): Promise<Peer> {
  const manager = new newManager();
  Object.assign(manager.options, { username, password });
  await new Promise<void>((resolve) => manager.connect(port, host, resolve));
  await new Promise<void>((resolve, reject) => {
    manager.login((error) => (error ? reject(error) : resolve()));
  });
  const events: Flat[] = [];
  const waiting: ((event: Flat) => void)[] = [];
  manager.on('managerevent', (event) => {
    const next = waiting.shift();
    if (next) next(withoutId(event));
    else events.push(withoutId(event));
  });
  return {
    action: (name, fields) =>
      new Promise((resolve, reject) => {
        const settle = (error: unknown, answer: Flat | undefined): void => {
          const flat = answer ?? error;
          if (typeof flat === 'object' && flat !== null) resolve(withoutId(flat as Flat));
          else reject(error);
        };
        manager.action({ action: name, ...fields }, settle);
      }),
    event: () => {
      const event = events.shift();
      return event ? Promise.resolve(event) : new Promise((resolve) => waiting.push(resolve));
    },
    close: () => manager.disconnect(),
  };
}

/** Our message in that client's form: lower-case names, one object, repeated headers as a list. */
export function flattened(entries: readonly AmiEntry[], output: readonly string[]): Flat {
  const flat: Record<string, string | string[]> = {};
  const lines = output.map((line): AmiEntry => ['output', line]);
  for (const [name, value] of [...entries, ...lines]) {
    const key = name.replace(/\s/g, '').toLowerCase();
    const held = flat[key];
    flat[key] = held === undefined ? value : [held, value].flat();
  }
  return withoutId(flat);
}

// Every client numbers its actions in its own way.
function withoutId({ actionid: _, ...rest }: Flat): Flat {
  return rest;
}

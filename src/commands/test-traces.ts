import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs';
import { type Outcome, SipctlError } from '../errors.ts';
import { pcapTrace } from '../sip/trace/pcap.ts';
import { type Trace, textTrace } from '../sip/trace/trace.ts';
import type { Input } from './command.ts';

/**
 * The files that `--trace` and `--pcap` name, open; a test without them is traced nowhere. A disk that fills up does not end
 * the test, which has bindings to give back: `finish` says so when it is over.
 */
export function openTraces({ options }: Input): {
  trace: Trace | undefined;
  /** @throws SipctlError `failed` where a file is not whole */
  finish: () => void;
  close: () => void;
} {
  const open: number[] = [];
  let failure: SipctlError | null = null;
  const close = (): void => {
    for (const file of open.splice(0)) closeSync(file);
  };
  const writer = (flag: 'trace' | 'pcap'): ((part: string | Uint8Array) => void) | null => {
    const name = options[flag];
    if (typeof name !== 'string') return null;
    const file = opened(flag, name);
    open.push(file);
    return (part) => {
      if (failure !== null) return;
      try {
        writeSync(file, typeof part === 'string' ? Buffer.from(part) : part);
      } catch (error) {
        failure = unwritable('failed', flag, name, error as Error);
      }
    };
  };
  const finish = (): void => {
    if (failure !== null) throw failure;
  };
  try {
    const text = writer('trace');
    const pcap = writer('pcap');
    const traces = [...(text === null ? [] : [textTrace(text)]), ...(pcap === null ? [] : [pcapTrace(pcap)])];
    return { trace: traces.length === 0 ? undefined : both(traces), finish, close };
  } catch (error) {
    close();
    throw error;
  }
}

function opened(flag: string, name: string): number {
  try {
    // Numbers and addresses of customers are in it: for nobody else's eyes, also where the file was there before.
    const file = openSync(name, 'w', 0o600);
    if (fstatSync(file).isFile()) fchmodSync(file, 0o600);
    return file;
  } catch (error) {
    throw unwritable('invalid', flag, name, error as Error);
  }
}

const both = (traces: readonly Trace[]): Trace => ({
  sent: (...message) => {
    for (const trace of traces) trace.sent(...message);
  },
  received: (...message) => {
    for (const trace of traces) trace.received(...message);
  },
});

const unwritable = (outcome: Outcome, flag: string, name: string, cause: Error): SipctlError =>
  new SipctlError(outcome, {
    code: `invalid_${flag}`,
    message: `${flag}: ${name} cannot be written: ${cause.message}`,
    field: flag,
    hint: 'name a file in a folder that is there and yours',
  });

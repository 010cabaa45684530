import { closeSync, openSync, writeSync } from 'node:fs';
import { SipctlError } from '../errors.ts';
import { pcapTrace } from '../sip/pcap.ts';
import { type Trace, textTrace } from '../sip/trace.ts';
import type { Input } from './command.ts';

/** The files that `--trace` and `--pcap` name, open; a test without them is traced nowhere. */
export function openTraces({ options }: Input): { trace: Trace | undefined; close: () => void } {
  const open: number[] = [];
  const close = (): void => {
    for (const file of open.splice(0)) closeSync(file);
  };
  const file = (flag: 'trace' | 'pcap'): number | null => {
    const name = options[flag];
    if (typeof name !== 'string') return null;
    try {
      // Numbers and addresses of customers are in it: for nobody else's eyes.
      const opened = openSync(name, 'w', 0o600);
      open.push(opened);
      return opened;
    } catch (error) {
      close();
      throw unwritable(flag, name, error as Error);
    }
  };
  const text = file('trace');
  const pcap = file('pcap');
  const traces = [
    ...(text === null ? [] : [textTrace((entry) => void writeSync(text, entry))]),
    ...(pcap === null ? [] : [pcapTrace((bytes) => void writeSync(pcap, bytes))]),
  ];
  return { trace: traces.length === 0 ? undefined : both(traces), close };
}

const both = (traces: readonly Trace[]): Trace => ({
  sent: (...message) => {
    for (const trace of traces) trace.sent(...message);
  },
  received: (...message) => {
    for (const trace of traces) trace.received(...message);
  },
});

const unwritable = (flag: string, name: string, cause: Error): SipctlError =>
  new SipctlError('invalid', {
    code: `invalid_${flag}`,
    message: `${flag}: ${name} cannot be written: ${cause.message}`,
    field: flag,
    hint: 'name a file in a folder that is there and yours',
  });

import { vi } from 'vitest';
import { type Ended, type RunOptions, type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { ScriptedPbx } from '../support/scripted-plane.ts';

/** A site of two tenants at one scripted PBX. */
export async function monitoredSite(): Promise<{ box: Sandbox; pbx: ScriptedPbx }> {
  const box = await sandbox();
  await box.ok('tenant add acme --domain acme.example --country DE --max-calls 2');
  await box.ok('tenant add beta --domain beta.example --country DE');
  for (const tenant of ['acme', 'beta'])
    await box.ok(
      `trunk add main --tenant ${tenant} --provider custom_ip --host sip.example --networks 192.0.2.1`,
    );
  await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
  await box.ok(['node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', box.dir]);
  return { box, pbx: new ScriptedPbx() };
}

/** A call from outside to ann of acme. */
export function callToAnn(pbx: ScriptedPbx, id: string): void {
  pbx.call(
    id,
    { endpoint: 'acme.main', number: '+4930111', dialled: '+4930222', account: 'acme' },
    { endpoint: 'ann@acme.example', number: '1001' },
  );
}

export interface Running {
  /** Lines of standard output so far. */
  lines(): Record<string, never>[];
  /** Waits until a line of this event came, so many times. */
  heard(event: string, times?: number): Promise<void>;
  /** As Ctrl-C does. */
  end(): Promise<Ended>;
  ended: Promise<Ended>;
}

/** A command that goes on until it is ended. */
export function start(box: Sandbox, command: string | readonly string[], options: RunOptions = {}): Running {
  const interrupt = new AbortController();
  let text = '';
  const ended = box.sipctl(command, {
    ...options,
    signal: interrupt.signal,
    onOut: (more) => {
      text += more;
    },
  });
  const lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return {
    lines,
    ended,
    heard: (event, times = 1) =>
      vi.waitFor(
        () => {
          const found = lines().filter((line) => line.event === event).length;
          if (found < times) throw new Error(`${found} of ${times} ${event}: ${text}`);
        },
        { timeout: 20_000, interval: 5 },
      ),
    end: () => {
      interrupt.abort();
      return ended;
    },
  };
}

import type { App } from '../app.ts';
import type { RunOptions } from '../pipeline/outcome.ts';

export function runOptions(app: App, more: Pick<RunOptions, 'progress' | 'recordStart'>): RunOptions {
  return { sipctl: app.version, now: app.now, holder: app.self.holder, signal: app.signal, ...more };
}

/** Says on standard error what a node or a trunk is at: with a spinner where one can turn, in lines elsewhere. */
export async function progressOf(
  app: App,
): Promise<{ show: (subject: string, stage: string) => void; end: () => void }> {
  const { terminal, config } = app;
  if (config.quiet || config.json) return { show: () => undefined, end: () => undefined };
  if (!terminal.animated)
    return { show: (subject, stage) => terminal.err(`${subject}: ${stage}\n`), end: () => undefined };
  const { default: ora } = await import('ora');
  const spinner = ora({ discardStdin: false });
  return {
    show: (subject, stage) => {
      spinner.text = `${subject}: ${stage}`;
      if (!spinner.isSpinning) spinner.start();
    },
    end: () => void spinner.stop(),
  };
}

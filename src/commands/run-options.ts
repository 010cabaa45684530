import type { App } from '../app.ts';
import type { Progress, RunOptions } from '../pipeline/outcome.ts';

export function runOptions(app: App, more: Pick<RunOptions, 'progress' | 'recordStart'>): RunOptions {
  return { sipctl: app.version, now: app.now, holder: app.self.holder, signal: app.signal, ...more };
}

/** Says on standard error what a node is at: with a spinner where one can turn, in lines elsewhere. */
export async function progressOf(app: App): Promise<{ show: Progress; end: () => void }> {
  const { terminal, config } = app;
  if (config.quiet || config.json) return { show: () => undefined, end: () => undefined };
  if (!terminal.animated)
    return { show: (node, stage) => terminal.err(`${node}: ${stage}\n`), end: () => undefined };
  const { default: ora } = await import('ora');
  const spinner = ora({ discardStdin: false });
  return {
    show: (node, stage) => {
      spinner.text = `${node}: ${stage}`;
      if (!spinner.isSpinning) spinner.start();
    },
    end: () => void spinner.stop(),
  };
}

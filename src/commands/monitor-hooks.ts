import type { App } from '../app.ts';
import type { LiveEvent } from '../model/live/events.ts';
import { type EventFilter, passes } from '../model/live/filter.ts';
import { type LiveLine, liveLine } from '../model/live/line.ts';
import type { Hook, HookSurroundings } from '../pipeline/monitor/hook.ts';
import type { Input, OptionSpec } from './command.ts';
import { webhookSecret, webhookUrl } from './monitor-input.ts';

/** What is done for every event besides showing it. */
export const hookFlags: readonly OptionSpec[] = [
  ['--exec <command>', 'run this for each event: JSON on standard input, SIPCTL_EVENT… in the environment'],
  ['--webhook <url>', 'send each event there, signed'],
  ['--webhook-secret <reference>', 'what signs it, as env:NAME or file:PATH; never the secret itself'],
  ['--webhook-secret-file <file>', 'what signs it, from a file'],
];

/** Milliseconds. */
const execTimeout = 30_000;
const webhookTimeout = 10_000;
const firstPause = 500;

/** What `--exec` and `--webhook` ask for. @throws SipctlError `invalid` */
export async function hooksOf(
  app: App,
  input: Input,
  complain: HookSurroundings['complain'],
): Promise<Hook[]> {
  const { exec, webhook: address } = input.options;
  const around = { complain, now: () => app.now().getTime() };
  const hooks: Hook[] = [];
  if (typeof exec === 'string') {
    const { execHook } = await import('../pipeline/monitor/exec.ts');
    hooks.push(execHook({ ...around, command: exec, env: app.env, timeoutMs: execTimeout }));
  }
  if (typeof address === 'string') {
    const { webhook } = await import('../pipeline/monitor/webhook.ts');
    const [url, secret] = [webhookUrl(address), webhookSecret(app, input)];
    hooks.push(webhook({ ...around, url, secret, timeoutMs: webhookTimeout, firstPauseMs: firstPause }));
  }
  return hooks;
}

/**
 * Gives an event to every hook, where it passes. What was there when the watching began is no change: it is given only
 * where it is asked for by its full name.
 */
export function hand(hooks: readonly Hook[], filter: EventFilter, event: LiveEvent, line?: LiveLine): void {
  if (hooks.length === 0 || !passes(filter, event)) return;
  if (event.event.endsWith('.present') && filter.events?.has(event.event) !== true) return;
  const told = line ?? liveLine(event);
  for (const hook of hooks) hook.take(told);
}

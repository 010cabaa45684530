import type { App } from '../app.ts';
import { applyEverything } from './apply.ts';
import type { Input, Result } from './command.ts';

/** `--apply`, or the setting that means it for every write: the change is kept, then every node is brought up to date. */
export async function applyAfterWrite(app: App, input: Input, written: Result): Promise<Result> {
  if (input.options.apply !== true && !app.config.applyWrites) return written;
  const applied = await applyEverything(app, { refresh: false, confirmed: null, nodes: [] });
  return {
    ...applied,
    changed: written.changed === true || applied.changed === true,
    data: { ...(written.data as object), apply: applied.data },
    warnings: [...(written.warnings ?? []), ...(applied.warnings ?? [])],
    text: (style) => written.text(style) + applied.text(style),
  };
}

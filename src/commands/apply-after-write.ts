import type { App } from '../app.ts';
import { applyEverything } from './apply.ts';
import type { Result } from './command.ts';

/** `--apply` on a write: the change is kept, then every node is brought up to date in the same run. */
export async function applyAfterWrite(app: App, written: Result): Promise<Result> {
  const applied = await applyEverything(app, { refresh: false, confirmed: null, nodes: [] });
  return {
    ...applied,
    changed: written.changed === true || applied.changed === true,
    data: { ...(written.data as object), apply: applied.data },
    text: (style) => written.text(style) + applied.text(style),
  };
}

import type { App } from '../app.ts';
import { checkNode } from '../model/check-node.ts';
import type { Value } from '../model/field.ts';
import type { Node } from '../model/nouns.ts';
import * as nouns from '../model/nouns.ts';
import { checks, failures } from '../report/checks.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Run } from './command.ts';
import { nounCommand } from './noun-verbs.ts';
import { refOf } from './object-ref.ts';

/** Checks the PBX's side of a node, and adds the include lines where `--write` asks for it. */
const init: Run = async (app, input) => {
  const store = await app.store();
  const ref = refOf(nouns.node, app, input);
  const node = (await store.records.get(nouns.node, ref)) as unknown as Node;
  const { target } = await app.target(node);
  const found = await target.examine({ write: input.options.write === true, signal: app.signal });
  const failed = failures(found);
  return {
    data: { node: node.name, checks: found },
    changed: found.some((check) => check.changed === true),
    text: (style) => checks(node.name, found, style),
    ...(failed.length > 0 ? { outcome: app.signal.aborted ? 'interrupted' : 'failed', errors: failed } : {}),
  };
};

async function ask(
  _app: App,
  ref: ObjectRef,
  values: Record<string, Value>,
  missing: readonly string[],
): Promise<void> {
  if (missing.length === 0) return;
  const { askForNode } = await import('./wizard.ts');
  await askForNode(ref.name, values);
}

export const nodeCommand = nounCommand({
  noun: nouns.node,
  summary: 'PBXs to provision',
  listed: ['kind', 'ssh', 'dir', 'ami', 'esl', 'tenants', 'labels'],
  examples: [
    'sipctl node add pbx1 --kind asterisk --dir /etc/asterisk --ami 127.0.0.1:5038 --ami-user sipctl --ami-secret-file ./ami.secret',
    'sipctl node add pbx2 --kind freeswitch --dir /etc/freeswitch --esl 127.0.0.1:8021 --esl-password-file ./esl.password',
    'sipctl node add pbx3 --kind asterisk --dir /etc/asterisk --ssh sipctl@pbx3.example --labels east',
    'sipctl node init pbx1 --write',
  ],
  check: checkNode,
  ask,
  more: [
    {
      name: 'init',
      summary: 'check a PBX’s include lines, rights and transports',
      args: '<name>',
      options: [['--write', 'add the include lines that are missing']],
      run: init,
    },
  ],
});

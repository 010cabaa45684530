import { SipctlError } from '../errors.ts';
import { resolveSite } from '../model/resolve.ts';
import { maskSecrets } from '../report/mask.ts';
import type { Run, VerbSpec } from './command.ts';

/** Prints a tenant's files as a node would get them: secrets masked, unless they are asked for. */
const run: Run = async (app, { args, options }) => {
  const store = await app.store();
  const [file] = args;
  const targets = await app.targets(typeof options.node === 'string' ? [options.node] : []);
  const [first] = targets;
  if (first === undefined) throw noNode();
  const tenant = app.config.tenant;
  const site = resolveSite(await store.tenantSite(tenant), await app.catalog());
  const artifacts = first.target
    .render(site)
    .filter((artifact) => file === undefined || artifact.file === file);
  if (file !== undefined && artifacts.length === 0) throw noFile(file, tenant);
  const reveal = options.reveal === true;
  if (reveal)
    await store.audit({ action: 'reveal', noun: 'render', tenant, name: file ?? 'all', detail: {} });
  const files = artifacts.map((artifact) => {
    const text = artifact.text.toString('utf8');
    return {
      tenant,
      file: artifact.file,
      objects: artifact.objects,
      text: reveal ? text : maskSecrets(text),
    };
  });
  return { data: { files, count: files.length }, text: () => files.map(({ text }) => text).join('\n') };
};

const noNode = (): SipctlError =>
  new SipctlError('notFound', {
    code: 'no_nodes',
    message: 'there is no node to render for',
    field: 'node',
    hint: 'sipctl node add pbx1 --kind asterisk --dir /etc/asterisk',
  });

const noFile = (file: string, tenant: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'no_file',
    message: `tenant '${tenant}' has nothing in '${file}'`,
    field: 'file',
    hint: 'without a file name everything is printed',
  });

export const render: VerbSpec = {
  name: 'render',
  summary: 'print what would be delivered for a tenant, secrets hidden',
  args: '[file]',
  options: [
    ['--node <name>', 'the node to render for; the first one, when not given'],
    ['--reveal', 'show secrets; leaves an audit row'],
  ],
  examples: [
    'sipctl render --tenant acme',
    'sipctl render pjsip_trunks.conf --tenant acme',
    'sipctl render directory.xml --tenant acme --node fs1',
  ],
  run,
};

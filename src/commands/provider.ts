import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SipctlError } from '../errors.ts';
import { nearest } from '../model/check.ts';
import { templateId } from '../model/rules.ts';
import { providersTable, providerText } from '../report/templates.ts';
import type { CommandSpec, Run } from './command.ts';
import { providerImport } from './provider-import.ts';

const list: Run = async (app) => {
  const providers = [...(await app.catalog()).providers.values()];
  return {
    data: {
      providers: providers.map(({ id, displayName, authTypes, registration, verified, origin }) => ({
        id,
        displayName,
        authTypes,
        registration: registration.mode,
        verified,
        origin,
      })),
      count: providers.length,
    },
    text: (style) => providersTable(providers, style),
  };
};

const show: Run = async (app, { args }) => {
  const { providers } = await app.catalog();
  const id = args[0] as string;
  const provider = providers.get(id);
  if (provider === undefined) throw noTemplate('provider', id, [...providers.keys()]);
  return { data: { provider }, text: (style) => providerText(provider, style) };
};

/** The complaint about a template that there is not. */
export function noTemplate(noun: string, id: string, known: readonly string[]): SipctlError {
  const near = nearest(id, known);
  return new SipctlError('notFound', {
    code: `${noun.replace('-', '_')}_not_found`,
    message: `there is no ${noun} '${id}'`,
    field: noun,
    hint: near === null ? `sipctl ${noun} list` : `did you mean '${near}'?`,
  });
}

const lint: Run = async (app, { args }) => {
  const files = args.filter((file): file is string => file !== undefined);
  const { lintTemplates } = await import('./lint-templates.ts');
  const found = await lintTemplates(app, files);
  const errors = found.flatMap((one) => one.errors);
  const warnings = found.flatMap((one) => one.warnings);
  return {
    data: { files: found, count: found.length },
    text: (style) =>
      found
        .map(
          ({ file, errors: wrong, warnings: doubtful }) =>
            `${style.bold(file)}: ${wrong.length > 0 ? style.bad(`${wrong.length} errors`) : style.good('good')}${doubtful.length > 0 ? `, ${doubtful.length} warnings` : ''}\n`,
        )
        .join(''),
    warnings,
    ...(errors.length > 0 ? { outcome: 'invalid' as const, errors } : {}),
  };
};

const create: Run = async (app, { args }) => {
  const id = templateId(args[0] ?? '');
  if (!id.ok)
    throw new SipctlError('invalid', {
      code: 'invalid_id',
      message: `id: ${id.message}`,
      field: 'id',
      hint: 'use a-z, 0-9 and _',
    });
  const file = join(app.config.templates, 'providers', `${id.value}.yaml`);
  if (existsSync(file))
    throw new SipctlError('conflict', {
      code: 'template_exists',
      message: `${file} exists already`,
      field: 'id',
      hint: 'edit it, then: sipctl provider lint',
    });
  const { newProviderYaml } = await import('../catalog/new-provider.ts');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, newProviderYaml(id.value, app.now().toISOString().slice(0, 10)), { flag: 'wx' });
  return {
    data: { id: id.value, file },
    changed: true,
    text: () => `${file}\nedit it, then: sipctl provider lint ${file}\n`,
  };
};

export const providerCommand: CommandSpec = {
  name: 'provider',
  summary: 'carrier templates',
  verbs: [
    { name: 'list', summary: 'list the carriers that sipctl knows', run: list },
    { name: 'show', summary: 'what a carrier needs, and where that is from', args: '<id>', run: show },
    {
      name: 'lint',
      summary: 'check template files; those of your own folder, when none is named',
      args: '[files...]',
      run: lint,
    },
    { name: 'new', summary: 'write a commented template into your own folder', args: '<id>', run: create },
    providerImport,
  ],
};

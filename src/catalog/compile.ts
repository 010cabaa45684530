import type { Problem } from '../errors.ts';
import { SipctlError } from '../errors.ts';
import type { ProviderTemplate, UserTemplate } from '../model/template.ts';
import { byId, digestOf } from './digest.ts';
import { baseName, isBase, type TemplateFile, templateFiles } from './files.ts';
import type { Base, Reading } from './read.ts';

/** The shipped templates as one JSON value: made at build, so that no run has to read YAML for them. */
export interface ShippedCatalog {
  /** In the order of ids. */
  providers: readonly ProviderTemplate[];
  users: readonly UserTemplate[];
  /** What a template of an overlay inherits. */
  bases: { provider: Base; user: Base };
  digest: string;
}

/**
 * Reads and checks `<templatesDir>/providers` and `<templatesDir>/users`, each with the base its files inherit.
 * @throws SipctlError `invalid` with every complaint about every file
 */
export async function compileShipped(templatesDir: string): Promise<ShippedCatalog> {
  const { readBase, readProvider, readUser } = await import('./read.ts');
  const [providerFiles, userFiles] = await Promise.all([
    templateFiles(templatesDir, 'providers'),
    templateFiles(templatesDir, 'users'),
  ]);
  const provider = only(readBase(baseOf(providerFiles, 'providers'), 'provider'));
  const user = only(readBase(baseOf(userFiles, 'users'), 'user'));
  const { providers, users } = templatesOf(
    providerFiles.filter((file) => !isBase(file)).map((file) => readProvider(file, provider, 'shipped')),
    userFiles.filter((file) => !isBase(file)).map((file) => readUser(file, user, 'shipped')),
  );
  const digest = digestOf(providers, users);
  return { providers: byId(providers), users: byId(users), bases: { provider, user }, digest };
}

/**
 * The templates of readings of both kinds.
 * @throws SipctlError `invalid` with the complaints of all of them
 */
export function templatesOf(
  providers: readonly Reading<ProviderTemplate>[],
  users: readonly Reading<UserTemplate>[],
  found: readonly Problem[] = [],
): { providers: ProviderTemplate[]; users: UserTemplate[] } {
  const problems = [...found, ...[...providers, ...users].flatMap((reading) => reading.problems)];
  if (problems.length > 0) throw new SipctlError('invalid', problems);
  return { providers: providers.map(only), users: users.map(only) };
}

function only<T>(reading: Reading<T>): T {
  if (reading.template === null) throw new SipctlError('invalid', reading.problems);
  return reading.template;
}

function baseOf(files: readonly TemplateFile[], kind: string): TemplateFile {
  const file = files.find(isBase);
  if (file !== undefined) return file;
  const message = `${kind}/${baseName} is missing`;
  throw new SipctlError('invalid', { code: 'missing_base', message, hint: 'restore it from the package' });
}

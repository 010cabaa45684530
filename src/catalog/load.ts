import type { Problem } from '../errors.ts';
import type { Catalog, ProviderTemplate, UserTemplate } from '../model/template.ts';
import type { ShippedCatalog } from './compile.ts';
import { byId, digestOf } from './digest.ts';
import { isBase, type TemplateFile, templateFiles } from './files.ts';

/**
 * The catalog of this run: the shipped templates, with those of the overlay folder over them, by id. The
 * parsers are loaded only where the overlay holds a file.
 * @param overlay folder with `providers/*.yaml` and `users/*.yaml`; it need not exist
 * @throws SipctlError `invalid` with every complaint about every file of the overlay
 */
export async function loadCatalog(from: { shipped: ShippedCatalog; overlay?: string }): Promise<Catalog> {
  const { shipped, overlay } = from;
  const [providerFiles, userFiles] =
    overlay === undefined
      ? [[], []]
      : await Promise.all([templateFiles(overlay, 'providers'), templateFiles(overlay, 'users')]);
  if (providerFiles.length === 0 && userFiles.length === 0) return asCatalog(shipped, shipped.digest);
  const own = await readOverlay(providerFiles, userFiles, shipped);
  const providers = laidOver(shipped.providers, own.providers);
  const users = laidOver(shipped.users, own.users);
  return asCatalog({ providers, users }, digestOf(providers, users));
}

interface Templates {
  providers: readonly ProviderTemplate[];
  users: readonly UserTemplate[];
}

async function readOverlay(
  providerFiles: readonly TemplateFile[],
  userFiles: readonly TemplateFile[],
  { bases }: ShippedCatalog,
): Promise<Templates> {
  const [{ readProvider, readUser }, { templatesOf }] = await Promise.all([
    import('./read.ts'),
    import('./compile.ts'),
  ]);
  return templatesOf(
    providerFiles.filter(isNamedWell).map((file) => readProvider(file, bases.provider, 'overlay')),
    userFiles.filter(isNamedWell).map((file) => readUser(file, bases.user, 'overlay')),
    [...providerFiles, ...userFiles].flatMap(nameProblems),
  );
}

const isNamedWell = (file: TemplateFile): boolean => nameProblems(file).length === 0;

// A file that would silently not count is worse than one that is refused.
function nameProblems(file: TemplateFile): Problem[] {
  const complaint = (message: string, hint: string): Problem[] => [
    { code: 'invalid_template', message: `${file.name}: ${message}`, field: 'id', hint },
  ];
  if (isBase(file)) {
    return complaint(
      'the base of all templates cannot be laid over',
      'set the options in the templates themselves',
    );
  }
  if (file.name.endsWith('.yml')) {
    return complaint(
      'the name does not end in .yaml',
      `rename it to ${file.name.replace(/\.yml$/, '.yaml')}`,
    );
  }
  return [];
}

function laidOver<T extends { id: string }>(shipped: readonly T[], own: readonly T[]): T[] {
  const merged = new Map([...shipped, ...own].map((template) => [template.id, template]));
  return byId([...merged.values()]);
}

function asCatalog({ providers, users }: Templates, digest: string): Catalog {
  return {
    providers: new Map(providers.map((template) => [template.id, template])),
    users: new Map(users.map((template) => [template.id, template])),
    digest,
  };
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SipctlError } from '../errors.ts';

/** A template file as text. */
export interface TemplateFile {
  /** As complaints name it, for example `providers/acme.yaml`. */
  name: string;
  text: string;
}

/** The file with what all templates of a kind inherit. */
export const baseName = '_base.yaml';

export const isBase = (file: TemplateFile): boolean => file.name.endsWith(`/${baseName}`);

/**
 * The YAML files of one folder of templates, by name; none where the folder does not exist. What an editor
 * leaves behind (`.x.yaml.swp`, `x.yaml~`) is not a template.
 * @throws SipctlError `failed` where the folder or a file cannot be read
 */
export async function templateFiles(folder: string, kind: 'providers' | 'users'): Promise<TemplateFile[]> {
  const path = join(folder, kind);
  const names = (await namesIn(path)).filter((name) => /^[^.].*\.ya?ml$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({
      name: `${kind}/${name}`,
      text: await readFile(join(path, name), 'utf8').catch((error) => refuse(join(path, name), error)),
    })),
  );
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    return refuse(path, error);
  }
}

function refuse(path: string, cause: unknown): never {
  throw new SipctlError(
    'failed',
    {
      code: 'templates_unreadable',
      message: `${path}: ${(cause as Error).message}`,
      hint: 'make the folder and its files readable for the user who runs sipctl',
    },
    { cause },
  );
}

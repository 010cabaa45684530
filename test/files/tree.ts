import { lstat, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty configuration folder that goes away with the test. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sipctl-files-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Path → kind, mode and content of everything below a folder, in the order of the paths. */
export async function tree(dir: string, under = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(join(dir, under))).sort()) {
    const path = under === '' ? name : `${under}/${name}`;
    const stat = await lstat(join(dir, path));
    const mode = (stat.mode & 0o777).toString(8);
    if (stat.isSymbolicLink()) found[path] = `-> ${await readlink(join(dir, path))}`;
    else if (stat.isDirectory()) Object.assign(found, { [path]: mode }, await tree(dir, path));
    else found[path] = `${mode} ${await readFile(join(dir, path), 'utf8')}`;
  }
  return found;
}

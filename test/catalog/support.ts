import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The templates that sipctl ships. */
export const templatesDir = fileURLToPath(new URL('../../templates', import.meta.url));

/** A folder of its own, for one test, with the given files: `providers/acme.yaml` → text. */
export async function folderOf(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sipctl-catalog-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** The smallest provider file that is right. */
export const acme = (id = 'acme'): string => `id: ${id}
display_name: Acme
docs: https://acme.example/sip
verified: 2026-10-01
auth_types: [credential]
transports: [udp]
hosts:
  - { host: sip.acme.example, region: main }
required_fields: { credential: [username, password] }
registration: { mode: required }
`;

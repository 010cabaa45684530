import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executable } from '../cli/process.ts';
import type { AsteriskInstance } from './asterisk.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The text of the code block between two markers of a page of the project. */
export function blockOf(page: string, marker: string): string {
  const text = readFileSync(join(root, page), 'utf8');
  const block = new RegExp(`<!-- ${marker} -->\\s*\`\`\`\\w*\\n([\\s\\S]*?)\\n\`\`\`\\s*<!-- /${marker} -->`);
  return block.exec(text)?.[1] ?? '';
}

/** The command lines between two markers of a page, as they stand there. */
export const commandsOf = (page: string, marker: string): string[] =>
  blockOf(page, marker)
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));

/** One line that was run, and how it ended. */
export interface Step {
  line: string;
  code: number;
  output: string;
}

/** Runs the lines one after the other in one shell, on this instance in place of the one that the page speaks of. */
export async function walkPage(
  asterisk: AsteriskInstance,
  lines: readonly string[],
  secrets: Readonly<Record<string, string>>,
): Promise<Step[]> {
  const folder = join(dirname(asterisk.etc), 'walk');
  mkdirSync(join(folder, 'bin'), { recursive: true });
  symlinkSync(executable, join(folder, 'bin/sipctl'));
  writeFileSync(join(folder, 'ami.secret'), asterisk.ami.secret, { mode: 0o600 });
  const here = (line: string): string =>
    line
      .replaceAll('/etc/asterisk', `'${asterisk.etc}'`)
      .replaceAll('127.0.0.1:5038', `${asterisk.ami.host}:${asterisk.ami.port}`);
  const script = lines.map((line) => `${here(line)}\nprintf '\\n@@%d@@\\n' "$?"`);
  const { PATH, NODE_OPTIONS } = process.env;
  const output = await bash(`set -u -o pipefail\n${script.join('\n')}\n`, folder, {
    PATH: `${join(folder, 'bin')}:${PATH}`,
    HOME: folder,
    ...(NODE_OPTIONS === undefined ? {} : { NODE_OPTIONS }),
    ...secrets,
  });
  const parts = output.split(/\n@@([0-9]+)@@\n/);
  return lines.flatMap((line, at) => {
    const [said, code] = parts.slice(at * 2, at * 2 + 2);
    return code === undefined ? [] : [{ line, code: Number(code), output: said ?? '' }];
  });
}

function bash(script: string, cwd: string, env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', `exec 2>&1\n${script}`], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
    });
    child.on('error', reject);
    child.on('close', () => resolve(said));
  });
}

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executable } from '../cli/process.ts';
import type { AsteriskInstance } from './asterisk.ts';
import type { FreeswitchInstance } from './freeswitch.ts';

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

/** Where a page is walked: a folder that is not there yet, and what stands in the place of the page's own words. */
interface Place {
  folder: string;
  words: Readonly<Record<string, string>>;
  /** Files beside the database, for example with a secret. */
  files: Readonly<Record<string, string>>;
}

/** Runs the lines one after the other in one shell, on this instance in place of the one that the page speaks of. */
export const walkPage = (
  { etc, ami }: AsteriskInstance,
  lines: readonly string[],
  secrets: Readonly<Record<string, string>>,
): Promise<Step[]> => {
  const words = { '/etc/asterisk': `'${etc}'`, '127.0.0.1:5038': `${ami.host}:${ami.port}` };
  return walk(
    { folder: join(dirname(etc), 'walk'), words, files: { 'ami.secret': ami.secret } },
    lines,
    secrets,
  );
};

/** The same, on a FreeSWITCH. */
export const walkPageOnFreeswitch = (
  { conf, esl }: FreeswitchInstance,
  lines: readonly string[],
  secrets: Readonly<Record<string, string>>,
): Promise<Step[]> => {
  const words = { '/etc/freeswitch': `'${conf}'`, '127.0.0.1:8021': `${esl.host}:${esl.port}` };
  return walk(
    { folder: join(dirname(conf), 'walk'), words, files: { 'esl.password': esl.password } },
    lines,
    secrets,
  );
};

async function walk(
  { folder, words, files }: Place,
  lines: readonly string[],
  secrets: Readonly<Record<string, string>>,
): Promise<Step[]> {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  symlinkSync(executable, join(folder, 'bin/sipctl'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const here = (line: string): string =>
    Object.entries(words).reduce((text, [word, own]) => text.replaceAll(word, own), line);
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

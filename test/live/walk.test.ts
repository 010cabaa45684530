import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { executable } from '../cli/process.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { addManagerUser, shown } from './attached.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The command lines between the README's two markers, as they stand there. */
function walkOfReadme(): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, block = ''] = /<!-- walk -->\s*```\w*\n([\s\S]*?)\n```\s*<!-- \/walk -->/.exec(readme) ?? [];
  return block.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

interface Step {
  line: string;
  code: number;
  output: string;
}

describe('the five-minute walk', () => {
  it('stands in the README', () => {
    const lines = walkOfReadme();
    expect(lines.length).toBeGreaterThan(8);
    expect(
      lines.filter((line) => /\bsipctl (?:init|plan|apply|node init)\b/.test(line)).length,
    ).toBeGreaterThan(4);
  });
});

describeAsterisk('the five-minute walk of the README', ({ start }) => {
  let asterisk: AsteriskInstance;
  let steps: Step[];

  beforeAll(async () => {
    asterisk = await start();
    // As docs/asterisk.md says.
    await addManagerUser(asterisk, 'sipctl', 'config,system');
    steps = await walk(asterisk);
  });

  it('works to the letter', () => {
    expect(steps.map(({ line }) => line)).toEqual(walkOfReadme());
    for (const { line, code, output } of steps) expect([line, code], output).toEqual([line, 0]);
  });

  it('ends with nothing to do', () => {
    const plans = steps.filter(({ line }) => line.startsWith('sipctl plan'));
    expect(plans[0]?.output).toMatch(/Plan: [0-9]+ to create, 0 to change, 0 to delete/);
    expect(plans.at(-1)?.output).toContain('Nothing to do.');
    expect(steps.find(({ line }) => line.startsWith('sipctl apply'))?.output).toContain(
      'applied and verified',
    );
  });

  it('leaves an Asterisk that knows the trunk and the users', async () => {
    const running = await shown(asterisk);
    expect([...running.endpoint.keys()].sort()).toEqual([
      'acme.telnyx_main',
      'john_doe@acme.sip.example',
      'mobile_user_1@acme.sip.example',
    ]);
    expect(running.auth.get('acme.telnyx_main')).toMatchObject({
      Username: '1234567890',
      Password: 'tel;nyx "1"',
    });
    expect(running.auth.get('mobile_user_1@acme.sip.example')?.Password).toBe('ann $HOME');
    expect(running.endpoint.get('acme.telnyx_main')).toMatchObject({
      Context: 'from-trunk',
      Allow: '(ulaw|alaw|g722)',
    });
  });

  it('prints no password', () => {
    expect(steps.map(({ output }) => output).join()).not.toMatch(/tel;nyx|ann \$HOME/);
  });
});

/** Runs the lines one after the other in one shell, on this instance in place of the one that the page speaks of. */
async function walk(asterisk: AsteriskInstance): Promise<Step[]> {
  const folder = join(dirname(asterisk.etc), 'walk');
  mkdirSync(join(folder, 'bin'), { recursive: true });
  symlinkSync(executable, join(folder, 'bin/sipctl'));
  writeFileSync(join(folder, 'ami.secret'), asterisk.ami.secret, { mode: 0o600 });
  const lines = walkOfReadme();
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
    TELNYX_PASSWORD: 'tel;nyx "1"',
    ANN_PASSWORD: 'ann $HOME',
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

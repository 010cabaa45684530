import { describe, expect, it } from 'vitest';
import type { CommandSpec } from '../../src/commands/command.ts';
import { commands } from '../../src/commands/index.ts';
import { type Cli, type Ended, newCli } from './process.ts';

/** The shortest line that calls each verb: a word for what is needed, nothing for what may be left out. */
async function everyVerb(): Promise<string[][]> {
  const lines: string[][] = [];
  for (const { name, load } of commands) {
    for (const { words, args } of verbsOf([name], await load()))
      lines.push([...words, ...(args.match(/<[^>]+>/g) ?? []).map(() => 'x1')]);
  }
  return lines;
}

function verbsOf(words: string[], spec: CommandSpec): { words: string[]; args: string }[] {
  if ('run' in spec) return [{ words, args: spec.args ?? '' }];
  return spec.verbs.flatMap((verb) => verbsOf([...words, verb.name], verb));
}

/** Runs every line, one after the other, as the next one sees what the last one did. */
async function runAll(cli: Cli, lines: readonly string[][], flags: readonly string[]): Promise<Ended[]> {
  const ended: Ended[] = [];
  for (const line of lines) ended.push(await cli.run([...line, ...flags]));
  return ended;
}

const documented = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64];
const calm = (stderr: string): boolean => !/^\s+at |has a bug/m.test(stderr);

async function expectAnswers(prepare: (cli: Cli) => Promise<unknown>): Promise<Map<string, number | null>> {
  const lines = await everyVerb();
  expect(lines.length).toBeGreaterThan(50);
  const [plainCli, jsonCli] = [newCli(), newCli()];
  await Promise.all([plainCli, jsonCli].map(prepare));
  const [plain, json] = await Promise.all([runAll(plainCli, lines, []), runAll(jsonCli, lines, ['--json'])]);
  for (const [at, line] of lines.entries()) {
    const [inWords, asData] = [plain[at] as Ended, json[at] as Ended];
    const call = line.join(' ');
    // A command that waits for somebody is ended by a signal.
    expect([call, inWords.signal, asData.signal]).toEqual([call, null, null]);
    expect([call, documented.includes(inWords.code ?? -1)]).toEqual([call, true]);
    expect([call, asData.code], asData.stdout + inWords.stderr).toEqual([call, inWords.code]);
    expect([call, calm(inWords.stderr), calm(asData.stderr)]).toEqual([call, true, true]);
    expect([call, (inWords.stdout + inWords.stderr + asData.stdout).includes('\u001b')]).toEqual([
      call,
      false,
    ]);
    expectOneDocument(call, asData);
  }
  return new Map(lines.map((line, at) => [line.join(' '), plain[at]?.code ?? null]));
}

function expectOneDocument(call: string, { stdout, code }: Ended): void {
  // JSON.parse takes exactly one document.
  const document = JSON.parse(stdout) as {
    schema: string;
    ok: boolean;
    errors: { code: string; message: string }[];
  };
  expect([call, document.schema, stdout.endsWith('\n')]).toEqual([call, 'sipctl/v1', true]);
  expect([call, document.ok, document.errors.length > 0]).toEqual([
    call,
    code === 0 || code === 2,
    code !== 0 && code !== 2,
  ]);
  expect(Object.keys(document)).toEqual(['schema', 'ok', 'changed', 'data', 'warnings', 'errors']);
}

describe('every verb, with nobody to ask', () => {
  it('answers where there is no database', async () => {
    const codes = await expectAnswers(async () => undefined);
    expect(codes.get('init')).toBe(0);
  }, 300_000);

  it('answers where there is one', async () => {
    const codes = await expectAnswers(async (cli) => {
      await cli.ok('init');
      await cli.ok(['node', 'add', 'pbx', '--kind', 'asterisk', '--dir', cli.dir]);
      await cli.ok('user add ann --extension 101 --generate-password');
    });
    expect(codes.get('user list')).toBe(0);
    expect(codes.get('plan')).toBe(0);
    expect([codes.get('apply'), codes.get('user remove x1')]).toEqual([4, 5]);
  }, 300_000);
});

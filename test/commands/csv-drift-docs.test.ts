import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from '../../src/commands/parse.ts';

const commandsOf = (page: string): string[] => {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split('\n').filter((line) => line.startsWith('sipctl ')));
};

describe.each(['csv.md', 'drift.md'])('docs/%s', (page) => {
  it.each(commandsOf(page))('shows a command that there is: %s', async (line) => {
    const [, ...argv] = line.replace(/ > .*$/, '').split(' ');
    expect((await parse(argv, '0.0.0')).help).toBeNull();
  });
});

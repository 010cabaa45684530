import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compileShipped } from '../src/catalog/compile.ts';
import { firstHelp } from '../src/commands/parse.ts';
import { exitCodes } from '../src/errors.ts';

const readme = fileURLToPath(new URL('../README.md', import.meta.url));
const templates = fileURLToPath(new URL('../templates', import.meta.url));

/** The blocks of the README that are made from the sources. `UPDATE_GOLDEN=1` writes them anew. */
const blocks: Record<string, () => Promise<string>> = {
  usage: async () => `\`\`\`text\n${(await firstHelp('0')).trimEnd()}\n\`\`\``,
  'exit-codes': async () =>
    table(
      ['code', 'meaning'],
      Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]),
    ),
  providers: async () => {
    const { providers } = await compileShipped(templates);
    const rows = providers.map(({ id, displayName, authTypes, registration }) => [
      `\`${id}\``,
      displayName,
      authTypes.join(', '),
      registration.mode,
    ]);
    return table(['id', 'carrier', 'authentication', 'registers'], rows);
  },
};

const table = (titles: string[], rows: string[][]): string =>
  [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

it.each(Object.keys(blocks))('the README’s %s are those of the sources', async (name) => {
  const made = await (blocks[name] as () => Promise<string>)();
  const text = readFileSync(readme, 'utf8');
  const block = new RegExp(`(<!-- ${name} -->\n)([\\s\\S]*?)(<!-- /${name} -->)`);
  if (process.env.UPDATE_GOLDEN === '1')
    writeFileSync(
      readme,
      text.replace(block, (_, open, __, close) => `${open}${made}\n${close}`),
    );
  else expect(block.exec(text)?.[2]).toBe(`${made}\n`);
});

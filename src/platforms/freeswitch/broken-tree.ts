import { readFile } from 'node:fs/promises';
import { SipctlError } from '../../errors.ts';
import { globalVariable } from './esl/commands.ts';
import { EslError } from './esl/failures.ts';
import type { Ask } from './esl/replies.ts';

/**
 * Runs a reload. Where FreeSWITCH cannot parse its files it counts the lines of all of them in one; which element is the
 * fault's is then said by that text, of which nothing but a name is repeated: every password is in it.
 * @throws SipctlError
 */
export async function reloading(ask: Ask, reload: () => Promise<void>): Promise<void> {
  try {
    await reload();
  } catch (error) {
    if (!(error instanceof EslError)) throw error;
    const [, line, fault] = /\[\[error near line (\d+)\]: ([^\]]*)\]/.exec(error.reply) ?? [];
    if (line === undefined || fault === undefined) throw error;
    throw await unparsable(ask, Number(line), fault);
  }
}

async function unparsable(ask: Ask, line: number, fault: string): Promise<SipctlError> {
  const path = `${(await globalVariable(ask, 'log_dir'))?.trim() ?? ''}/freeswitch.xml.fsxml`;
  const text = await readFile(path, 'latin1').catch(() => null);
  const open = text === null ? [] : unclosed(text);
  const where = open.length === 0 ? '' : `; not closed: ${open.join(' in ')}`;
  return new SipctlError('failed', {
    code: 'unparsable',
    message:
      `FreeSWITCH cannot parse its files and keeps what it has; restarted, it would not start: ${fault}, near line ` +
      `${line} of all files in one${where}`,
    hint: `look into ${path} near that line, and correct the file it comes from; fs_cli -x reloadxml says when it is right`,
  });
}

const markup =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[[\s\S]*?\]\]>|<(\/?)([A-Za-z][\w:.-]*)((?:"[^"]*"|'[^']*'|[^<>"'])*?)(\/?)>/g;

/** What this many elements around a fault are called tells which file it is in. */
const shown = 2;

/** The innermost elements that are open where the first end tag is not theirs, or at the end: tags and names only. */
export function unclosed(text: string): string[] {
  const open: { tag: string; start: string }[] = [];
  for (const [, ends, tag, attributes = '', isEmpty] of text.matchAll(markup)) {
    if (tag === undefined || isEmpty === '/') continue;
    if (ends === '/') {
      if (open.at(-1)?.tag !== tag) break;
      open.pop();
      continue;
    }
    const [, attribute, name] = /\b(name|id)\s*=\s*["']([^"']*)["']/.exec(attributes) ?? [];
    open.push({ tag, start: name === undefined ? `<${tag}>` : `<${tag} ${attribute}="${name}">` });
  }
  return open
    .slice(-shown)
    .reverse()
    .map(({ start }) => start);
}

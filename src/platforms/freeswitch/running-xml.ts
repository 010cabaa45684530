import { xmlLocate } from './esl/commands.ts';
import { EslError } from './esl/failures.ts';
import type { Ask } from './esl/replies.ts';
import type { Element } from './xml/element.ts';
import { parseXml } from './xml/parse.ts';

/**
 * The first element of this name in FreeSWITCH's own tree of its configuration, which is all that it ever looks at: a
 * second one of the same name might as well not be there. Null where there is none.
 * @throws EslError
 */
export async function runningElement(
  ask: Ask,
  section: 'configuration' | 'dialplan' | 'directory',
  tag: string,
  name: string,
): Promise<Element | null> {
  const text = await xmlLocate(ask, section, tag, 'name', name);
  if (text === null) return null;
  try {
    const [found] = parseXml(text);
    if (found !== undefined) return found;
  } catch {
    // Its own writing is well-formed, and the parser's words say where, not what.
  }
  throw new EslError('xml_locate', 'an answer that is no XML');
}

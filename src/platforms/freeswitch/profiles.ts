import type { Ask } from './esl/replies.ts';
import { runningElement } from './running-xml.ts';
import { attributeOf, childrenNamed, type Element } from './xml/element.ts';

/** The SIP profiles of FreeSWITCH's tree, in its order. @throws EslError */
export async function profilesInTree(ask: Ask): Promise<Element[]> {
  const sofia = await runningElement(ask, 'configuration', 'configuration', 'sofia.conf');
  if (sofia === null) return [];
  return childrenNamed(sofia, 'profiles').flatMap((all) => childrenNamed(all, 'profile'));
}

/** The `<param>`s of the `<settings>` of a profile or a module; the last one of a name counts. */
export const settingsOf = (element: Element | null): Map<string, string> =>
  new Map(
    (element === null ? [] : childrenNamed(element, 'settings'))
      .flatMap((settings) => childrenNamed(settings, 'param'))
      .map((param) => [attributeOf(param, 'name') ?? '', attributeOf(param, 'value') ?? '']),
  );

/** What FreeSWITCH takes for yes (`switch_true`). */
export const isTrue = (value: string | undefined): boolean =>
  value !== undefined && (/^(?:yes|on|true|t|enabled|active|allow)$/i.test(value) || Number(value) > 0);

export const speaksTls = (profile: Element): boolean => isTrue(settingsOf(profile).get('tls'));

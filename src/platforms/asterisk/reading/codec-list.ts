import { codecs as codecsRule } from '../../../model/rules.ts';

/**
 * The codecs of an endpoint after all its `allow` and `disallow` lines, in their order, each with its framing where
 * one is set (`ulaw:20`). `all` stands for itself: what it allows is decided by the modules that are loaded.
 */
export function codecList(lines: readonly { option: string; value: string }[]): string[] {
  let found: string[] = [];
  for (const { option, value } of lines) {
    if (option !== 'allow' && option !== 'disallow') continue;
    for (const part of value.split(/[,&|]/).map((one) => one.trim().toLowerCase())) {
      if (part === '') continue;
      const denied = part.startsWith('!') !== (option === 'disallow');
      const codec = part.replace(/^!/, '');
      const name = codec.replace(/:.*$/, '');
      if (name === 'all') found = denied ? [] : ['all'];
      else {
        const others = found.filter((one) => one.replace(/:.*$/, '') !== name);
        if (denied) found = others;
        else if (others.length === found.length) found = [...found, codec];
      }
    }
  }
  return found;
}

/** The same as a field can hold it; null where none can. */
export function codecField(lines: readonly { option: string; value: string }[]): readonly string[] | null {
  const found = codecList(lines);
  const parsed = codecsRule(found.join(','));
  return found.length > 0 && parsed.ok ? parsed.value : null;
}

/** What xterm sends for keys that are no characters; both forms of cursor keys. */
const sequences: Readonly<Record<string, string>> = {
  ...{ '[A': 'up', '[B': 'down', OA: 'up', OB: 'down', '[5~': 'pageup', '[6~': 'pagedown' },
  ...{ '[H': 'home', '[F': 'end', OH: 'home', OF: 'end', '[1~': 'home', '[4~': 'end', '[Z': 'backtab' },
};

const controls: Readonly<Record<string, string>> = {
  ...{
    '\u0003': 'ctrl-c',
    '\u001a': 'ctrl-z',
    '\u000c': 'ctrl-l',
    '\r': 'enter',
    '\n': 'enter',
    '\t': 'tab',
  },
  ...{ '\u007f': 'backspace', '\b': 'backspace', '\u0004': 'ctrl-c' },
};

const escapeKey = '\u001b';
// CSI and SS3 sequences, an escape of its own, or one character.
const pressed = new RegExp(`${escapeKey}(?:\\[[0-9;?]*[ -/]*[@-~]|O[A-Za-z])|[^]`, 'gu');

/** The keys in what a terminal sent at once: a character each, or a word such as `up`. What is unknown is left out. */
export function keysOf(text: string): string[] {
  const parts = text.match(pressed) ?? [];
  return parts.flatMap((part) => {
    if (part === escapeKey) return ['escape'];
    if (part.startsWith(escapeKey)) return sequences[part.slice(1)] ?? [];
    return controls[part] ?? (/\p{Cc}/u.test(part) ? [] : [part]);
  });
}

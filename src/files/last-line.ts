/** The last line that a program said, without what could steer a terminal; empty where it said nothing. */
export const lastLine = (said: string): string =>
  said
    .trim()
    .split(/\r?\n/)
    .at(-1)
    ?.replace(/[^\x20-\x7e]/g, '?') ?? '';

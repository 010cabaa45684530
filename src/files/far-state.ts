import { planted } from './durable.ts';
import { generationNumber } from './generation-folders.ts';
import type { HostStat } from './generations.ts';
import type { Answer } from './shell-answers.ts';

/** What a far place holds, as one request tells it. */
export interface FarState {
  current: number | null;
  verified: number | null;
  /** Complete generations, ascending. */
  list: number[];
  /** That of the generation in force, where it was sent. */
  manifest: { path: string; text: Buffer } | null;
}

/** @throws SipctlError `refused` where `current` is not ours */
export function stateIn({ lines, entries }: Answer, place: string): FarState {
  const told = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const list = told('generation').flatMap((name) => generationNumber(name) ?? []);
  const [target = ''] = told('current');
  const [verified = ''] = told('verified');
  const number = target.startsWith('generations/') ? generationNumber(target.slice(12)) : null;
  if (target !== '' && number === null) throw planted(`${place}/sipctl/current`, 'link to a generation');
  const [manifest] = entries;
  return {
    current: number !== null && list.includes(number) ? number : null,
    verified: /^[0-9]{1,15}$/.test(verified) ? Number(verified) : null,
    list: list.sort((one, other) => one - other),
    manifest: manifest?.kind === 'file' ? { path: manifest.path, text: manifest.data } : null,
  };
}

const kinds: Readonly<Record<string, HostStat['kind']>> = { '-': 'file', d: 'directory' };

/** What `ls -ld` and `test -w` say of a path; null where they say nothing. */
export function statIn([listed, writable]: readonly string[]): HostStat | null {
  const [, kind = '', bits = '', owner = '', group = ''] =
    /^(.)([rwxsStT-]{9})\S*\s+\d+\s+(\S+)\s+(\S+)\s/.exec(listed ?? '') ?? [];
  if (bits === '') return null;
  return { kind: kinds[kind] ?? 'other', owner, group, mode: modeOf(bits), writable: writable === 'w' };
}

function modeOf(bits: string): number {
  let mode = 0;
  [...bits].forEach((bit, at) => {
    if (/[rwxst]/.test(bit)) mode |= 0o400 >> at;
    if (/[sStT]/.test(bit)) mode |= [0o4000, 0o2000, 0o1000][Math.floor(at / 3)] ?? 0;
  });
  return mode;
}

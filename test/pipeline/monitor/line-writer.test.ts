import { expect, it } from 'vitest';
import { LineWriter } from '../../../src/pipeline/monitor/line-writer.ts';

/** A reader that takes what is written only when it is told to. */
function slowReader(mostWaiting: number) {
  const read: string[] = [];
  let release: (() => void) | null = null;
  const writer = new LineWriter({
    out: (text) =>
      new Promise((resolve) => {
        release = () => {
          read.push(text);
          resolve();
        };
      }),
    mostWaiting,
    droppedLine: (count) => `dropped ${count}`,
  });
  const take = async (): Promise<void> => {
    for (let turns = 0; turns < 5; turns += 1) await null;
    release?.();
    release = null;
    for (let turns = 0; turns < 5; turns += 1) await null;
  };
  return { writer, read, take };
}

it('writes what came together at once, in order', async () => {
  const { writer, read, take } = slowReader(1000);
  for (const line of ['a', 'b', 'c']) writer.write(line);
  await take();
  writer.write('d');
  const flushed = writer.flush();
  await take();
  await flushed;
  expect(read).toEqual(['a\nb\nc\n', 'd\n']);
});

it('drops what a slow reader leaves lying, and says how much where it is missing', async () => {
  const { writer, read, take } = slowReader(10);
  for (let line = 0; line < 100; line += 1) writer.write(`line ${line}`);
  await take();
  writer.write('later');
  const flushed = writer.flush();
  await take();
  await take();
  await flushed;
  expect(read.join('')).toBe('line 0\nline 1\ndropped 98\nlater\n');
});

it('says at the end what was dropped last', async () => {
  const { writer, read, take } = slowReader(1);
  for (const line of ['aa', 'bb', 'cc']) writer.write(line);
  const flushed = writer.flush();
  await take();
  await take();
  await flushed;
  expect(read.join('')).toBe('aa\ndropped 2\n');
});

it('throws what kept a line from being written', async () => {
  const writer = new LineWriter({
    out: () => Promise.reject(new Error('disk full')),
    mostWaiting: 10,
    droppedLine: String,
  });
  writer.write('a');
  await expect(writer.flush()).rejects.toThrow('disk full');
  expect(() => writer.write('b')).toThrow('disk full');
});

import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { localGenerations } from '../../../src/files/local.ts';
import { fileSystem } from '../../../src/files/operations.ts';
import { killAt } from './kill-at.ts';
import { deliver, type Site } from './sample-delivery.ts';

/*
 * A process of its own, to be killed or to race:
 *   child <dir> deliver <n> <site JSON>   one delivery, killed at its n-th change (0: never)
 *   child <dir> lock <n>                  takes the lock, killed at the n-th change on the way (0: never),
 *                                         prints `held` or the error's outcome, and holds on until its stdin ends
 *   child <dir> count <rounds>            adds 1 to the file `counter` each time it has the lock
 */
const [, , dir = '', task = '', n = '0', site = '{}'] = process.argv;
const operations = Number(n) > 0 && task !== 'count' ? killAt(fileSystem, Number(n)) : fileSystem;
const place = localGenerations(dir, { operations, now: () => new Date() });
process.umask(0o077);

const say = (word: string): boolean => process.stdout.write(`${word}\n`);
const outcomeOf = (error: unknown): string => String((error as { outcome?: string }).outcome ?? error);

if (task === 'deliver') {
  await deliver(place, JSON.parse(site) as Site).then(
    () => say('delivered'),
    (error: unknown) => {
      say(outcomeOf(error));
      process.stderr.write(String((error as Error).message));
      process.exitCode = 1;
    },
  );
} else if (task === 'lock') {
  // All racers wait for the same word, to start as near to each other as can be.
  say('ready');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  const unlock = await place.lock(`racer ${process.pid}`).catch((error: unknown) => {
    say(outcomeOf(error));
    return null;
  });
  if (unlock !== null) {
    say('held');
    await new Promise((resolve) => process.stdin.once('end', resolve));
    await unlock();
  }
  process.stdin.destroy();
} else if (task === 'count') {
  await count(Number(n));
}

async function count(rounds: number): Promise<void> {
  for (let done = 0; done < rounds; ) {
    const unlock = await place.lock(`counter ${process.pid}`).catch((error: unknown) => {
      if (outcomeOf(error) === 'conflict') return null;
      throw error;
    });
    if (unlock === null) {
      await sleep(1);
      continue;
    }
    const value = Number(await readFile(`${dir}/counter`, 'utf8'));
    await sleep(1);
    await writeFile(`${dir}/counter`, String(value + 1));
    done += 1;
    await unlock();
  }
  say('counted');
}

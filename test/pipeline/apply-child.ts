import BetterSqlite3 from 'better-sqlite3';
import { type FileOperations, fileSystem } from '../../src/files/operations.ts';
import { run } from '../../src/main.ts';
import { systemTerminal } from '../../src/terminal.ts';
import { intercept, isKillPoint } from '../support/kill/intercept.ts';
import { killAt } from '../support/kill/kill-at.ts';
import { environmentIn } from './site-environment.ts';

/*
 * sipctl in a process of its own, on the site in a folder:
 *   apply-child <dir> run 0 <argv…>       as it is
 *   apply-child <dir> file <n> <argv…>    killed at its n-th change of the file system
 *   apply-child <dir> sql <n> <argv…>     killed before its n-th statement that changes the database
 *   apply-child <dir> pause <n> <argv…>   says `paused` before its n-th change and waits for a line on stdin
 */
const [, , dir = '', how = 'run', n = '0', ...argv] = process.argv;

if (how === 'sql') killAtStatement(Number(n));
process.exitCode = await run(argv, '0.0.0-test', {
  terminal: systemTerminal(process.env),
  env: environmentIn(dir),
  home: dir,
  signal: new AbortController().signal,
  fileOperations: operations(),
});
process.stdin.destroy();

function operations(): FileOperations {
  if (how === 'file') return killAt(fileSystem, Number(n));
  if (how !== 'pause') return fileSystem;
  let count = 0;
  return intercept(fileSystem, async (call, proceed) => {
    if (isKillPoint(call) && ++count === Number(n)) {
      process.stdout.write('paused\n');
      await new Promise((resolve) => process.stdin.once('data', resolve));
    }
    return proceed();
  });
}

// BEGIN, COMMIT and everything between that is not a question.
function killAtStatement(last: number): void {
  let count = 0;
  const killing = (holder: object, method: 'exec' | 'run'): void => {
    const methods = holder as Record<string, (...args: unknown[]) => unknown>;
    const real = methods[method] as (...args: unknown[]) => unknown;
    methods[method] = function (this: unknown, ...args: unknown[]) {
      count += 1;
      if (count === last) process.kill(process.pid, 'SIGKILL');
      return real.apply(this, args);
    };
  };
  killing(BetterSqlite3.prototype, 'exec');
  killing(Object.getPrototypeOf(new BetterSqlite3(':memory:').prepare('SELECT 1')), 'run');
}

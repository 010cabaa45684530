import type { Problem } from '../../src/errors.ts';
import { sandboxIn } from '../support/run-sipctl.ts';

/** What a command line came to: its exit code, and its document. */
export interface Answer {
  code: number;
  changed: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as JSON.parse gives it
  data: any;
  errors: readonly Problem[];
}

/** sipctl on the database in one folder, with `--json`; secrets that are read from standard input are all alike. */
export interface Site {
  dir: string;
  run(...argv: string[]): Promise<Answer>;
  /** @throws Error where the command does not succeed */
  ok(...argv: string[]): Promise<Answer>;
}

export function siteIn(dir: string): Site {
  const { sipctl } = sandboxIn(dir);
  const run = async (...argv: string[]): Promise<Answer> => {
    const ended = await sipctl([...argv, '--json'], { input: 'secret-from-stdin' });
    const { changed, data, errors } = ended.json();
    return { code: ended.code, changed, data, errors };
  };
  const ok = async (...argv: string[]): Promise<Answer> => {
    const answer = await run(...argv);
    if (answer.code !== 0)
      throw new Error(`sipctl ${argv.join(' ')} ended with ${answer.code}: ${JSON.stringify(answer.errors)}`);
    return answer;
  };
  return { dir, run, ok };
}

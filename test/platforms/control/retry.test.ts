import { describe, expect, it } from 'vitest';
import { SipctlError } from '../../../src/errors.ts';
import { withRetry } from '../../../src/platforms/control/retry.ts';

const failure = (outcome: 'unreachable' | 'refused') =>
  new SipctlError(outcome, { code: 'x', message: outcome });

/** Runs `outcomes` one after the other and tells what was waited for. */
async function run(outcomes: (Error | string)[], attempts: number, random = () => 1) {
  const waits: number[] = [];
  let tried = 0;
  const attempt = async (): Promise<string> => {
    const outcome = outcomes[tried++];
    if (outcome instanceof Error) throw outcome;
    return outcome ?? 'nothing left';
  };
  const sleep = async (ms: number) => {
    waits.push(ms);
  };
  const backoff = { attempts, baseMs: 100, capMs: 350, sleep, random };
  const result = await withRetry(attempt, backoff).catch((error: Error) => error);
  return { result, waits, tried };
}

describe('withRetry', () => {
  it('tries an unreachable server again, waiting twice as long each time up to the cap', async () => {
    const gone = failure('unreachable');
    expect(await run([gone, gone, gone, gone, 'here'], 5)).toEqual({
      result: 'here',
      waits: [100, 200, 350, 350],
      tried: 5,
    });
  });

  it('waits a random part of that, so that clients do not return in step', async () => {
    const gone = failure('unreachable');
    const { waits } = await run([gone, gone, 'here'], 5, () => 0.25);
    expect(waits).toEqual([25, 50]);
  });

  it('gives the last error when the attempts are used up', async () => {
    const last = failure('unreachable');
    expect(await run([failure('unreachable'), last], 2)).toEqual({ result: last, waits: [100], tried: 2 });
  });

  it('does not repeat a refused login, nor a mistake of ours', async () => {
    const refused = failure('refused');
    expect(await run([refused, 'here'], 5)).toEqual({ result: refused, waits: [], tried: 1 });
    const bug = new TypeError('bug');
    expect(await run([bug, 'here'], 5)).toEqual({ result: bug, waits: [], tried: 1 });
  });

  it('ends when the wait is interrupted', async () => {
    const reason = new Error('interrupted');
    const sleep = async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted();
    const attempt = async () => {
      throw failure('unreachable');
    };
    const backoff = { attempts: 9, baseMs: 1, capMs: 1, sleep, random: () => 0 };
    await expect(withRetry(attempt, { ...backoff, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

import { inspect } from 'node:util';
import { afterEach } from 'vitest';
import { SipctlError } from '../../src/errors.ts';

/** What a test undoes when it is over, last things first. */
export const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The error of a promise that must fail. */
export async function errorOf(promise: Promise<unknown>): Promise<SipctlError> {
  const outcome = await promise.then(
    (value) => new Error(`no error but ${inspect(value)}`),
    (error: unknown) => error,
  );
  if (!(outcome instanceof SipctlError)) throw outcome;
  return outcome;
}

/** Every way in which an error can be printed. */
export const shown = (error: unknown): string =>
  inspect(error, { depth: 9 }) + JSON.stringify(error) + String(error);

/** Waits for a condition that must come true. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > 1000) throw new Error('this never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

import { Secret } from '../secret.ts';

const passwordLength = 16;
const lower = 'abcdefghijkmnopqrstuvwxyz';
const upper = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const digits = '23456789';

/**
 * A password that Twilio takes for a SIP user: 16 letters and digits, with at least one of each kind, and none that people
 * mistake for another. `pick` gives a number from 0 below its argument, from a source that cannot be foretold.
 */
export function generateSipPassword(pick: (below: number) => number): Secret {
  const one = (from: string): string => from.charAt(pick(from.length));
  const letters = [one(lower), one(upper), one(digits)];
  while (letters.length < passwordLength) letters.push(one(lower + upper + digits));
  // Otherwise the kinds of the first three would be known.
  for (let last = letters.length - 1; last > 0; last -= 1) {
    const other = pick(last + 1);
    [letters[last], letters[other]] = [letters[other] as string, letters[last] as string];
  }
  return new Secret(letters.join(''));
}

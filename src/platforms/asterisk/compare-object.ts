import type { AmiMessage } from './ami/codec.ts';
import { type Expectation, expectations, expectedDefault, isSecret } from './expected-values.ts';
import type { PjsipObject } from './pjsip-object.ts';

/**
 * How a running object differs from the delivered one, one sentence per option; empty where it does not. `before`
 * is the object as it was delivered last: an option that is gone from it must be back at its default, because
 * Asterisk keeps the old values of an object that it refuses.
 */
export function compareObject(
  delivered: PjsipObject,
  before: PjsipObject | null,
  shown: AmiMessage,
  version: string,
): string[] {
  const wanted = expectations(delivered, version);
  const differences: string[] = [];
  for (const expectation of wanted) {
    const found = shown.get(expectation.field);
    if (found === undefined || !expectation.agrees(found)) differences.push(difference(expectation, found));
  }
  const present = new Set([
    ...delivered.options.map(([option]) => option),
    ...wanted.map(({ option }) => option),
  ]);
  for (const old of before === null ? [] : expectations(before, version)) {
    if (present.has(old.option)) continue;
    const found = shown.get(old.field);
    const initial = expectedDefault(delivered.type, old.option, version);
    if (found === undefined || initial === null || initial.agrees(found) || !old.agrees(found)) continue;
    differences.push(
      isSecret(old.option)
        ? `${old.option} still has the value that is no longer delivered`
        : `${old.option} is still ${quoted(found)}, and is no longer delivered`,
    );
  }
  return differences;
}

function difference({ option, value }: Expectation, found: string | undefined): string {
  if (found === undefined) return `${option} is not shown`;
  if (isSecret(option)) return `${option} differs`;
  return `${option} is ${quoted(found)}, delivered ${quoted(value)}`;
}

// Words from the network, without what could disturb a terminal.
function quoted(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  if (clean === '') return 'empty';
  return `'${clean.length > 120 ? `${clean.slice(0, 120)}…` : clean}'`;
}

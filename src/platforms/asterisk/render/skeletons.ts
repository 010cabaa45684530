import type { Known } from './contexts.ts';

type Values = Readonly<Record<string, string | number>>;

/** What a block says around its values: texts[0], value of names[0], texts[1], value of names[1], … */
interface Skeleton {
  texts: readonly string[];
  names: readonly string[];
}

// Control characters, which neither a template nor a value can hold.
const mark = (at: number): string => `\u0001${at}\u0002`;
const marks = new RegExp(`${mark(0).replace('0', '(\\d+)')}`);

/**
 * The same block, several times as fast. All that a template can ask of a value is whether it is empty, so for each
 * set of empty variables Handlebars renders once, with a mark in the place of every other one; from then on the
 * values are put between the texts that were around the marks.
 */
export function withSkeletons<Context extends object>(
  block: (context: Context) => string,
  known: Known,
): (context: Context) => string {
  const names = Object.keys(known);
  // A guard is printed only, but there are two of them: one more thing to tell apart.
  const guards = names.filter((name) => known[name]?.guarded === true).map((name) => `${name}Guard`);
  const deciding = [...names.filter((name) => known[name]?.certain !== true), ...guards];
  const skeletons = new Map<number, Skeleton>();
  return (context) => {
    const values = context as Values;
    let filled = 0;
    for (const name of deciding) filled = filled * 2 + (values[name] ? 1 : 0);
    let skeleton = skeletons.get(filled);
    if (skeleton === undefined) {
      skeleton = learn((marked) => block(marked as Context), values, known);
      skeletons.set(filled, skeleton);
    }
    return join(skeleton, values);
  };
}

function learn(block: (marked: Values) => string, values: Values, known: Known): Skeleton {
  const names = Object.keys(known);
  const marked: Record<string, string | number> = { ...values };
  names.forEach((name, at) => {
    if (marked[name] || known[name]?.certain === true) marked[name] = mark(at);
  });
  const parts = block(marked).split(marks);
  return {
    texts: parts.filter((_, at) => at % 2 === 0),
    names: parts.filter((_, at) => at % 2 === 1).map((at) => names[Number(at)] as string),
  };
}

function join({ texts, names }: Skeleton, values: Values): string {
  let text = texts[0] as string;
  for (let at = 0; at < names.length; at++) {
    text += values[names[at] as string];
    text += texts[at + 1];
  }
  return text;
}

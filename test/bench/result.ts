/** One measured figure. A bench compares with a bound that is itself measured in the same run wherever it can be. */
export interface BenchResult {
  name: string;
  value: number;
  /** `x` for ratios of two measurements of one run, else a unit such as `ms`, `MB` or `rows/s`. */
  unit: string;
  /** What the figure must be; left out where it only informs. */
  target?: Target;
  /** What was compared, or the conditions. */
  note?: string;
}

export type Target = { atMost: number } | { atLeast: number };

/** What a file of this folder exports, under a name that starts with `bench`; the runner calls each alone. */
export type Bench = () => BenchResult | BenchResult[] | Promise<BenchResult | BenchResult[]>;

/** The middle one of the numbers, or the mean of the middle two. @throws RangeError for no numbers */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new RangeError('the median of nothing');
  const sorted = [...numbers].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] as number;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] as number;
  return (lower + upper) / 2;
}

/** Milliseconds that `work` takes. */
export async function elapsed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Medians, in milliseconds, of several pieces of work that are run in turn, round by round, so that a busy machine slows
 * all of them alike and their ratios stay true.
 */
export async function interleaved<Name extends string>(
  work: Record<Name, () => unknown>,
  rounds: number,
): Promise<Record<Name, number>> {
  const names = Object.keys(work) as Name[];
  const samples = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) samples.get(name)?.push(await elapsed(work[name]));
  }
  return Object.fromEntries(names.map((name) => [name, median(samples.get(name) ?? [])])) as Record<
    Name,
    number
  >;
}

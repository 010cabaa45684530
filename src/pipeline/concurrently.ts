/**
 * Works through the items, `width` at a time; the answers stand in the order of the items. After the first failure nothing
 * new is begun, and it is thrown when all that was under way has ended.
 */
export async function concurrently<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = [];
  const failures: unknown[] = [];
  const rest = items.entries();
  const lane = async (): Promise<void> => {
    for (const [at, item] of rest) {
      try {
        answers[at] = await work(item);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  return answers;
}

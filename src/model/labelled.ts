import type { Value } from './field.ts';

/** Whether an object with these labels is among those that were asked for; where no label was, every one is. */
export const isLabelled = (labels: Value | undefined, asked: unknown): boolean =>
  asked === undefined || asked === null || (Array.isArray(labels) && labels.includes(asked));

/** Comma-separated values as RFC 4180 has them, written so that a spreadsheet computes nothing of what callers chose. */

/** What a spreadsheet takes for the start of a formula; a quote before it, or several, is the guard against that. */
const guardable = /^'*[=+\-@\t\r]/;
const guarded = /^'+[=+\-@\t\r]/;

/** One line, without its end. A value that a spreadsheet would take for a formula gets a quote before it. */
export const csvLine = (values: readonly (string | number | boolean | null)[]): string =>
  values.map(cell).join(',');

function cell(value: string | number | boolean | null): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = withGuard(value);
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// A number in E.164 is no formula, and stays what it is.
const withGuard = (value: string): string =>
  guardable.test(value) && !/^\+\d+$/.test(value) ? `'${value}` : value;

/** Takes back what `csvLine` put before a value. */
export const withoutGuard = (text: string): string => (guarded.test(text) ? text.slice(1) : text);

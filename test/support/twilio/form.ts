import { invalid, Refused } from './refused.ts';

/** The fields of a request; what is read is checked by the rules of Twilio's documentation. */
export interface Form {
  has(name: string): boolean;
  /** @throws Refused where it is missing, empty or too long */
  text(name: string, longest: number, code?: number): string;
  oneOf(name: string, ...values: string[]): string;
  integer(name: string, lowest: number, highest: number): number;
  boolean(name: string): boolean;
}

export function formOf(fields: URLSearchParams): Form {
  const text: Form['text'] = (name, longest, code = 20001) => {
    const value = fields.get(name) ?? '';
    if (value === '') throw invalid(code, `Missing required parameter ${name} in the post body`);
    if (value.length > longest) throw invalid(code, `${name} is longer than ${longest} characters`);
    return value;
  };
  return {
    has: (name) => fields.has(name),
    text,
    oneOf: (name, ...values) => {
      const value = text(name, 100);
      if (values.includes(value)) return value;
      throw invalid(20001, `${name}: '${value}' is none of ${values.join(', ')}`);
    },
    integer: (name, lowest, highest) => {
      const value = text(name, 10);
      if (/^\d+$/.test(value) && Number(value) >= lowest && Number(value) <= highest) return Number(value);
      throw invalid(20001, `${name}: '${value}' is no number from ${lowest} to ${highest}`);
    },
    boolean: (name) => {
      const value = text(name, 10);
      if (value === 'true' || value === 'false') return value === 'true';
      throw new Refused(400, 20001, `${name}: '${value}' is neither true nor false`);
    },
  };
}

/** What Twilio answers to what it does not do: a status of HTTP, a code of its own, a sentence. */
export class Refused extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** The body, as Twilio writes it. */
  get body(): Record<string, unknown> {
    const { code, message, status } = this;
    return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
  }
}

export const notFound = (path: string): Refused =>
  new Refused(404, 20404, `The requested resource ${path} was not found`);

export const invalid = (code: number, message: string): Refused => new Refused(400, code, message);

export const conflict = (message: string): Refused => new Refused(409, 20409, message);

/** What LiveKit, or whatever stands in its place, said instead of doing what it was asked. */
export class TwirpRefusal extends Error {
  readonly status: number;
  /** The word of the protocol, such as `not_found`; undefined where the answer is not of the protocol. */
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined, said: string) {
    super(said);
    this.name = 'TwirpRefusal';
    this.status = status;
    this.code = code;
  }
}

export interface TwirpPlace {
  /** As the project is written: ws, wss, http or https. */
  url: string;
  /** Of one request, in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Is told of each request and what became of it; of nothing that it carries. */
  trace: ((line: string) => void) | undefined;
}

/**
 * Carries the requests of LiveKit's client. The client's own carrier cannot be interrupted, writes to standard output where
 * an answer cannot be read, and in the cloud sends a request to a second region, where it may be done a second time.
 * @see https://twitchtv.github.io/twirp/docs/spec_v7.html
 */
export class TwirpCarrier {
  readonly #place: TwirpPlace;

  constructor(place: TwirpPlace) {
    this.#place = place;
  }

  /** @throws TwirpRefusal; what `fetch` throws where there was no answer; SyntaxError where it is not JSON */
  async request(
    service: string,
    method: string,
    data: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const { url, timeoutMs, signal, trace } = this.#place;
    const deadline = AbortSignal.timeout(timeoutMs);
    const path = `/twirp/livekit.${service}/${method}`;
    const response = await fetch(new URL(path, url.replace(/^ws/, 'http')), {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(data),
      // Who is led elsewhere would take the token along.
      redirect: 'manual',
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    trace?.(`POST ${path}: ${response.status}`);
    const text = await response.text();
    if (!response.ok) throw refusalOf(response.status, text);
    return JSON.parse(text);
  }
}

function refusalOf(status: number, text: string): TwirpRefusal {
  const { code, msg } = fieldsOf(text);
  return typeof code === 'string'
    ? new TwirpRefusal(status, code, typeof msg === 'string' ? msg : code)
    : new TwirpRefusal(status, undefined, text);
}

function fieldsOf(text: string): { code?: unknown; msg?: unknown } {
  try {
    return Object(JSON.parse(text)) as object;
  } catch {
    return {};
  }
}

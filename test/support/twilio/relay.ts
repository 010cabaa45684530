import type { Json } from './answers.ts';
import type { Answer } from './route.ts';
import type { Exchange } from './server.ts';

/** Where the two hosts of Twilio are. */
export interface Upstream {
  /** For paths that begin with `/v1/`. */
  trunking: string;
  /** For all others. */
  api: string;
}

/** Twilio itself. */
export const realTwilio: Upstream = {
  trunking: 'https://trunking.twilio.com',
  api: 'https://api.twilio.com',
};

/** Asks another server in the client's name, and answers what it answers. */
export async function relay(exchange: Exchange, upstream: Upstream): Promise<Answer> {
  const { method, path, query, headers, body } = exchange;
  const host = path.startsWith('/v1/') ? upstream.trunking : upstream.api;
  const names = ['authorization', 'content-type'];
  const sent = names.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : []));
  const response = await fetch(`${host}${path}${query.size > 0 ? `?${query}` : ''}`, {
    method,
    headers: Object.fromEntries(sent),
    ...(body !== '' && { body }),
  });
  const { status } = response;
  const bytes = Buffer.from(await response.arrayBuffer());
  const type = response.headers.get('content-type') ?? '';
  if (status === 204) return { status };
  if (!type.includes('json')) return { status, bytes, type };
  return { status, body: JSON.parse(bytes.toString()) as Json };
}

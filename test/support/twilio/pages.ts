import type { Json } from './answers.ts';
import type { Exchange } from './server.ts';

/** One page of a list with the addresses of its neighbours, in the form of the API that was asked. */
export function pageOf(
  { path, query }: Pick<Exchange, 'path' | 'query'>,
  key: string,
  rows: readonly Json[],
  largest: number,
): Json {
  const size = Math.min(Number(query.get('PageSize') ?? 50), largest);
  const page = Number(query.get('Page') ?? 0);
  const address = (number: number): string => {
    const params = new URLSearchParams(query);
    params.delete('PageToken');
    params.set('PageSize', String(size));
    params.set('Page', String(number));
    // Twilio wants its token for all pages but the first.
    if (number > 0) params.set('PageToken', `PT${number}`);
    return `${path}?${params}`;
  };
  const start = page * size;
  const shown = rows.slice(start, start + size);
  const next = start + size < rows.length ? address(page + 1) : null;
  const previous = page > 0 ? address(page - 1) : null;
  if (path.startsWith('/v1/'))
    return { meta: meta(key, page, size, { address, next, previous }), [key]: shown };
  return {
    [key]: shown,
    page,
    page_size: size,
    start,
    end: start + Math.max(shown.length - 1, 0),
    first_page_uri: address(0),
    next_page_uri: next,
    previous_page_uri: previous,
    uri: address(page),
  };
}

interface Addresses {
  address: (page: number) => string;
  next: string | null;
  previous: string | null;
}

function meta(key: string, page: number, size: number, { address, next, previous }: Addresses): Json {
  const whole = (path: string | null): string | null =>
    path === null ? null : `https://trunking.twilio.com${path}`;
  return {
    key,
    page,
    page_size: size,
    first_page_url: whole(address(0)),
    next_page_url: whole(next),
    previous_page_url: whole(previous),
    url: whole(address(page)),
  };
}

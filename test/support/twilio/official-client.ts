import twilio from 'twilio';
import type { TwilioServer } from './server.ts';

/**
 * Twilio's own client, led to a server on this machine: an independent opinion on how Twilio is talked to.
 * @param headers go with each of its requests
 */
export function officialClient(
  { url, account }: Pick<TwilioServer, 'url' | 'account'>,
  headers: Readonly<Record<string, string>> = {},
): twilio.Twilio {
  const httpClient = new twilio.RequestClient({ timeout: 5_000 });
  const send = httpClient.request.bind(httpClient);
  httpClient.request = (options) => {
    const { pathname, search } = new URL(options.uri);
    return send({
      ...options,
      headers: { ...options.headers, ...headers },
      uri: `${url}${pathname}${search}`,
    });
  };
  return twilio(account.sid, account.authToken, { httpClient });
}

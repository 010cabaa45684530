import twilio from 'twilio';
import type { TwilioServer } from './server.ts';

/** Twilio's own client, led to a server on this machine: an independent opinion on how Twilio is talked to. */
export function officialClient({ url, account }: Pick<TwilioServer, 'url' | 'account'>): twilio.Twilio {
  const httpClient = new twilio.RequestClient({ timeout: 5_000 });
  const send = httpClient.request.bind(httpClient);
  httpClient.request = (options) => {
    const { pathname, search } = new URL(options.uri);
    return send({ ...options, uri: `${url}${pathname}${search}` });
  };
  return twilio(account.sid, account.authToken, { httpClient });
}

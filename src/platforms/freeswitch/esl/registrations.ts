import { EslError } from './failures.ts';
import { type Ask, flatXml, run, word } from './replies.ts';

/** A phone that is registered at a SIP profile. */
export interface RegisteredPhone {
  /** `user@domain`. */
  user: string;
  /** The Contact header as FreeSWITCH keeps it. */
  contact: string;
  userAgent: string;
  /** Seconds, beyond the granted time by what FreeSWITCH waits for a late renewal. */
  expiresInSeconds: number | null;
  /** `Reachable` also of a phone that is never asked. */
  pingStatus: string;
  /** Milliseconds; 0: no answer was measured. */
  pingMs: number;
}

/** The phones of a user at a profile. @throws EslError */
export async function registeredPhones(ask: Ask, profile: string, user: string): Promise<RegisteredPhone[]> {
  const about = ['profile', word('profile', profile), 'user', word('user', user)];
  const reply = await run(ask, 'sofia', 'xmlstatus', ...about);
  if (!reply.includes('<registrations>')) throw new EslError('sofia', reply);
  return reply
    .split('<registration>')
    .slice(1)
    .map((text) => {
      const all = flatXml(text);
      const get = (name: string): string => all.get(name) ?? '';
      const seconds = /\bexpsecs\((-?\d+)\)/.exec(get('status'))?.[1];
      return {
        ...{ user: get('user'), contact: get('contact'), userAgent: get('agent') },
        expiresInSeconds: seconds === undefined ? null : Math.max(0, Number(seconds)),
        ...{ pingStatus: get('ping-status'), pingMs: Number(get('ping-time') || 0) },
      };
    });
}

/** Makes a gateway register at once; false where there is none. What comes of it is an event. @throws EslError */
export async function registerGateway(ask: Ask, profile: string, gateway: string): Promise<boolean> {
  const names = [word('profile', profile), 'register', word('gateway', gateway)];
  const reply = await run(ask, 'sofia', 'profile', ...names);
  if (/^Invalid gateway!/i.test(reply)) return false;
  if (reply !== '+OK\n') throw new EslError('sofia', reply);
  return true;
}

import { createHash } from 'node:crypto';
import type { Secret } from '../../../model/secret.ts';
import type { AmiFields, AmiMessage } from './codec.ts';
import { AmiError, type AmiFailures } from './failures.ts';

/** Who signs in, and which classes of events the session gets. */
export interface Login {
  username: string;
  secret: Secret;
  /** Event mask as manager.conf writes it (`system,call`), or `off`. */
  events: string;
}

type Act = (name: string, fields: AmiFields) => Promise<AmiMessage>;

/**
 * Signs in by challenge and MD5 digest (Asterisk's actions Challenge and Login). Where no challenge is offered the
 * secret is sent itself, but only inside TLS: otherwise whoever answers in the server's place would be told it.
 * @throws SipctlError `refused`
 */
export async function login(
  act: Act,
  failures: AmiFailures,
  { username, secret, events }: Login,
): Promise<void> {
  const challenge = await askChallenge(act, failures, username);
  const proof: AmiFields =
    challenge === null
      ? { Username: username, Secret: secret.reveal(), Events: events }
      : { AuthType: 'MD5', Username: username, Key: digest(challenge, secret), Events: events };
  try {
    await act('Login', proof);
  } catch (error) {
    throw error instanceof AmiError ? failures.loginRefused(username, error.reply) : error;
  }
}

async function askChallenge(act: Act, failures: AmiFailures, username: string): Promise<string | null> {
  let reply = 'an empty challenge';
  try {
    const challenge = (await act('Challenge', { AuthType: 'MD5' })).get('Challenge');
    if (challenge) return challenge;
  } catch (error) {
    if (!(error instanceof AmiError)) throw error;
    reply = error.reply;
  }
  if (failures.place.encrypted) return null;
  throw failures.noChallenge(username, reply);
}

const digest = (challenge: string, secret: Secret): string =>
  createHash('md5').update(challenge).update(secret.reveal()).digest('hex');

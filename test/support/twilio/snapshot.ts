import type twilio from 'twilio';

/** What an account holds, as its own API tells it; so far as a trunk of sipctl's could be concerned. */
export interface Snapshot {
  trunks: {
    sid: string;
    friendlyName: string;
    domainName: string;
    secure: boolean;
    recording: string;
    credentialLists: string[];
    originations: { friendlyName: string; sipUrl: string; enabled: boolean }[];
    numbers: string[];
  }[];
  credentialLists: { sid: string; friendlyName: string; usernames: string[] }[];
}

/** Asks for everything, past whatever stands in the way of sipctl. */
export async function snapshotOf(client: twilio.Twilio): Promise<Snapshot> {
  const { trunks } = client.trunking.v1;
  const { credentialLists } = client.sip;
  return {
    trunks: await Promise.all(
      (await trunks.list()).map(async ({ sid, friendlyName, domainName, secure }) => {
        const of = trunks(sid);
        return {
          ...{ sid, friendlyName, domainName, secure },
          recording: (await of.recordings().fetch()).mode,
          credentialLists: (await of.credentialsLists.list()).map((one) => one.sid),
          originations: (await of.originationUrls.list()).map((one) => ({
            ...{ friendlyName: one.friendlyName, sipUrl: one.sipUrl, enabled: one.enabled },
          })),
          numbers: (await of.phoneNumbers.list()).map(({ phoneNumber }) => phoneNumber),
        };
      }),
    ),
    credentialLists: await Promise.all(
      (await credentialLists.list()).map(async ({ sid, friendlyName }) => ({
        ...{ sid, friendlyName },
        usernames: (await credentialLists(sid).credentials.list()).map(({ username }) => username),
      })),
    ),
  };
}

/** What came since, and what was there as it is now. */
export function since(before: Snapshot, now: Snapshot): { made: Snapshot; before: Snapshot } {
  const known = new Set([...before.trunks, ...before.credentialLists].map(({ sid }) => sid));
  const part = (isKnown: boolean): Snapshot => ({
    trunks: now.trunks.filter(({ sid }) => known.has(sid) === isKnown),
    credentialLists: now.credentialLists.filter(({ sid }) => known.has(sid) === isKnown),
  });
  return { made: part(false), before: part(true) };
}

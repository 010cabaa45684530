import * as calls from './call-nouns.ts';
import type { Noun } from './field.ts';
import * as nouns from './nouns.ts';
import * as services from './service-nouns.ts';

/** Every kind of object that sipctl keeps, as the first help page orders them. */
export const everyNoun: readonly Noun[] = [
  nouns.tenant,
  nouns.trunk,
  nouns.user,
  nouns.number,
  calls.group,
  calls.ivr,
  calls.conference,
  calls.schedule,
  calls.route,
  calls.emergency,
  nouns.node,
  services.twilioAccount,
  services.twilioTrunk,
  services.twilioOrigination,
  services.livekit,
];

/** The noun of this name. @throws TypeError where there is none: names come from nouns, not from people */
export function nounNamed(name: string): Noun {
  const noun = everyNoun.find((one) => one.name === name);
  if (noun === undefined) throw new TypeError(`there is no noun '${name}'`);
  return noun;
}

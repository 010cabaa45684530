import type { TwilioOrigination, TwilioTrunk } from '../../model/service-nouns.ts';
import { trunkDomain } from '../../model/twilio/names.ts';
import type { Resource } from '../../plan/service-plan.ts';

/** The kinds of things that a trunk consists of, in the order in which they are made. */
export const kinds = [
  'credential-list',
  'credential',
  'trunk',
  'association',
  'recording',
  'origination',
  'number',
] as const;

export type Kind = (typeof kinds)[number];

/** What the stored objects say about one trunk. */
export interface TrunkDescription {
  trunk: Pick<
    TwilioTrunk,
    'friendlyName' | 'domainPrefix' | 'sipUsername' | 'sipPassword' | 'secure' | 'recording' | 'trim'
  >;
  originations: readonly Pick<TwilioOrigination, 'name' | 'sipUrl' | 'priority' | 'weight' | 'enabled'>[];
  /** E.164, with the plus. */
  numbers: readonly string[];
}

/** Tells an origination URL from one that somebody entered in the console under a plain name. */
export const originationMark = 'sipctl-';

/** `origination livekit` is an origination. */
export const kindOf = (key: string): Kind => key.split(' ', 1)[0] as Kind;

/** All that a trunk consists of at Twilio, in the order in which it is made. */
export function trunkResources({ trunk, originations, numbers }: TrunkDescription): Resource[] {
  const { friendlyName, sipUsername: username, sipPassword: password } = trunk;
  return [
    { key: 'credential-list', name: friendlyName, values: { friendlyName } },
    { key: 'credential', name: username, values: { username }, secrets: { password } },
    {
      key: 'trunk',
      name: friendlyName,
      values: { friendlyName, domainName: trunkDomain(trunk.domainPrefix), secure: trunk.secure },
    },
    { key: 'association', name: friendlyName, values: {} },
    { key: 'recording', name: friendlyName, values: { mode: trunk.recording, trim: trunk.trim } },
    ...originations.map(originationResource),
    ...numbers.map((number) => ({ key: `number ${number}`, name: number, values: {} })),
  ];
}

function originationResource({
  name,
  sipUrl,
  priority,
  weight,
  enabled,
}: TrunkDescription['originations'][number]): Resource {
  const friendlyName = `${originationMark}${name}`;
  return {
    key: `origination ${name}`,
    name: friendlyName,
    values: { friendlyName, sipUrl, priority, weight, enabled },
  };
}

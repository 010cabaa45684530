import { createHmac } from 'node:crypto';
import type { ResolvedTrunk } from '../../../model/site.ts';
import { word } from '../words.ts';
import { contextOf } from './contexts.ts';
import {
  always,
  type Condition,
  type Context,
  condition,
  dialled,
  extension,
  hangup,
  quoted,
  transfer,
} from './dialplan.ts';
import type { Plan } from './plan.ts';
import { fromNetworks } from './public.ts';

/** A trunk whose calls come to the contact that it registers. */
type Registered = ResolvedTrunk & { password: NonNullable<ResolvedTrunk['password']> };

const isRegistered = (trunk: ResolvedTrunk): trunk is Registered =>
  trunk.inbound && trunk.registration && trunk.password !== null;

/** The context of calls that name a gateway; null: the trunk takes none. */
export const registeredContextOf = (trunk: ResolvedTrunk): string | null =>
  isRegistered(trunk) ? `t-${trunk.tenant}.registered` : null;

/**
 * A parameter of the contact that a trunk registers, which a call to it brings along (RFC 3261 §8.1.1.1, as the `line` of
 * Asterisk): the rest of the contact anybody can guess who knows the names of tenant and trunk. Only who knows the
 * trunk's password, or saw it registered, knows this. Null where nothing is registered.
 */
export const contactParameter = (trunk: ResolvedTrunk): string | null =>
  isRegistered(trunk) ? `line=${lineOf(trunk)}` : null;

const lineOf = ({ id, password }: Registered): string =>
  createHmac('sha256', password.reveal()).update(`line ${id}`).digest('hex').slice(0, 32);

/**
 * Where calls arrive that name a gateway of ours. FreeSWITCH asks no more of them than this name, and takes them from
 * everywhere: they are let in with the secret part of the contact, or from the trunk's networks.
 */
export function registered({ names }: Pick<Plan, 'names'>, trunks: readonly ResolvedTrunk[]): Context[] {
  const own = trunks.filter(isRegistered);
  if (own.length === 0) return [];
  return [
    {
      name: names.context('registered'),
      extensions: [
        ...own.flatMap((trunk) => {
          const called = condition('${SIPCTL_TRUNK}', `^${quoted(trunk.name)}$`);
          // A carrier's words, of which nothing may become a command.
          const on = dialled('^([A-Za-z0-9._+*#-]+)$', [transfer(word(contextOf(trunk)), '$1')]);
          const ways: [string, Condition][] = [
            ['at its contact', condition('${sip_req_params}', `(?:^|;)line=${lineOf(trunk)}(?:;|$)`)],
            ...(trunk.networks.length === 0
              ? []
              : [['from its networks', fromNetworks(trunk.networks)] as [string, Condition]]),
          ];
          return ways.map(([how, way]) => extension(`trunk ${word(trunk.name)}, ${how}`, [called, way, on]));
        }),
        extension('of nobody', [always(hangup(unallocated))]),
      ],
    },
  ];
}

const unallocated = 1;

import type { Problem } from '../../errors.ts';
import { type AddressRange, rangeOf } from '../../model/address-range.ts';
import type { InboundTrunk } from '../../model/inbound-trunk.ts';

/**
 * Trunks that Asterisk cannot tell apart by where a call comes from. Of identify sections with the same address exactly
 * one is used, for every call, however narrow its network is and whatever number was called: measured, Asterisk 22
 * takes the first by name, 16 one that its own hashing decides. Only a registered contact is recognised before that.
 * Nothing is said of trunks that were given one context and the same media settings: whichever is taken, the
 * dialplan can go by the called number.
 * @param isNew only sets with at least one such trunk are named
 */
export function sharedNetworks(
  trunks: readonly InboundTrunk[],
  isNew: (trunk: InboundTrunk) => boolean,
): Problem[] {
  const told = new Set<string>();
  const problems: Problem[] = [];
  for (const { network, users } of overlaps(trunks)) {
    if (users.length < 2 || users.every(({ registered }) => registered) || areAlike(users)) continue;
    const set = users.map(fullName).sort().join('\n');
    if (told.has(set) || !users.some(isNew)) continue;
    told.add(set);
    problems.push(confused(network, users, isNew));
  }
  return problems;
}

interface Overlap {
  /** The widest network of those that overlap. */
  network: string;
  users: InboundTrunk[];
}

// Two networks are disjoint, or one holds the other: in the order of their first addresses, wider ones first, those
// that overlap stand together.
function overlaps(trunks: readonly InboundTrunk[]): Overlap[] {
  const found: Overlap[] = [];
  let widest: AddressRange | null = null;
  for (const { network, range, users } of networksOf(trunks)) {
    if (widest !== null && widest.version === range.version && range.first <= widest.last) {
      const all = new Set([...(found.at(-1)?.users ?? []), ...users]);
      found[found.length - 1] = { network: found.at(-1)?.network ?? network, users: [...all] };
    } else {
      widest = range;
      found.push({ network, users });
    }
  }
  return found;
}

function networksOf(trunks: readonly InboundTrunk[]) {
  const users = new Map<string, InboundTrunk[]>();
  for (const trunk of trunks) {
    for (const network of trunk.networks) {
      const known = users.get(network);
      if (known === undefined) users.set(network, [trunk]);
      else known.push(trunk);
    }
  }
  return [...users]
    .map(([network, those]) => ({ network, users: those, range: rangeOf(network) }))
    .sort(({ range: one }, { range: other }) => {
      if (one.version !== other.version) return one.version - other.version;
      if (one.first !== other.first) return one.first < other.first ? -1 : 1;
      return one.last > other.last ? -1 : 1;
    });
}

const media = ({ codecs, srtp }: InboundTrunk): string => `${codecs.join()} ${srtp}`;

function areAlike([first, ...others]: readonly InboundTrunk[]): boolean {
  if (first === undefined || first.context === null) return false;
  return others.every((one) => one.context === first.context && media(one) === media(first));
}

const fullName = ({ tenant, name }: InboundTrunk): string => `${name} of tenant ${tenant}`;

/** More are counted and not named. */
const named = 4;

function confused(network: string, users: readonly InboundTrunk[], isNew: (trunk: InboundTrunk) => boolean) {
  const names = [...users.filter(isNew), ...users.filter((trunk) => !isNew(trunk))].map(fullName);
  const shown = names.slice(0, named);
  const rest = names.length - shown.length;
  const list =
    rest > 0
      ? `${shown.join(', ')} and ${rest} more`
      : shown.join(' and ').replace(/ and (?=.* and )/g, ', ');
  const sameMedia = new Set(users.map(media)).size === 1 ? '' : ', and the same --codecs and --srtp';
  return {
    code: 'shared_networks',
    message:
      `trunks ${list} take calls from the same addresses (${network}): Asterisk takes every call from there for one ` +
      'and the same of them, whatever number was called, with the context, the codecs and the limit of that one',
    field: 'networks',
    hint:
      `give all of them one --context${sameMedia}, and let its dialplan go by the called number; or give all but one ` +
      '--no-inbound; where the carrier takes REGISTER, trunks that register are told apart',
  };
}

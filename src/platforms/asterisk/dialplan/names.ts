import { createHash } from 'node:crypto';

/**
 * Names in the dialplan of one tenant. A dot can stand in no tenant's name, so the contexts of two tenants never
 * meet; a group, menu, room or schedule has a context of its own, because Asterisk takes no account of dashes in
 * the names of extensions.
 */
export interface Names {
  tenant: string;
  /** A routine of the tenant: `t-acme.ring`. */
  routine(name: string): string;
  /** What belongs to one object: `t-acme.group.sales`. */
  of(kind: 'group' | 'ivr' | 'conference' | 'hours', name: string): string;
  /** A conference room and its bridge profile: `acme.board`. */
  room(name: string): string;
}

export function namesOf(tenant: string): Names {
  return {
    tenant,
    routine: (name) => `t-${tenant}.${name}`,
    of: (kind, name) => shortened(`t-${tenant}.${kind}.${name}`, longestName),
    room: (name) => shortened(`${tenant}.${name}`, longestRoom),
  };
}

/** AST_MAX_CONTEXT, AST_MAX_EXTENSION and the names of rooms: 80 bytes with the final NUL. */
const longestName = 79;
/** Its profiles have a word more: `acme.board.participant`. */
const longestRoom = 67;

// The end of a digest keeps two long names apart.
function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, longest - 9)}.${digest}`;
}

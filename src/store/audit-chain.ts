import { createHash } from 'node:crypto';

/** The row of `audit` that was written last, as `meta` keeps it. */
export interface ChainHead {
  id: number;
  /** SHA-256 in hex. */
  hash: string;
}

/** What stands before the first row. */
export const chainBegin: ChainHead = { id: 0, hash: '0'.repeat(64) };

/** Where `meta` keeps the head of the chain. */
export const headKey = 'audit_head';
/** Where `meta` keeps the last row that is older than the chain. */
export const anchorKey = 'audit_anchored';

/** What the hash of a row is taken over, besides the hash before it. */
export interface ChainedRow {
  id: number;
  at: string;
  actor: string;
  action: string;
  noun: string;
  tenant: string | null;
  name: string;
  /** JSON, as it is stored. */
  detail: string;
}

/**
 * The hash of a row, in hex: SHA-256 over the hash before it and the row's members, each as a netstring
 * (`<bytes>:<text>,`, in UTF-8), and `-` for a tenant that is none. No two rows write the same.
 */
export function chainHash(previous: string, row: ChainedRow): string {
  const { id, at, actor, action, noun, tenant, name, detail } = row;
  let text = '';
  for (const member of [previous, String(id), at, actor, action, noun, tenant, name, detail])
    text += member === null ? '-' : `${Buffer.byteLength(member)}:${member},`;
  return createHash('sha256').update(text).digest('hex');
}

export const headText = ({ id, hash }: ChainHead): string => `${id} ${hash}`;

/** The head as `meta` keeps it; null where it is not there, or is none. */
export function headOf(text: string | null | undefined): ChainHead | null {
  const [, id, hash] = /^(\d+) ([0-9a-f]{64})$/.exec(text ?? '') ?? [];
  return hash === undefined ? null : { id: Number(id), hash };
}

/** What an engine's own list of calls says of one of them. Times are milliseconds since 1970. */
export interface ListedCall {
  /** As `LegFacts.callId`; null where the list does not tell it. */
  call: string | null;
  /** The account code, which the dialplan sets to the tenant's name. */
  account: string | null;
  from: string | null;
  fromName: string | null;
  to: string | null;
  context: string | null;
  /** The engine's name of the first channel. */
  channel: string | null;
  /** Names that `Parties` may know, the caller's first; null where the first is not known. */
  endpoints: readonly (string | null)[];
  codec: string | null;
  startedAt: number;
  answeredAt: number | null;
  endedAt: number;
  q850: number | null;
  sip: number | null;
  cause: string;
}

/** Milliseconds since 1970 of a local time like `2026-05-04 10:00:00`; null where it is none. */
export type ReadTime = (text: string) => number | null;

/** Reads an engine's own list of calls, whichever of its forms it has. */
export interface CallListReader {
  /** null for what is no call of this engine; `skip` for what the engine lists and is none. */
  csv(values: readonly string[], time: ReadTime): ListedCall | 'skip' | null;
  json(document: Readonly<Record<string, unknown>>): ListedCall | 'skip' | null;
}

/** Empty texts stand for nothing. */
export const given = (text: unknown): string | null =>
  typeof text === 'string' && text !== '' ? text : typeof text === 'number' ? String(text) : null;

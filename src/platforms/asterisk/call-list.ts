import { type CallListReader, given, type ListedCall, type ReadTime } from '../call-list.ts';

/** Uniqueid and Linkedid: seconds since 1970 and a counter, after the name of the system where it has one. */
const idShape = /^(?:\S+-)?(\d{9,11})\.\d+$/;

const usualColumns = 16;
const quarterHour = 900_000;
/** Milliseconds between the beginning of a channel and that of its line. */
const late = 5000;

/**
 * Reads `cdr-csv/Master.csv`: the 16 columns of cdr_csv, and those of `loguniqueid`, `loguserfield` and `newcdrcolumns`
 * (cdr.conf) where they are there. Asterisk writes local times; the id tells which.
 */
export const asteriskCallList: CallListReader = {
  csv: (values, time) => {
    if (values.length < usualColumns || values.length > usualColumns + 5) return null;
    const [account, from, to, context, clid, channel = '', other = '', , , start = ''] = values;
    // A Local channel stands for another one, which has a line of its own.
    if (channel.startsWith('Local/')) return 'skip';
    const [unique, linked] = idsOf(values);
    const startedAt = startOf(start, unique, time);
    const [seconds, talk] = [values[12], values[13]].map((text) =>
      /^\d+$/.test(text ?? '') ? Number(text) : null,
    );
    if (startedAt === null || seconds === null || seconds === undefined) return null;
    const endedAt = startedAt + seconds * 1000;
    const disposition = values[14] ?? '';
    const call: ListedCall = {
      call: linked ?? unique,
      account: given(account),
      from: numberOf(from),
      fromName: /^"(.*)" </.exec(clid ?? '')?.[1] || null,
      to: numberOf(to),
      context: given(context),
      channel: given(channel),
      endpoints: [endpointOf(channel), endpointOf(other)],
      codec: null,
      startedAt,
      answeredAt: disposition === 'ANSWERED' ? endedAt - (talk ?? 0) * 1000 : null,
      endedAt,
      ...causeOf(disposition),
    };
    return call;
  },
  json: () => null,
};

function idsOf(values: readonly string[]): [unique: string | null, linked: string | null] {
  const isId = (text: string | undefined): boolean => idShape.test(text ?? '');
  const unique = isId(values[usualColumns]) ? (values[usualColumns] ?? null) : null;
  const last = values.length - 1;
  const isNew = last >= usualColumns + 2 && /^\d+$/.test(values[last] ?? '') && isId(values[last - 1]);
  return [unique, isNew ? (values[last - 1] ?? null) : null];
}

// The time of the id is that of the channel, in UTC: what is between them is the zone.
function startOf(text: string, unique: string | null, time: ReadTime): number | null {
  const local = time(text);
  const utc = Date.parse(`${text.replace(' ', 'T')}Z`);
  const seconds = idShape.exec(unique ?? '')?.[1];
  if (local === null || Number.isNaN(utc) || seconds === undefined) return local;
  const difference = utc - Number(seconds) * 1000;
  const zone = Math.round(difference / quarterHour) * quarterHour;
  return Math.abs(difference - zone) > late ? local : utc - zone;
}

// Steps of the dialplan stand there too, like `s` and `invited`.
const numberOf = (text: string | undefined): string | null =>
  /^[+0-9*#]+$/.test(text ?? '') ? (text ?? null) : null;

/** `PJSIP/acme.main-0000002a` → `acme.main` */
const endpointOf = (channel: string): string | null => /^[^/]+\/(.+)-[0-9a-f]{8}$/.exec(channel)?.[1] ?? null;

/** The list knows four ways in which a call ends. */
function causeOf(disposition: string): Pick<ListedCall, 'q850' | 'sip' | 'cause'> {
  const known = { ANSWERED: 16, BUSY: 17, 'NO ANSWER': 19, CONGESTION: 34 }[disposition] ?? null;
  return { q850: known, sip: null, cause: disposition.toLowerCase() };
}

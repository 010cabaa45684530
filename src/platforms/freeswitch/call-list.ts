import { type CallListReader, given, type ListedCall } from '../call-list.ts';
import { q850Of } from './causes.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads mod_cdr_csv in its templates `example`, `snom`, `linksys` and `asterisk`, and the documents of mod_json_cdr. */
export const freeSwitchCallList: CallListReader = {
  csv: (values, time) => {
    const columns = uuid.test(values[10] ?? '') ? example : uuid.test(values[16] ?? '') ? asAsterisk : null;
    if (columns === null) return null;
    const value = (name: keyof typeof columns): string | null => {
      const at = columns[name];
      return at === null ? null : given(values[at]);
    };
    const [startedAt, endedAt] = [time(value('start') ?? ''), time(value('end') ?? '')];
    const seconds = Number(value('duration') ?? Number.NaN);
    const talk = Number(value('billsec') ?? 0);
    if (startedAt === null || endedAt === null || !Number.isInteger(seconds)) return null;
    // Between a local time and the next one the clock may have been changed.
    const end = startedAt + seconds * 1000;
    return {
      call: value('uuid'),
      account: value('account'),
      from: value('from'),
      fromName: value('name'),
      to: value('to'),
      context: value('context'),
      channel: value('channel'),
      endpoints: [null],
      codec: value('codec'),
      startedAt,
      answeredAt: value('answer') === null ? null : end - talk * 1000,
      endedAt: end,
      ...causeOf(value('cause') ?? ''),
    };
  },
  json: (document) => {
    const variables = (document.variables ?? {}) as Readonly<Record<string, unknown>>;
    const flow = Array.isArray(document.callflow) ? document.callflow[0] : null;
    const profile = (flow?.caller_profile ?? {}) as Readonly<Record<string, unknown>>;
    const value = (name: string): string | null => decoded(given(variables[name]));
    const id = value('uuid');
    const [startedAt, answeredAt, endedAt] = ['start', 'answer', 'end'].map((name) => timeOf(value, name));
    if (id === null || !startedAt || !endedAt) return null;
    const call = value('call_uuid') ?? id;
    // A leg that FreeSWITCH called belongs to the call of the one that came in.
    const isFirst = call === id;
    const status = Number(value('sip_term_status') ?? value('sip_invite_failure_status') ?? Number.NaN);
    const gateway = value('sip_gateway_name') ?? value('sip_gateway');
    const user =
      pair(value('user_name'), value('domain_name')) ?? pair(value('dialed_user'), value('dialed_domain'));
    const endpoint = gateway ?? user;
    return {
      call,
      account: value('accountcode'),
      from: isFirst ? given(profile.caller_id_number) : null,
      fromName: isFirst ? given(profile.caller_id_name) : null,
      to: isFirst ? given(profile.destination_number) : null,
      context: isFirst ? given(profile.context) : null,
      channel: isFirst ? value('channel_name') : null,
      endpoints: isFirst ? [endpoint] : [null, endpoint],
      codec: value('read_codec'),
      startedAt,
      answeredAt: answeredAt ?? null,
      endedAt,
      ...causeOf(value('hangup_cause') ?? ''),
      q850: Number(value('hangup_cause_q850') ?? 0) || causeOf(value('hangup_cause') ?? '').q850,
      sip: Number.isInteger(status) ? status : null,
    };
  },
};

const example = {
  ...{ name: 0, from: 1, to: 2, context: 3, start: 4, answer: 5, end: 6, duration: 7, billsec: 8, cause: 9 },
  ...{ uuid: 10, account: 12, codec: 13, channel: null },
};

const asAsterisk = {
  ...{ account: 0, from: 1, to: 2, context: 3, name: null, channel: 5, start: 9, answer: 10, end: 11 },
  ...{ duration: 12, billsec: 13, cause: 14, uuid: 16, codec: null },
};

function causeOf(cause: string): Pick<ListedCall, 'q850' | 'sip' | 'cause'> {
  return { q850: q850Of(cause), sip: null, cause: cause === '' ? 'unknown' : cause };
}

/** Microseconds where they are told, else seconds; `0` stands for never. */
function timeOf(value: (name: string) => string | null, name: string): number | null {
  const micro = Number(value(`${name}_uepoch`) ?? 0);
  if (micro > 0) return Math.round(micro / 1000);
  const seconds = Number(value(`${name}_epoch`) ?? 0);
  return seconds > 0 ? seconds * 1000 : null;
}

const pair = (user: string | null, domain: string | null): string | null =>
  user === null || domain === null ? null : `${user}@${domain}`;

// mod_json_cdr writes values as they stand in addresses, unless encode-values is off.
function decoded(text: string | null): string | null {
  if (text === null || !/%[0-9a-f]{2}/i.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import type { Value } from '../../../model/field.ts';
import * as nouns from '../../../model/nouns.ts';
import * as rule from '../../../model/rules.ts';
import { Secret } from '../../../model/secret.ts';
import type { Line } from '../../fit-values.ts';
import { codecNamed } from '../words.ts';
import { lastOf } from './lines.ts';

type Values = Record<string, Value>;

/** What a gateway says in words of a trunk's fields, whoever the carrier is. What cannot be said stays null. */
export function gatewayValues(name: string, params: readonly Line[], outbound: readonly Line[]): Values {
  const text = (option: string): string | null => lastOf(params, option);
  const [, host = '', port] =
    /^(?:sips?:)?(\[[^\]]+\]|[^:;]+)(?::([0-9]+))?/i.exec(text('proxy') ?? text('realm') ?? name) ?? [];
  const username = trunkValue('username', text('username'));
  const password = text('password');
  const registers = isTrue(text('register') ?? 'true');
  const from = text('from-user');
  const number =
    from === null ? null : rule.e164(from).ok ? from : rule.e164(`+${from}`).ok ? `+${from}` : null;
  const fromUser =
    from === null && isTrue(text('caller-id-in-from') ?? 'false')
      ? 'caller'
      : from === null || from === username || number === null
        ? 'account'
        : from === number
          ? 'did-plus'
          : 'did';
  const isCredential = password !== null && username !== null;
  return {
    host: trunkValue('host', host),
    port: port === undefined ? null : Number(port),
    transport: trunkValue('transport', text('register-transport')),
    authType: isCredential ? 'credential' : 'ip',
    username,
    authUsername:
      text('auth-username') === username ? null : trunkValue('authUsername', text('auth-username')),
    ...(password === null ? {} : { password: new Secret(password) }),
    realm: trunkValue('realm', text('realm')),
    fromUser,
    did: fromUser.startsWith('did') ? number : null,
    fromDomain: trunkValue('fromDomain', text('from-domain')),
    registration: isCredential ? registers : null,
    codecs: codecsOf(lastOf(outbound, 'absolute_codec_string') ?? lastOf(outbound, 'codec_string')),
    srtp: lastOf(outbound, 'rtp_secure_media') === 'mandatory' ? true : null,
    outboundProxy: trunkValue('outboundProxy', text('outbound-proxy')),
    maxCalls: 0,
  };
}

/** What an account of the directory says in words of a user's fields. What cannot be said stays null. */
export function accountValues(
  id: string,
  alias: string | null,
  params: readonly Line[],
  variables: readonly Line[],
): Values {
  const text = (name: string): string | null => lastOf(variables, name);
  const numbers = [text('sipctl_caller'), text('effective_caller_id_number'), alias, id];
  const extension = numbers.find((one) => one !== null && rule.extension(one).ok) ?? null;
  const name = text('effective_caller_id_name');
  const password = lastOf(params, 'password');
  const pin = userValue('voicemailPin', lastOf(params, 'vm-password'));
  const limit = rule.integer(0, 100_000)(text('sipctl_max_calls') ?? '');
  return {
    extension,
    ...(password === null ? {} : { password: new Secret(password) }),
    displayName: name === extension ? null : userValue('displayName', name),
    callerId: userValue('callerId', text('outbound_caller_id_number')),
    codecs: codecsOf(text('codec_string') ?? lastOf(params, 'dial-var-absolute_codec_string')),
    video: null,
    context: userValue('context', text('user_context')),
    voicemail: pin !== null && lastOf(params, 'vm-enabled') !== 'false',
    ...(pin === null ? {} : { voicemailPin: pin }),
    email: userValue('email', lastOf(params, 'vm-mailto')),
    tollClass: tollClass(text('toll_allow')),
    maxCalls: limit.ok ? limit.value : 0,
  };
}

export const isTrue = (text: string): boolean => /^(yes|on|true|t|enabled|active|allow|1)$/i.test(text);

function tollClass(allowed: string | null): Value {
  const words = (allowed ?? '').split(',').map((word) => word.trim());
  if (words.includes('international')) return 'all';
  return words.some((word) => word === 'domestic' || word === 'national') ? 'national' : 'internal';
}

function codecsOf(list: string | null): readonly string[] | null {
  const names = (list ?? '').split(',').map((one) => codecNamed(one.trim()));
  const parsed = rule.codecs(names.join(','));
  return parsed.ok ? parsed.value : null;
}

const trunkValue = (field: keyof typeof nouns.trunk.fields, text: string | null): Value =>
  parsedBy(nouns.trunk.fields[field].rule, text);
const userValue = (field: keyof typeof nouns.user.fields, text: string | null): Value =>
  parsedBy(nouns.user.fields[field].rule, text);

function parsedBy(
  of: (text: string) => { ok: true; value: Value } | { ok: false },
  text: string | null,
): Value {
  if (text === null || text === '') return null;
  const parsed = of(text);
  return parsed.ok ? parsed.value : null;
}

import { hash } from 'node:crypto';
import { SipctlError } from '../../../errors.ts';
import type { FlowUser } from '../../../model/flow/call-flow.ts';
import type { ResolvedSite, ResolvedUser } from '../../../model/site.ts';
import { userContextOf } from '../dialplan/contexts.ts';
import { codecList, dtmfType, shownName, word } from '../words.ts';
import { type Element, element, param, variable } from '../xml/element.ts';
import { withRawOptions } from './raw-options.ts';

/**
 * The directory of a tenant: one `<domain>` with all its users, or nothing where there are none. FreeSWITCH sees only the
 * first of two domains of one name, so no two tenants can share one.
 * @throws SipctlError `invalid` where the tenant has users and no SIP domain
 */
export function directory({ tenant, users, flow }: ResolvedSite): Element[] {
  if (users.length === 0) return [];
  if (tenant.domain === null) throw noDomain(tenant.name);
  const callers = new Map(flow.users.map((user) => [user.name, user]));
  const names = new Set(users.map(({ username }) => username.toLowerCase()));
  const domain = tenant.domain.toLowerCase();
  const all = sorted(users).map((user) =>
    account(user, { domain, caller: callers.get(user.username) ?? null, names }),
  );
  return [
    element('domain', { name: domain }, [
      element('params', {}, [param('dial-string', dialString), param('allow-empty-password', 'false')]),
      element('groups', {}, [element('group', { name: word(tenant.name) }, [element('users', {}, all)])]),
    ]),
  ];
}

const noDomain = (tenant: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'missing_domain',
    message: `tenant ${tenant} has users and no SIP domain: on FreeSWITCH a user is one of a domain`,
    field: 'domain',
    hint: `sipctl tenant set ${tenant} --domain <the name or address that its phones register at>`,
  });

// All phones that are registered; `error/user_not_registered` where there are none. A contact is in it as its phone wrote it:
// behind a comma FreeSWITCH would dial whatever comes, a gateway or dialplan of another tenant too. So the contacts are held
// against what they have to look like, encoded, that they do not end the arguments of `regex`; only then are they dialled.
const phone = '${dialed_user}@${dialed_domain}';
const contacts = '^(?!.*%7[B-D])(sofia/[A-Za-z0-9_.-]+/sip%3A[^,/]+,?)*(error/user_not_registered)?$';
const dialString =
  `{^^:sip_invite_domain=\${dialed_domain}:presence_id=${phone}}` +
  `\${sofia_contact(\${regex(\${url_encode(\${sofia_contact(*/${phone})})}|${contacts}|*/${phone}|n)})}`;

interface Surroundings {
  domain: string;
  /** null: the user makes and takes no calls. */
  caller: FlowUser | null;
  /** The names of all users, in lower case: FreeSWITCH takes no account of capitals. */
  names: ReadonlySet<string>;
}

function account(user: ResolvedUser, { domain, caller, names }: Surroundings): Element {
  // By it voicemail finds the owner of a box. A user of that name would be taken for this one.
  const dtmf = dtmfType(user.dtmf);
  const alias = names.has(user.extension.toLowerCase()) ? {} : { 'number-alias': word(user.extension) };
  return element('user', { id: word(user.username), ...alias }, [
    element(
      'params',
      {},
      withRawOptions(
        [
          param('a1-hash', a1Hash(user, domain)),
          // Without it, an account whose secret is empty for whatever reason takes any password.
          param('allow-empty-password', 'false'),
          param('dial-var-absolute_codec_string', codecList(user.codecs)),
          ...(dtmf === null ? [] : [param('dial-var-dtmf_type', dtmf)]),
          ...voicemail(caller),
        ],
        user.options,
        'param',
        param,
      ),
    ),
    element(
      'variables',
      {},
      withRawOptions(
        [
          variable('user_context', word(userContextOf(user))),
          variable('accountcode', user.tenant),
          variable('toll_allow', tollAllow[caller?.tollClass ?? 'internal']),
          variable('effective_caller_id_name', shownName(user.displayName ?? user.extension)),
          variable('effective_caller_id_number', word(user.extension)),
          ...(user.callerId === null ? [] : [variable('outbound_caller_id_number', word(user.callerId))]),
          variable('codec_string', codecList(user.codecs)),
          ...(dtmf === null ? [] : [variable('dtmf_type', dtmf)]),
          variable('sipctl_caller_tenant', user.tenant),
          variable('sipctl_caller', word(user.extension)),
          // As `limit` takes it: -1 counts, and refuses nothing.
          variable('sipctl_max_calls', String(user.maxCalls === 0 ? -1 : user.maxCalls)),
          variable('sipctl_box', String(caller !== null && caller.mailbox !== null)),
          ...(caller?.callerId == null ? [] : [variable('sipctl_shown', word(caller.callerId))]),
        ],
        user.options,
        'variable',
        variable,
      ),
    ),
  ]);
}

const tollAllow = {
  internal: 'internal',
  national: 'internal,national',
  all: 'internal,national,international',
} as const;

/** HA1 of RFC 2617 §3.2.2.2 in lower case, in which alone FreeSWITCH compares it. Also on the way to a phone it is a secret. */
function a1Hash({ username, password }: ResolvedUser, domain: string): string {
  const secret = password.reveal();
  if (secret === '') throw new TypeError(`user ${username} has an empty password`);
  return hash('md5', `${username}:${domain}:${secret}`);
}

// A box without a PIN opens for the user's own phone only: no phone can enter the letters, and where nothing stood here
// voicemail would let everybody in.
function voicemail(caller: FlowUser | null): Element[] {
  if (caller === null || caller.mailbox === null) return [param('vm-enabled', 'false')];
  const { pin, email } = caller.mailbox;
  return [
    param('vm-enabled', 'true'),
    param('vm-password', pin === null ? 'none' : pin.reveal()),
    ...(email === null
      ? []
      : [param('vm-mailto', email), param('vm-email-all-messages', 'true'), param('vm-attach-file', 'true')]),
  ];
}

// By code unit, so that the order is the same on every machine.
const sorted = (users: readonly ResolvedUser[]): ResolvedUser[] =>
  [...users].sort((one, other) => (one.username < other.username ? -1 : 1));

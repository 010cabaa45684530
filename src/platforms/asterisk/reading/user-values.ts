import type { Value } from '../../../model/field.ts';
import { voicemailContext } from '../../../model/identity.ts';
import { user } from '../../../model/nouns.ts';
import * as rule from '../../../model/rules.ts';
import { Secret } from '../../../model/secret.ts';
import type { Catalog, UserTemplate } from '../../../model/template.ts';
import { flag } from '../shown-forms.ts';
import { codecField } from './codec-list.ts';
import { last, type ObjectGroup } from './groups.ts';
import { limitOf, variableOf } from './trunk-values.ts';

type Values = Record<string, Value>;

/** What the objects of a user say in words of its fields, whatever kind of phone it is. What cannot be said stays null. */
export function userValues({ endpoint, auth, aors }: ObjectGroup, username: string, tenant: string): Values {
  const [aor = null] = aors;
  const shown = callerOf(last(endpoint, 'callerid') ?? '');
  const extension =
    [variableOf(endpoint, 'SIPCTL_USER'), shown.number, username].find(
      (text) => text !== null && rule.extension(text).ok,
    ) ?? null;
  const password = last(auth, 'password');
  const boxes = (last(endpoint, 'mailboxes') ?? last(aor, 'mailboxes') ?? '')
    .split(',')
    .filter((one) => one !== '');
  const own = `${extension}@${voicemailContext(tenant)}`;
  const others = boxes.filter((one) => one !== own);
  return {
    extension,
    ...(password === null || password === '' ? {} : { password: new Secret(password) }),
    displayName: shown.name === extension ? null : kept('displayName', shown.name),
    callerId: kept('callerId', shown.number),
    codecs: codecField(endpoint.options),
    video: null,
    dtmf: kept('dtmf', last(endpoint, 'dtmf_mode')),
    maxContacts: kept('maxContacts', last(aor, 'max_contacts')),
    qualifyFrequency: kept('qualifyFrequency', last(aor, 'qualify_frequency') ?? '0'),
    transport: kept('transport', last(endpoint, 'transport')),
    context: kept('context', last(endpoint, 'context')),
    voicemail: boxes.includes(own),
    mailbox: others.length === 1 ? kept('mailbox', others[0] as string) : null,
    maxCalls: limitOf(endpoint),
  };
}

/** The templates that may be meant: that of the marker alone, where there is one; for a browser none but its own. */
export function templatesFor({ endpoint, marker }: ObjectGroup, { users }: Catalog): UserTemplate[] {
  const all = [...users.values()];
  const said = all.filter(({ title }) => marker?.title === title);
  if (said.length > 0) return said;
  const isBrowser = flag(last(endpoint, 'webrtc') ?? 'no') === 'yes';
  return all.filter(({ asterisk }) => (asterisk.endpoint?.webrtc === 'yes') === isBrowser);
}

function kept(field: keyof typeof user.fields, text: string | null): Value {
  if (text === null || text === '') return null;
  const parsed = user.fields[field].rule(text);
  return parsed.ok ? parsed.value : null;
}

/** `"Ann" <1001>`, `Ann <1001>`, `<1001>`, `1001`. */
function callerOf(text: string): { name: string | null; number: string | null } {
  const [, name = '', number] = /^\s*(.*?)\s*<([^<>]*)>\s*$/.exec(text) ?? [];
  if (number === undefined) {
    const bare = text.trim();
    return /^\+?[0-9*#]+$/.test(bare)
      ? { name: null, number: bare }
      : { name: bare === '' ? null : bare, number: null };
  }
  const unquoted = /^"(.*)"$/.exec(name)?.[1]?.replace(/\\(["\\])/g, '$1') ?? name;
  return { name: unquoted === '' ? null : unquoted, number };
}

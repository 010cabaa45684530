import type { ResolvedTrunk } from '../model/site.ts';
import type { ProviderTemplate } from '../model/template.ts';
import type { StageName } from '../sip/finding.ts';
import type { Transport } from '../sip/transport/endpoint.ts';

/** What is tested, as far as explanations speak of it: a trunk, or a user at a PBX. */
export interface Subject
  extends Pick<
    ResolvedTrunk,
    | 'name'
    | 'tenant'
    | 'host'
    | 'port'
    | 'outboundProxy'
    | 'username'
    | 'authUsername'
    | 'realm'
    | 'authType'
    | 'codecs'
    | 'srtp'
    | 'numberFormat'
    | 'techPrefix'
  > {
  noun: 'trunk' | 'user';
  transport: Transport;
  template: Pick<
    ProviderTemplate,
    'id' | 'displayName' | 'docs' | 'hosts' | 'codecs' | 'srtp' | 'dialedFormat' | 'usernameRule' | 'failures'
  >;
}

/** What an explanation is made of: the failure, and the subject in whose words it is told. */
export interface Case {
  subject: Subject;
  stage: StageName;
  facts: Readonly<Record<string, unknown>>;
  detail: string;
}

interface Explanation {
  message: string;
  /** Field of the subject that is at fault most often. */
  field?: string;
  hint: string;
}

/** Cause word → how it is told. */
export type Explanations = Readonly<Record<string, (one: Case) => Explanation>>;

/** Who is spoken to: the outbound proxy where there is one. */
export const server = ({ subject: { outboundProxy, host } }: Case): string => outboundProxy ?? host;

/** The field that names it. */
export const serverField = ({ subject }: Case): string =>
  subject.outboundProxy === null ? 'host' : 'outboundProxy';

/** The field that says its port: an outbound proxy has the usual one. */
export const portField = ({ subject }: Case): string =>
  subject.outboundProxy === null ? 'port' : 'outboundProxy';

/** The flag that names it. */
export const serverFlag = ({ subject }: Case): string =>
  subject.outboundProxy === null ? '--host' : '--outbound-proxy';

export const at = (one: Case): string =>
  `${server(one)}${one.subject.outboundProxy === null ? `:${one.subject.port}` : ''} over ${one.subject.transport}`;

/** The command line that mends a field; where a user's phone finds its PBX is told to the test alone. */
export function set({ subject }: Case, flags: string): string {
  const { noun, name, tenant } = subject;
  if (noun === 'user' && /^--(host|port|transport)/.test(flags)) return `give the test ${flags}`;
  return `sipctl ${noun} set ${name} --tenant ${tenant} ${flags}`;
}

export const account = ({ subject: { username, authUsername } }: Case): string =>
  authUsername === null || authUsername === username
    ? `user '${username ?? ''}'`
    : `user '${username ?? ''}', auth username '${authUsername}'`;

/** Where to look up what the other side says of itself. */
export const published = ({ subject }: Case): string =>
  subject.noun === 'trunk' ? `sipctl provider show ${subject.template.id}` : 'sipctl doctor';

export const firewall = (one: Case): string =>
  `ask whether a firewall lets ${one.subject.transport === 'udp' ? 'UDP' : 'TCP'}${one.subject.outboundProxy === null ? ` port ${one.subject.port}` : ''} out and its answers in, and compare host, port and transport with: ${published(one)}`;

/** A fact as text; empty where there is none. */
export const fact = ({ facts }: Case, name: string): string => String(facts[name] ?? '');

import type { Subject } from '../diagnosis/case.ts';
import { printable } from '../diagnosis/printable.ts';
import { checkWebRtcTemplate } from '../diagnosis/webrtc.ts';
import { type Problem, SipctlError } from '../errors.ts';
import type { ResolvedUser } from '../model/site.ts';
import type { UserState } from '../platforms/node-view.ts';
import type { Target } from '../platforms/target.ts';
import type { Finding, StageName } from '../sip/finding.ts';
import { stopwatch } from '../sip/probe/clock.ts';
import { probe } from '../sip/probe/probe.ts';
import type { ProbeSettings } from '../sip/probe/settings.ts';
import type { Transport } from '../sip/transport/endpoint.ts';
import { causesOf, type Tested, type TestSurroundings, worst } from './tested.ts';

/** A user, and where a phone would look for the PBX. */
export interface UserUnderTest {
  user: ResolvedUser;
  server: { host: string; port: number; transport: Transport; path?: string };
  /** Asked which phones are registered; null where nothing can be asked. */
  target: Target | null;
  stun: ProbeSettings['stun'];
  stages: ReadonlySet<StageName>;
  /** As a browser: the number to offer its media to, and the engine of the PBX, each null where it is not known. */
  webrtc: { number: string | null; engine: string | null } | null;
}

/** Registers as the user's phone would, gives the binding back, and asks the PBX which phones it has. */
export async function testUser(
  under: UserUnderTest,
  around: TestSurroundings,
  progress: (subject: string, stage: string) => void,
): Promise<Tested> {
  const { user, target } = under;
  const before = under.webrtc === null ? [] : [checkWebRtcTemplate(user, under.webrtc.engine)];
  const fits = before.every(({ status }) => status !== 'failed');
  const found = await probe(settingsOf(under, fits), {
    ...around,
    progress: (stage) => progress(user.username, stage),
  });
  if (target !== null) found.push(await phones(user, target, around.signal));
  const stages = [...before, ...found].map(printable);
  const subject = subjectOf(under);
  return {
    ...{ tenant: user.tenant, name: user.username, kind: 'user', knownByAddress: false },
    status: worst(stages),
    stages,
    causes: causesOf(subject, stages),
  };
}

function settingsOf({ user, server, stun, stages, webrtc }: UserUnderTest, fits: boolean): ProbeSettings {
  const domain = user.domain ?? server.host;
  return {
    server,
    // A browser’s port is that of HTTP, and none of SIP.
    registrar: user.domain ?? (webrtc === null ? `${server.host}:${server.port}` : server.host),
    domain,
    user: user.username,
    credentials: { username: user.username, password: user.password.reveal(), realm: null },
    register: { expiry },
    // A PBX may answer OPTIONS of phones that have registered only.
    answersOptions: false,
    call: null,
    ...(webrtc === null ? {} : { webrtc: offerOf(webrtc.number, fits) }),
    stun,
    stages,
  };
}

function offerOf(number: string | null, fits: boolean): NonNullable<ProbeSettings['webrtc']> {
  if (!fits) return { number: null, otherwise: 'not offered: the user’s template does no WebRTC' };
  return number === null
    ? { number, otherwise: 'needs a number to call: --call <number>; DTLS and ICE show in an answer only' }
    : { number };
}

/** Seconds; what phones ask for. */
const expiry = 300;

async function phones(user: ResolvedUser, target: Target, signal: AbortSignal): Promise<Finding> {
  const since = stopwatch();
  const finding = (
    status: Finding['status'],
    cause: string | null,
    detail: string,
    facts: Finding['facts'],
  ): Finding => ({ stage: 'pbx-registration', status, cause, detail, ms: since(), facts });
  const node = target.node;
  try {
    const state = await target.userState(user, signal);
    if (state === null) return finding('failed', 'not_on_node', `${node} does not have the user`, { node });
    const { contacts } = state;
    return contacts.length === 0
      ? finding('warning', 'no_phone', `${node}: no phone is registered`, { node, contacts })
      : finding('ok', null, `${node}: ${contacts.map(shown).join('; ')}`, { node, contacts });
  } catch (error) {
    if (!(error instanceof SipctlError) || error.outcome === 'interrupted') throw error;
    const problems: Problem[] = [...error.problems];
    const unreachable = error.outcome === 'unreachable';
    return finding('failed', problems[0]?.code ?? 'failed', error.message, { problems, unreachable });
  }
}

function shown({ uri, userAgent, state, rttMs }: UserState['contacts'][number]): string {
  const how = rttMs === null ? state : `${state}, ${rttMs.toFixed(1)} ms`;
  return `${uri}${userAgent === null ? '' : ` (${userAgent})`} ${how}`;
}

function subjectOf({ user, server }: UserUnderTest): Subject {
  const { username, tenant, codecs, template } = user;
  return {
    ...server,
    ...{
      outboundProxy: null,
      noun: 'user',
      name: username,
      tenant,
      username,
      authUsername: username,
      realm: null,
    },
    ...{ authType: 'credential', codecs, srtp: false, numberFormat: 'plus', techPrefix: null },
    template: {
      ...{ id: template.id, displayName: template.displayName, docs: '', codecs: template.codecs },
      ...{ srtp: null, dialedFormat: null, usernameRule: null, failures: [], hosts: [] },
    },
  };
}

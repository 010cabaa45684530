import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import * as nouns from '../model/nouns.ts';
import { resolveUser } from '../model/resolve.ts';
import { host as hostRule } from '../model/rules.ts';
import type { UserUnderTest } from '../pipeline/test-user.ts';
import { testFailure } from '../pipeline/tested.ts';
import type { Target } from '../platforms/target.ts';
import { testText } from '../report/trunk-test.ts';
import { type Input, integerOption, type VerbSpec } from './command.ts';
import { endedBy } from './ended.ts';
import { refOf } from './object-ref.ts';
import { interruptible, networkFlags, stunOf, testing } from './test-flags.ts';
import { webRtcFlags, webRtcOf } from './webrtc-flags.ts';

const run = interruptible(async (app, input) => {
  const under = await underTest(app, input);
  const { testUser } = await import('../pipeline/test-user.ts');
  const tested = await testing(app, input, (around, progress) => testUser(under, around, progress));
  const { tenant, name, status, stages, causes } = tested;
  const failure = testFailure([tested]);
  return {
    data: { users: [{ tenant, user: name, status, stages, causes }] },
    text: (style) => testText([tested], style),
    tellsErrors: true,
    ...endedBy(failure === null ? [] : [failure]),
  };
});

async function underTest(app: App, input: Input): Promise<UserUnderTest> {
  const { records } = await app.store();
  const ref = refOf(nouns.user, app, input);
  const user = (await records.get(nouns.user, ref)) as unknown as nouns.User;
  const tenant = (await records.get(nouns.tenant, {
    tenant: null,
    name: user.tenant,
  })) as unknown as nouns.Tenant;
  const template = (await app.catalog()).users.get(user.template);
  if (template === undefined) throw templateGone(user);
  const node = await nodeAsked(app, input);
  const webrtc = webRtcOf(input, node?.kind ?? null);
  const { webrtc: as, ...way } = webrtc ?? { webrtc: null, ...sipWay(input, user) };
  const port = integerOption(input, 'port', 1, 'give the port that the PBX listens on');
  return {
    user: resolveUser(user, tenant, template),
    server: { host: hostOf(input, node), ...way, port: port ?? way.port },
    webrtc: as,
    target: node === null ? null : await controlled(app, node),
    stun: stunOf(input),
    stages: new Set(['options', 'register', 'webrtc', 'nat']),
  };
}

// Where there is one PBX only, nobody has to name it.
async function nodeAsked(app: App, { options }: Input): Promise<nouns.Node | null> {
  const { records } = await app.store();
  if (typeof options.node === 'string') {
    return (await records.get(nouns.node, { tenant: null, name: options.node })) as unknown as nouns.Node;
  }
  const all = (await records.list(nouns.node)) as unknown as nouns.Node[];
  return all.length === 1 ? (all[0] ?? null) : null;
}

async function controlled(app: App, node: nouns.Node): Promise<Target | null> {
  const { target } = await app.target(node);
  return target.controllable ? target : null;
}

// A PBX listens for phones where it listens for us, unless it is said otherwise.
function hostOf({ options }: Input, node: nouns.Node | null): string {
  // What lies behind a tunnel has another host than the phones see.
  const control = node?.tunnel === true ? null : (node?.ami ?? node?.esl ?? null);
  const given = typeof options.host === 'string' ? options.host : control?.replace(/:\d+$/, '');
  const host = given === undefined ? null : hostRule(given);
  if (host?.ok) return host.value;
  throw new SipctlError('invalid', {
    code: host === null ? 'missing_host' : 'invalid_host',
    message: host === null ? 'host: nothing says where the PBX listens for phones' : `host: ${host.message}`,
    field: 'host',
    hint: 'give --host, or --node for the host of its control connection',
  });
}

function sipWay({ options }: Input, user: nouns.User): Pick<UserUnderTest['server'], 'transport' | 'port'> {
  const given = options.transport ?? user.transport ?? 'udp';
  if (given === 'udp' || given === 'tcp') return { transport: given, port: 5060 };
  if (given === 'tls') return { transport: given, port: 5061 };
  throw new SipctlError('invalid', {
    code: 'invalid_transport',
    message: `transport: the test speaks udp, tcp and tls, and not ${String(given)}`,
    field: 'transport',
    hint: 'give --transport udp, tcp or tls; --webrtc for a browser’s WebSocket',
  });
}

const templateGone = ({ username, template }: nouns.User): SipctlError =>
  new SipctlError('notFound', {
    code: 'user_template_gone',
    message: `user ${username} uses the user-template '${template}', which is not there any more`,
    field: 'template',
    hint: 'put its file back, or choose another one: sipctl user-template list',
  });

/** Registers as the user’s phone would. */
export const userTest: VerbSpec = {
  name: 'test',
  summary: 'register as the user’s phone would, stage by stage, and ask the PBX for its phones',
  args: '<username>',
  options: [
    ['--node <name>', 'the PBX; needed where there are several'],
    ['--host <host>', 'where it listens for phones; the host of its control connection where not given'],
    [
      '--port <n>',
      'its port; where not given 5060, 5061 for TLS, and with --webrtc 8089 or 7443, as the engine has it',
    ],
    ['--transport <name>', 'udp, tcp or tls; the user’s, or udp, where not given; ws or wss with --webrtc'],
    ...webRtcFlags,
    ...networkFlags,
  ],
  examples: [
    'sipctl user test john_doe --tenant acme --node pbx1',
    'sipctl user test ann --tenant acme --host pbx.example.com --webrtc --call 1002',
  ],
  run,
};

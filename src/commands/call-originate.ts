import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { OpenNode, OpenNodes } from '../pipeline/live-calls.ts';
import type { CallingUser, Originated } from '../platforms/control-plane.ts';
import type { Input, Result, Run, VerbSpec } from './command.ts';
import { callingUser, demandReachable, dialledIn, tenantNamed } from './dialled-target.ts';
import { endedBy } from './ended.ts';
import { interruptedResult, withNodes } from './live-scope.ts';
import { secondsOption } from './test-flags.ts';

const originate: Run = async (app, input) => {
  const wanted = await wantedCall(app, input);
  const tenant = await tenantNamed(app, app.config.tenant);
  const user = await callingUser(app, tenant, wanted.from, secondsOption(input, 'ring'));
  const to = await dialledIn(app, tenant, wanted.to, 'to');
  await demandReachable(app, user, to);
  const scoped = { ...input, options: { ...input.options, allTenants: undefined } };
  return withNodes(app, scoped, async (nodes) => {
    const { node, plane } = await nodeOfPhone(nodes, user);
    if (!app.config.quiet) app.terminal.err(`the phone of ${user.username} rings\n`);
    try {
      const made = await plane.originate({ user, to, signal: app.signal });
      await audited(app, { node, user, to, made });
      return answerOf(made, { node, who: user.username, to });
    } catch (error) {
      if (!app.signal.aborted) throw error;
      return interruptedResult(`interrupted: the phone of ${user.username} does not ring any more`);
    }
  });
};

/** Who calls whom: by name, or as in an earlier call. */
async function wantedCall(app: App, input: Input): Promise<{ from: string; to: string }> {
  const { from, to, redial } = input.options;
  if (typeof redial === 'string') {
    const earlier = await earlierCall(app, redial);
    return {
      from: typeof from === 'string' ? from : earlier.from,
      to: typeof to === 'string' ? to : earlier.to,
    };
  }
  if (typeof from === 'string' && typeof to === 'string') return { from, to };
  throw new SipctlError('usage', {
    code: 'usage',
    message: '--from and --to are needed, or --redial',
    field: typeof from === 'string' ? 'to' : 'from',
    hint: 'sipctl call originate --tenant acme --from ann --to +4930123456',
  });
}

// Who was called calls back; who called, calls again.
async function earlierCall(app: App, id: string): Promise<{ from: string; to: string }> {
  const { pickRecord } = await import('./cdr-scope.ts');
  const { direction, user, from, to, call } = await pickRecord(app, id, false);
  const number = direction === 'inbound' ? from : to;
  if (user !== null && number !== null) return { from: user, to: number };
  throw new SipctlError('refused', {
    code: 'not_redialable',
    message: `call ${call} does not tell ${user === null ? 'which user had it' : 'a number'}`,
    field: 'redial',
    hint: 'give --from and --to',
  });
}

/** The node where the user's phone is registered; where there is one only, that. @throws SipctlError `refused` */
async function nodeOfPhone({ nodes, failures }: OpenNodes, user: CallingUser): Promise<OpenNode> {
  const [only, ...more] = nodes;
  if (only !== undefined && more.length === 0) return only;
  for (const one of nodes) {
    const { users } = await one.plane.standings();
    if (users.some(({ endpoint, contacts }) => endpoint === user.endpoint && contacts > 0)) return one;
  }
  throw new SipctlError('refused', [
    {
      code: 'not_registered',
      message: `${user.username} has no phone registered at ${nodes.map(({ node }) => node).join(', ')}`,
      field: 'from',
      hint: `sipctl user test ${user.username} --tenant ${user.tenant} shows why`,
    },
    ...failures.flatMap(({ problems }) => problems),
  ]);
}

interface Made {
  node: string;
  user: CallingUser;
  to: string;
}

async function audited(app: App, { node, user, to, made }: Made & { made: Originated }): Promise<void> {
  const store = await app.store();
  await store.audit({
    action: 'call',
    noun: 'user',
    tenant: user.tenant,
    name: user.username,
    detail: { node, to, answered: made.answered, call: made.callId },
  });
}

/** What came of a call that was asked for; not answered is failed. */
export function answerOf(
  made: Originated,
  { node, who, to }: { node: string; who: string; to: string },
): Result {
  const data = { node, who, to, ...made };
  if (made.answered) {
    const id = made.callId === null ? '' : ` (call ${made.callId})`;
    return { changed: true, data, text: () => `${who} has picked up; ${to} is dialled${id}\n` };
  }
  return { data, text: () => '', ...endedBy([notAnswered(made, who)]) };
}

/** Nobody picked up, in words. */
function notAnswered({ q850, sip, text }: Originated, who: string): SipctlError {
  const codes = [sip === null ? [] : `SIP ${sip}`, q850 === null ? [] : `Q.850 ${q850}`].flat().join(', ');
  return new SipctlError('failed', {
    code: 'not_answered',
    message: `${who} did not answer: ${text}${codes === '' ? '' : ` (${codes})`}`,
    hint: 'sipctl status shows whether phones are registered; --ring lets them ring longer',
  });
}

export const callOriginate: VerbSpec = {
  name: 'originate',
  summary: 'ring a user’s phone, and dial for the user once it is picked up',
  options: [
    ['--from <user>', 'the user who calls'],
    ['--to <number>', 'what the user would dial, or another user’s name'],
    ['--redial <cdr>', 'the call that cdr list shows: again, or back where it came in'],
    ['--ring <s>', 'seconds that the user’s phone may ring; the user’s own time where not given'],
    [
      '--node <names>',
      'only these nodes, separated by commas; where the phone is registered where not given',
    ],
  ],
  examples: [
    'sipctl call originate --tenant acme --from ann --to "030 123456"',
    'sipctl call originate --tenant acme --redial 1714.12',
  ],
  run: originate,
};

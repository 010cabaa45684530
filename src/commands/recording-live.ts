import type { App } from '../app.ts';
import type { Call, Leg } from '../model/live/call.ts';
import { recordingPath } from '../model/recording.ts';
import type { ControlPlane } from '../platforms/control-plane.ts';
import type { Input, Run, VerbSpec } from './command.ts';
import { atCall, demandState, legOf, legOption, refOf, scopeOptions } from './live-scope.ts';

/** One change of what is written of a running call. */
interface Change {
  verb: 'start' | 'stop' | 'pause' | 'resume';
  done: string;
  perform(plane: ControlPlane, leg: Leg, path: string): Promise<void>;
}

const change =
  ({ verb, done, perform }: Change): Run =>
  (app, input) =>
    atCall(app, input, async ({ call, node, plane }) => {
      demandState(call, ['answered', 'held'], 'there is nothing to record yet');
      const leg = await recordedLeg(input, call);
      const path = pathOf(app, call);
      // Before it is done: a command that dies in the middle has told who did it all the same.
      await auditChange(app, call, { verb, node, leg: leg.id, ...(verb === 'start' ? { path } : {}) });
      await perform(plane, leg, path);
      return {
        changed: true,
        data: { node, call: call.id, leg: leg.id, verb, path: verb === 'start' ? path : null },
        text: (style) => `call ${style.bold(call.id)} ${done}${verb === 'start' ? ` to ${path}` : ''}\n`,
      };
    });

// The party outside, as the dialplan does; inside, it makes no difference.
const recordedLeg = (input: Input, call: Call): Promise<Leg> => {
  const outside = call.legs.filter(({ party }) => party?.kind !== 'user');
  return legOf(input, call, outside.length === 1 ? 'outside' : 'caller');
};

// A call may be recorded several times: the second makes each file another one.
function pathOf(app: App, call: Call): string {
  const at = app.now().toISOString();
  const id = `${call.id}--${at.slice(11, 19).replaceAll(':', '')}`;
  return recordingPath(call.tenant ?? app.config.tenant, at.slice(0, 10), id);
}

const auditChange = async (app: App, call: Call, detail: Record<string, unknown>): Promise<void> =>
  (await app.store()).audit({
    ...{ action: 'record', noun: 'call', tenant: call.tenant, name: call.id, detail },
  });

const changes: readonly (Change & { summary: string })[] = [
  {
    ...{ verb: 'start', summary: 'record a call that runs', done: 'is recorded' },
    perform: (plane, leg, path) => plane.startRecording(refOf(leg), path),
  },
  {
    ...{ verb: 'stop', summary: 'end the recording of a call', done: 'is no longer recorded' },
    perform: (plane, leg) => plane.stopRecording(refOf(leg)),
  },
  {
    ...{ verb: 'pause', summary: 'write silence, while card data is said', done: 'is written as silence' },
    perform: (plane, leg) => plane.pauseRecording(refOf(leg), true),
  },
  {
    ...{ verb: 'resume', summary: 'write again what is said', done: 'is recorded again' },
    perform: (plane, leg) => plane.pauseRecording(refOf(leg), false),
  },
];

export const liveRecordingVerbs: readonly VerbSpec[] = changes.map((one) => ({
  name: one.verb,
  summary: one.summary,
  args: '<call>',
  options: [...scopeOptions, legOption('the party outside')],
  run: change(one),
}));

import type { Plan } from './destinations.ts';
import {
  type Context,
  extension,
  gosub,
  goto,
  hangup,
  routine,
  type Step,
  set,
  step,
  when,
  word,
} from './dialplan.ts';
import { wanted, wantedWhen } from './recording.ts';

/** How a call of a user begins: who calls, what every call carries, and whether there is room for another one. */
export function beginning(plan: Plan): Context[] {
  const { flow } = plan;
  return [
    ...(flow.users.length > 0 ? [entry(plan), caller(plan), callers(plan)] : []),
    start(plan),
    limits(plan),
  ];
}

// Asterisk takes the best match of the whole context: who calls, and from where, is asked before what was dialled.
function entry({ flow, names }: Plan): Context {
  const emergencies = flow.dialled.some(({ action }) => action.kind === 'emergency');
  return {
    name: `t-${names.tenant}`,
    about: 'A user calls.',
    owner: '',
    includes: [],
    extensions: [
      extension('_[+*#0-9]!', [
        set('DIALLED', '${EXTEN:0:1}${FILTER(*#0-9,${EXTEN:1})}'),
        when('${LEN(${DIALLED})} != ${LEN(${EXTEN})}', hangup(unallocated)),
        gosub(names.routine('caller')),
        ...(emergencies
          ? [
              step(
                'GotoIf',
                `\${DIALPLAN_EXISTS(${names.routine('emergency')},\${DIALLED},1)}?${names.routine('emergency')},\${DIALLED},1`,
              ),
            ]
          : []),
        gosub(names.routine('limits')),
        goto(names.routine('dialled'), '${DIALLED}'),
      ]),
    ],
  };
}

/** Q.850 causes of calls that are refused. */
const unallocated = 1;
const busy = 17;
const forbidden = 21;

function caller({ flow, names }: Plan): Context {
  const someUser = flow.users.some(({ record }) => record);
  return routine(names.routine('caller'), 'Who calls? The endpoint says so; a call of nobody ends here.', [
    gosub(names.routine('start'), 'internal'),
    set('CALLER', '${FILTER(*#0-9,${SIPCTL_USER})}'),
    step('GotoIf', `\${DIALPLAN_EXISTS(${names.routine('callers')},\${CALLER},1)}?known`),
    hangup(forbidden),
    step('Gosub', `${names.routine('callers')},\${CALLER},1`, 'known'),
    ...(someUser
      ? [
          set('ARRAY(MAX_CALLS,TOLL_CLASS,SHOWN,BOX,RECORD)', '${GOSUB_RETVAL}'),
          wantedWhen('"${RECORD}" = "yes"'),
        ]
      : [set('ARRAY(MAX_CALLS,TOLL_CLASS,SHOWN,BOX)', '${GOSUB_RETVAL}')]),
    set('GROUP(sipctl_user)', `${names.tenant}.\${CALLER}`),
    step('Return'),
  ]);
}

const callers = ({ flow, names }: Plan): Context => ({
  name: names.routine('callers'),
  about: 'Each caller: call limit (0: none), toll class, number shown outside, voicemail box.',
  owner: '',
  includes: [],
  extensions: flow.users.map(
    ({ name, extension: number, maxCalls, tollClass, callerId, mailbox, record }) => {
      const box = mailbox === null ? '' : `${mailbox.box}@${mailbox.context}`;
      const values = [maxCalls, tollClass, word(callerId ?? ''), word(box), ...(record ? ['yes'] : [])];
      return extension(word(number), [step('Return', values.join(','))], `user ${word(name)}`);
    },
  ),
});

const start = ({ flow, names }: Plan): Context =>
  routine(names.routine('start'), 'What every call carries: direction.', [
    set('CHANNEL(accountcode)', names.tenant),
    set('__SIPCTL_TENANT', names.tenant),
    set('__SIPCTL_DIRECTION', '${ARG1}'),
    set('__SIPCTL_CALL', '${UNIQUEID}'),
    set('GROUP(sipctl_tenant)', names.tenant),
    ...wanted(flow.record),
    step('Return'),
  ]);

// Counted before it is asked: of two calls at once that are one too many, none slips through.
function limits({ flow, names }: Plan): Context {
  const tenantLimit: Step[] =
    flow.maxCalls === 0
      ? []
      : [when(`\${GROUP_COUNT(${names.tenant}@sipctl_tenant)} > ${flow.maxCalls}`, hangup(busy))];
  const calls = `\${GROUP_COUNT(${names.tenant}.\${CALLER}@sipctl_user)}`;
  return routine(
    names.routine('limits'),
    'Is there room for another call of the tenant, and of the caller?',
    [...tenantLimit, when(`0\${MAX_CALLS} > 0 & ${calls} > 0\${MAX_CALLS}`, hangup(busy)), step('Return')],
  );
}

import { setTimeout as sleep } from 'node:timers/promises';
import { SipctlError } from '../../../errors.ts';
import type { ChannelRef } from '../../control-plane.ts';
import type { AmiFields, AmiMessage } from '../ami/codec.ts';
import type { AmiConnection } from '../ami/connection.ts';
import { AmiError } from '../ami/failures.ts';
import { leastWrite } from '../rights.ts';

const pollMs = 100;

/** What the verbs have in common: an open session, and words for what goes wrong there. */
export class Hands {
  readonly ami: AmiConnection;
  /** The manager user. */
  readonly user: string;

  constructor(ami: AmiConnection, user: string) {
    this.ami = ami;
    this.user = user;
  }

  /** @throws SipctlError `notFound` for a channel that is not there, `refused` where the manager user may not */
  async act(action: string, fields: AmiFields): Promise<AmiMessage> {
    try {
      return await this.ami.action(action, fields);
    } catch (error) {
      throw this.inWords(error);
    }
  }

  /** Like `act`, for what is answered by a list. */
  async list(action: string, fields: AmiFields = {}): Promise<AmiMessage[]> {
    try {
      return await this.ami.list(action, fields);
    } catch (error) {
      throw this.inWords(error);
    }
  }

  /** What an error of an action means for whoever asked for the verb. */
  inWords(error: unknown): unknown {
    if (!(error instanceof AmiError)) return error;
    if (error.outcome === 'refused') return mayNot(this.user, error.action);
    if (
      /no such channel|no channel by that name|channel (is )?not (found|exist)|does not exist|no such conference|no conference by that name/i.test(
        error.reply,
      )
    )
      return gone(error.reply);
    return error;
  }

  /** The status of a channel, by its id, so that another one that has its name by now is not meant; null where it is gone. */
  async look({ id }: Pick<ChannelRef, 'id'>, variables = ''): Promise<AmiMessage | null> {
    const fields = { Channel: id, ...(variables === '' ? {} : { Variables: variables }) };
    const items = await this.list('Status', fields).catch((error: unknown) => {
      if (error instanceof SipctlError && error.outcome === 'notFound') return [];
      throw error;
    });
    return items.find((item) => item.get('Uniqueid') === id) ?? null;
  }

  /** Like `look`, where the channel must be there. @throws SipctlError `notFound` */
  async demand(leg: ChannelRef, variables = ''): Promise<AmiMessage> {
    const found = await this.look(leg, variables);
    if (found === null) throw gone(`the channel ${leg.channel} is not there any more`);
    return found;
  }

  /** Status of all channels. */
  async all(variables = ''): Promise<AmiMessage[]> {
    const items = await this.list('Status', variables === '' ? {} : { Variables: variables });
    return items.filter((item) => item.get('Event') === 'Status');
  }

  /** Asks until there is an answer; null where there is none in time. */
  async until<T>(ask: () => Promise<T | null>, patienceMs: number): Promise<T | null> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const answer = await ask();
      if (answer !== null || performance.now() > end) return answer;
      await sleep(pollMs);
    }
  }

  /** True where the dialplan has an extension of a context, of what it includes, or a pattern for it. */
  async hasExtension(context: string, extension: string): Promise<boolean> {
    const answer = await this.act('Getvar', { Variable: `DIALPLAN_EXISTS(${context},${extension},1)` });
    return answer.get('Value') === '1';
  }

  /** Demands a routine of the tenant's dialplan. @throws SipctlError `refused` */
  async demandRoutine(context: string): Promise<void> {
    if (await this.hasExtension(context, 's')) return;
    throw refused(
      'routine_missing',
      `the dialplan that runs has no [${context}]`,
      `'sipctl apply' brings it`,
    );
  }
}

/** The value of a variable that `look` asked for; null where the channel has none. */
export function variableIn(item: AmiMessage, name: string): string | null {
  const value = item
    .all('Variable')
    .find((one) => one.startsWith(`${name}=`))
    ?.slice(name.length + 1);
  return value === undefined || value === '' || value === '(null)' ? null : value;
}

export const gone = (message: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'channel_gone',
    message,
    hint: `see what runs: 'sipctl call list'`,
  });

export const refused = (code: string, message: string, hint: string): SipctlError =>
  new SipctlError('refused', { code, message, hint });

export const notDone = (code: string, message: string): SipctlError =>
  new SipctlError('failed', { code, message, hint: 'the Asterisk log (messages or full) says more' });

/** Classes of `write=` beyond those of provisioning, of which the action needs one. */
const classes: Readonly<Record<string, string>> = {
  ...{ Originate: 'originate', ConfbridgeList: 'reporting', ConfbridgeListRooms: 'reporting' },
  ...{
    MixMonitor: 'system',
    MuteAudio: 'system',
    ConfbridgeStartRecord: 'system',
    ConfbridgeStopRecord: 'system',
  },
};

/** The refusal of a verb for which the manager user lacks a class. */
function mayNot(user: string, action: string): SipctlError {
  const needed = classes[action] ?? 'call';
  return refused(
    'ami_rights',
    `the manager user '${user}' may not do this: ${action} needs write=${needed}`,
    `in manager.conf, section [${user}]: write = ${leastWrite},reporting,call,originate; then: asterisk -rx 'manager reload'`,
  );
}

const word = /^[+*#0-9A-Za-z_.-]{1,64}$/;

/** A number or an extension that is to be dialled, as the dialplan takes it. @throws SipctlError `invalid` */
export function dialable(dialled: string): string {
  if (word.test(dialled)) return dialled;
  throw new SipctlError('invalid', {
    code: 'invalid_number',
    message: `${JSON.stringify(dialled)} cannot be dialled`,
    field: 'to',
    hint: 'write it as +15551234567, or as an extension',
  });
}

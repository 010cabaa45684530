import { describe, expect, it } from 'vitest';
import { AmiError } from '../../../../src/platforms/asterisk/ami/failures.ts';
import { event, open, serverOf } from '../../../support/ami-client.ts';
import { message, type ReceivedAction } from '../../../support/ami-server.ts';
import { errorOf } from '../../../support/control-client.ts';

describe('lists', () => {
  const listAnswer = (action: ReceivedAction, start: string[], events: string[][]): string =>
    message(action, 'Response: Success', ...start, 'Message: follows') +
    events.map(([name = '', ...lines]) => event(name, `ActionID: ${action.id}`, ...lines)).join('');

  it('are gathered between their start and their end; other events go their own way', async () => {
    const answer = (action: ReceivedAction) =>
      action.name === 'PJSIPShowAuths'
        ? message(action, 'Response: Success', 'EventList: start') +
          event('AuthList', `ActionID: ${action.id}`, 'ObjectName: a') +
          event('AgentComplete', 'ActionID: 1', 'Queue: q') +
          event('AuthList', `ActionID: ${action.id}`, 'ObjectName: b') +
          event('OriginateResponse', 'ActionID: other', 'Response: Failure') +
          event('AuthListComplete', `ActionID: ${action.id}`, 'EventList: Complete', 'ListItems: 2')
        : undefined;
    const ami = await open(await serverOf({ answer, pieceBytes: 11 }));
    const events = ami.events();
    const items = await ami.list('PJSIPShowAuths');
    expect(items.map((item) => item.get('ObjectName'))).toEqual(['a', 'b']);
    expect((await events.next()).value?.get('Event')).toBe('AgentComplete');
    expect((await events.next()).value?.get('Event')).toBe('OriginateResponse');
  });

  it('end also where the last event only says so by its name, and where the start is not announced', async () => {
    const answer = (action: ReceivedAction) =>
      action.name === 'ParkedCalls'
        ? listAnswer(
            action,
            [],
            [
              ['ParkedCall', 'Exten: 701'],
              ['ParkedCallsComplete', 'Total: 1'],
            ],
          )
        : undefined;
    const ami = await open(await serverOf({ answer }));
    expect((await ami.list('ParkedCalls')).map((item) => item.get('Exten'))).toEqual(['701']);
  });

  it('may run side by side', async () => {
    const answer = (action: ReceivedAction) =>
      action.name.startsWith('PJSIP')
        ? listAnswer(
            action,
            ['EventList: start'],
            [
              ['Item', `ObjectName: ${action.name}`],
              ['ItemComplete', 'EventList: Complete'],
            ],
          )
        : undefined;
    const ami = await open(await serverOf({ answer }));
    const names = ['PJSIPShowAuths', 'PJSIPShowAors', 'PJSIPShowEndpoints'];
    const lists = await Promise.all(names.map((name) => ami.list(name)));
    expect(lists.map((items) => items.map((item) => item.get('ObjectName')))).toEqual(names.map((n) => [n]));
  });

  it.each([
    'No endpoints found\n',
    'No AORs found\n',
    'No Auths found\n',
    'No Contacts found\n',
    'No resource lists found\n',
    'No active conferences.',
  ])('that are empty are no error: %j', async (words) => {
    const answer = (action: ReceivedAction) =>
      action.name === 'Ask' ? message(action, 'Response: Error', `Message: ${words}`) : undefined;
    const ami = await open(await serverOf({ answer }));
    expect(await ami.list('Ask')).toEqual([]);
    expect(await errorOf(ami.action('Ask'))).toBeInstanceOf(AmiError);
  });

  it.each([
    'Unable to retrieve endpoint nosuch\n',
    'Permission denied',
    'No Conference by that name found.',
  ])('that are refused are an error: %j', async (words) => {
    const answer = (action: ReceivedAction) =>
      action.name === 'Ask' ? message(action, 'Response: Error', `Message: ${words}`) : undefined;
    const ami = await open(await serverOf({ answer }));
    expect(await errorOf(ami.list('Ask'))).toMatchObject({ reply: words.trim() });
  });

  it('that are cancelled, or never end, are an error', async () => {
    const answer = (action: ReceivedAction) => {
      if (action.name === 'Never') return listAnswer(action, ['EventList: start'], [['Item']]);
      if (action.name !== 'Cancelled') return undefined;
      const end = ['ItemComplete', 'EventList: cancelled', 'Message: gone'];
      return listAnswer(action, ['EventList: start'], [['Item'], end]);
    };
    const ami = await open(await serverOf({ answer }));
    expect(await errorOf(ami.list('Cancelled'))).toMatchObject({ reply: 'gone' });
    expect((await errorOf(ami.list('Never', {}, { timeoutMs: 50 }))).outcome).toBe('unreachable');
  });
});

import type { Account, CredentialList } from './account.ts';
import {
  accountAnswer,
  callAnswer,
  callRecordingAnswer,
  credentialAnswer,
  credentialListAnswer,
  numberAnswer,
  recordingAnswer,
} from './answers.ts';
import type { Form } from './form.ts';
import { conflict, invalid, notFound } from './refused.ts';
import { type Asked, created, gone, list, type Route, shown } from './route.ts';

const root = '/2010-04-01/Accounts/{AccountSid}';
const lists = `${root}/SIP/CredentialLists`;
const credentials = `${lists}/{CredentialListSid}/Credentials`;

/** `api.twilio.com/2010-04-01`: what sipctl may ask of it. */
export const apiRoutes: Route[] = [
  { method: 'GET', path: `${root}.json`, answer: ({ account }) => shown(accountAnswer(account)) },
  ...credentialLists(),
  ...credentialsOfList(),
  list(`${root}/IncomingPhoneNumbers.json`, 'incoming_phone_numbers', ({ account, query }) => {
    const wanted = query.get('PhoneNumber');
    return account.numbers
      .filter(({ phoneNumber }) => wanted === null || phoneNumber.includes(wanted))
      .map((number) => numberAnswer(account, number));
  }),
  {
    method: 'GET',
    path: `${root}/IncomingPhoneNumbers/{Sid}.json`,
    answer: ({ account, params, path }) =>
      shown(numberAnswer(account, oneOf(account.numbers, params.Sid, path))),
  },
  list(`${root}/Calls.json`, 'calls', ({ account, query }) =>
    account.calls
      .filter(({ to, from }) => (query.get('To') ?? to) === to && (query.get('From') ?? from) === from)
      .map((call) => callAnswer(account, call)),
  ),
  {
    method: 'GET',
    path: `${root}/Calls/{Sid}.json`,
    answer: ({ account, params, path }) => shown(callAnswer(account, oneOf(account.calls, params.Sid, path))),
  },
  ...recordings(),
];

function credentialLists(): Route[] {
  return [
    list(`${lists}.json`, 'credential_lists', ({ account }) =>
      account.credentialLists.map((one) => credentialListAnswer(account, one)),
    ),
    {
      method: 'POST',
      path: `${lists}.json`,
      answer: ({ account, form }) => {
        const friendlyName = newListName(account, form);
        const made = { sid: account.newSid('CL'), friendlyName, credentials: [] };
        account.credentialLists.push(made);
        return created(credentialListAnswer(account, made));
      },
    },
    {
      method: 'GET',
      path: `${lists}/{CredentialListSid}.json`,
      answer: (asked) => shown(credentialListAnswer(asked.account, listOf(asked))),
    },
    {
      method: 'POST',
      path: `${lists}/{CredentialListSid}.json`,
      answer: (asked) => {
        const found = listOf(asked);
        found.friendlyName = newListName(asked.account, asked.form, found);
        return shown(credentialListAnswer(asked.account, found));
      },
    },
    {
      method: 'DELETE',
      path: `${lists}/{CredentialListSid}.json`,
      answer: (asked) => {
        const { account } = asked;
        const found = listOf(asked);
        if (account.trunks.some((trunk) => trunk.credentialLists.includes(found.sid)))
          throw conflict('The credential list is associated with a trunk');
        account.credentialLists = account.credentialLists.filter((one) => one !== found);
        return gone;
      },
    },
  ];
}

function listOf({ account, params, path }: Asked): CredentialList {
  return oneOf(account.credentialLists, params.CredentialListSid, path);
}

/** Twilio keeps the names of an account's lists apart. */
function newListName(account: Account, form: Form, self?: CredentialList): string {
  const name = form.text('FriendlyName', 64, 21240);
  if (account.credentialLists.some((one) => one !== self && one.friendlyName === name))
    throw invalid(21240, `A credential list with the friendly name '${name}' already exists`);
  return name;
}

function credentialsOfList(): Route[] {
  return [
    list(`${credentials}.json`, 'credentials', (asked) => {
      const of = listOf(asked);
      return of.credentials.map((credential) => credentialAnswer(asked.account, of, credential));
    }),
    {
      method: 'POST',
      path: `${credentials}.json`,
      answer: (asked) => {
        const { account, form } = asked;
        const of = listOf(asked);
        const username = form.text('Username', 32, 21243);
        if (of.credentials.some((other) => other.username === username))
          throw invalid(21243, `A credential with the user name '${username}' already exists`);
        const made = { sid: account.newSid('CR'), username, password: password(form) };
        of.credentials.push(made);
        return created(credentialAnswer(account, of, made));
      },
    },
    {
      method: 'GET',
      path: `${credentials}/{Sid}.json`,
      answer: (asked) => {
        const of = listOf(asked);
        return shown(
          credentialAnswer(asked.account, of, oneOf(of.credentials, asked.params.Sid, asked.path)),
        );
      },
    },
    {
      method: 'POST',
      path: `${credentials}/{Sid}.json`,
      answer: (asked) => {
        const of = listOf(asked);
        const found = oneOf(of.credentials, asked.params.Sid, asked.path);
        if (asked.form.has('Password')) found.password = password(asked.form);
        return shown(credentialAnswer(asked.account, of, found));
      },
    },
    {
      method: 'DELETE',
      path: `${credentials}/{Sid}.json`,
      answer: (asked) => {
        const of = listOf(asked);
        const found = oneOf(of.credentials, asked.params.Sid, asked.path);
        of.credentials = of.credentials.filter((other) => other !== found);
        return gone;
      },
    },
  ];
}

function password(form: Form): string {
  const value = form.text('Password', 255, 21243);
  if (value.length >= 12 && /\d/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value)) return value;
  throw invalid(21243, 'Password must have at least 12 characters, one digit, and mixed case');
}

function recordings(): Route[] {
  const one = ({ account, params, path }: Asked): Account['recordings'][number] =>
    oneOf(account.recordings, params.Sid, path);
  return [
    list(`${root}/Recordings.json`, 'recordings', ({ account, query }) =>
      account.recordings
        .filter(({ callSid }) => (query.get('CallSid') ?? callSid) === callSid)
        .map((recording) => recordingAnswer(account, recording)),
    ),
    list(`${root}/Calls/{CallSid}/Recordings.json`, 'recordings', ({ account, params, path }) => {
      const call = oneOf(account.calls, params.CallSid, path);
      return account.recordings
        .filter(({ callSid }) => callSid === call.sid)
        .map((recording) => callRecordingAnswer(account, recording));
    }),
    {
      method: 'GET',
      path: `${root}/Recordings/{Sid}.json`,
      answer: (asked) => shown(recordingAnswer(asked.account, one(asked))),
    },
    // The sound itself: in no specification, but in the documentation of recordings.
    ...['.wav', '.mp3', ''].map(
      (ending): Route => ({
        method: 'GET',
        path: `${root}/Recordings/{Sid}${ending}`,
        answer: (asked) => ({
          status: 200,
          bytes: one(asked).audio,
          type: ending === '.mp3' ? 'audio/mpeg' : 'audio/x-wav',
        }),
      }),
    ),
  ];
}

function oneOf<T extends { sid: string }>(all: readonly T[], wanted: string | undefined, path: string): T {
  const found = all.find(({ sid }) => sid === wanted);
  if (found === undefined) throw notFound(path);
  return found;
}

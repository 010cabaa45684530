import type { Account, Origination, Trunk } from './account.ts';
import {
  accessAnswer,
  associationAnswer,
  originationAnswer,
  trunkAnswer,
  trunkNumberAnswer,
} from './answers.ts';
import type { Form } from './form.ts';
import { conflict, invalid, notFound } from './refused.ts';
import { created, gone, list, type Route, shown } from './route.ts';

/** `trunking.twilio.com/v1`: what sipctl may ask of it. */
export const trunkingRoutes: Route[] = [
  list('/v1/Trunks', 'trunks', ({ account }) => account.trunks.map((trunk) => trunkAnswer(account, trunk))),
  {
    method: 'POST',
    path: '/v1/Trunks',
    answer: ({ account, form, reservesDomains }) => {
      const trunk = newTrunk(account);
      changeTrunk(account, trunk, form, reservesDomains);
      account.trunks.push(trunk);
      return created(trunkAnswer(account, trunk));
    },
  },
  {
    method: 'GET',
    path: '/v1/Trunks/{TrunkSid}',
    answer: (request) => shown(trunkAnswer(request.account, trunkOf(request))),
  },
  {
    method: 'POST',
    path: '/v1/Trunks/{TrunkSid}',
    answer: (request) => {
      const trunk = trunkOf(request);
      changeTrunk(request.account, trunk, request.form, request.reservesDomains);
      return shown(trunkAnswer(request.account, trunk));
    },
  },
  {
    method: 'DELETE',
    path: '/v1/Trunks/{TrunkSid}',
    answer: (request) => {
      const { account } = request;
      const trunk = trunkOf(request);
      account.trunks = account.trunks.filter((other) => other !== trunk);
      for (const number of account.numbers) if (number.trunkSid === trunk.sid) number.trunkSid = null;
      if (trunk.domainName !== null) account.reservedDomains.add(trunk.domainName);
      return gone;
    },
  },
  ...associations(),
  list('/v1/Trunks/{TrunkSid}/IpAccessControlLists', 'ip_access_control_lists', (request) => {
    const trunk = trunkOf(request);
    return trunk.ipAccessControlLists.map((one) => accessAnswer(request.account, trunk, one));
  }),
  ...originations(),
  ...numbers(),
  {
    method: 'GET',
    path: '/v1/Trunks/{TrunkSid}/Recording',
    answer: (request) => shown({ ...trunkOf(request).recording }),
  },
  {
    method: 'POST',
    path: '/v1/Trunks/{TrunkSid}/Recording',
    answer: (request) => {
      const { recording } = trunkOf(request);
      const { form } = request;
      const modes = ['do-not-record', 'record-from-ringing', 'record-from-answer'];
      const dual = ['record-from-ringing-dual', 'record-from-answer-dual'];
      const mode = form.has('Mode') ? form.oneOf('Mode', ...modes, ...dual) : recording.mode;
      const trim = form.has('Trim') ? form.oneOf('Trim', 'trim-silence', 'do-not-trim') : recording.trim;
      Object.assign(recording, { mode, trim });
      return shown({ ...recording });
    },
  },
];

type Asked = Parameters<Route['answer']>[0];

function trunkOf({ account, params, path }: Asked): Trunk {
  const trunk = account.trunks.find(({ sid }) => sid === params.TrunkSid);
  if (trunk === undefined) throw notFound(path);
  return trunk;
}

const newTrunk = (account: Account): Trunk => ({
  sid: account.newSid('TK'),
  friendlyName: null,
  domainName: null,
  secure: false,
  recording: { mode: 'do-not-record', trim: 'do-not-trim' },
  credentialLists: [],
  ipAccessControlLists: [],
  originations: [],
});

function changeTrunk(account: Account, trunk: Trunk, form: Form, reservesDomains: boolean): void {
  const friendlyName = form.has('FriendlyName') ? form.text('FriendlyName', 64) : trunk.friendlyName;
  const domainName = form.has('DomainName') ? form.text('DomainName', 255) : trunk.domainName;
  const secure = form.has('Secure') ? form.boolean('Secure') : trunk.secure;
  if (domainName !== null && domainName !== trunk.domainName) {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.pstn\.twilio\.com$/.test(domainName))
      throw invalid(21245, `Trunk Domain Name '${domainName}' is invalid`);
    const isTaken =
      account.takenDomains.has(domainName) ||
      (reservesDomains && account.reservedDomains.has(domainName)) ||
      account.trunks.some((other) => other.domainName === domainName);
    if (isTaken) throw invalid(21248, 'Trunk Domain already taken');
  }
  Object.assign(trunk, { friendlyName, domainName, secure });
}

function associations(): Route[] {
  const path = '/v1/Trunks/{TrunkSid}/CredentialLists';
  return [
    list(path, 'credential_lists', (request) => {
      const trunk = trunkOf(request);
      return listsOf(request.account, trunk).map((one) => associationAnswer(request.account, trunk, one));
    }),
    {
      method: 'POST',
      path,
      answer: (request) => {
        const { account, form } = request;
        const trunk = trunkOf(request);
        const sid = form.text('CredentialListSid', 34);
        const found = account.credentialLists.find((one) => one.sid === sid);
        if (found === undefined) throw notFound(`/CredentialLists/${sid}`);
        if (trunk.credentialLists.includes(sid))
          throw conflict('The credential list is associated with the trunk already');
        trunk.credentialLists.push(sid);
        return created(associationAnswer(account, trunk, found));
      },
    },
    {
      method: 'GET',
      path: `${path}/{Sid}`,
      answer: (request) => {
        const trunk = trunkOf(request);
        const found = listsOf(request.account, trunk).find(({ sid }) => sid === request.params.Sid);
        if (found === undefined) throw notFound(request.path);
        return shown(associationAnswer(request.account, trunk, found));
      },
    },
    {
      method: 'DELETE',
      path: `${path}/{Sid}`,
      answer: (request) => {
        const trunk = trunkOf(request);
        if (!trunk.credentialLists.includes(request.params.Sid ?? '')) throw notFound(request.path);
        trunk.credentialLists = trunk.credentialLists.filter((sid) => sid !== request.params.Sid);
        return gone;
      },
    },
  ];
}

const listsOf = (account: Account, { credentialLists }: Trunk): Account['credentialLists'] =>
  account.credentialLists.filter(({ sid }) => credentialLists.includes(sid));

function originations(): Route[] {
  const path = '/v1/Trunks/{TrunkSid}/OriginationUrls';
  const one = (request: Asked): Origination => {
    const found = trunkOf(request).originations.find(({ sid }) => sid === request.params.Sid);
    if (found === undefined) throw notFound(request.path);
    return found;
  };
  return [
    list(path, 'origination_urls', (request) => {
      const trunk = trunkOf(request);
      return trunk.originations.map((origination) => originationAnswer(request.account, trunk, origination));
    }),
    {
      method: 'POST',
      path,
      answer: (request) => {
        const { account, form } = request;
        const trunk = trunkOf(request);
        const origination = {
          ...{ sid: account.newSid('OU'), friendlyName: form.text('FriendlyName', 64) },
          ...{ sipUrl: sipUrl(form), priority: form.integer('Priority', 0, 65_535) },
          ...{ weight: form.integer('Weight', 1, 65_535), enabled: form.boolean('Enabled') },
        };
        trunk.originations.push(origination);
        return created(originationAnswer(account, trunk, origination));
      },
    },
    {
      method: 'GET',
      path: `${path}/{Sid}`,
      answer: (request) => shown(originationAnswer(request.account, trunkOf(request), one(request))),
    },
    {
      method: 'POST',
      path: `${path}/{Sid}`,
      answer: (request) => {
        const { form } = request;
        const found = one(request);
        Object.assign(found, {
          ...(form.has('FriendlyName') && { friendlyName: form.text('FriendlyName', 64) }),
          ...(form.has('SipUrl') && { sipUrl: sipUrl(form) }),
          ...(form.has('Priority') && { priority: form.integer('Priority', 0, 65_535) }),
          ...(form.has('Weight') && { weight: form.integer('Weight', 1, 65_535) }),
          ...(form.has('Enabled') && { enabled: form.boolean('Enabled') }),
        });
        return shown(originationAnswer(request.account, trunkOf(request), found));
      },
    },
    {
      method: 'DELETE',
      path: `${path}/{Sid}`,
      answer: (request) => {
        const [trunk, found] = [trunkOf(request), one(request)];
        trunk.originations = trunk.originations.filter((other) => other !== found);
        return gone;
      },
    },
  ];
}

function sipUrl(form: Form): string {
  const url = form.text('SipUrl', 255);
  if (!/^sips?:[^\s]+$/.test(url)) throw invalid(20001, `SipUrl: '${url}' has no sip scheme`);
  return url;
}

function numbers(): Route[] {
  const path = '/v1/Trunks/{TrunkSid}/PhoneNumbers';
  const attached = (request: Asked): Account['numbers'] => {
    const trunk = trunkOf(request);
    return request.account.numbers.filter(({ trunkSid }) => trunkSid === trunk.sid);
  };
  const one = (request: Asked): Account['numbers'][number] => {
    const found = attached(request).find(({ sid }) => sid === request.params.Sid);
    if (found === undefined) throw notFound(request.path);
    return found;
  };
  return [
    list(path, 'phone_numbers', (request) =>
      attached(request).map((number) => trunkNumberAnswer(request.account, trunkOf(request), number)),
    ),
    {
      method: 'POST',
      path,
      answer: (request) => {
        const { account, form } = request;
        const trunk = trunkOf(request);
        const sid = form.text('PhoneNumberSid', 34);
        const number = account.numbers.find((candidate) => candidate.sid === sid);
        if (number === undefined) throw notFound(`/PhoneNumbers/${sid}`);
        if (number.trunkSid === trunk.sid) throw conflict('The phone number is on the trunk already');
        // Taken from another trunk without a word: whoever asks has to look first.
        number.trunkSid = trunk.sid;
        return created(trunkNumberAnswer(account, trunk, number));
      },
    },
    {
      method: 'GET',
      path: `${path}/{Sid}`,
      answer: (request) => shown(trunkNumberAnswer(request.account, trunkOf(request), one(request))),
    },
    {
      method: 'DELETE',
      path: `${path}/{Sid}`,
      answer: (request) => {
        one(request).trunkSid = null;
        return gone;
      },
    },
  ];
}

import { account, type Explanations, fact, firewall } from './case.ts';

/** What a PBX says of the trunk. */
export const seenByPbx: Explanations = {
  not_on_node: (one) => ({
    message: `${fact(one, 'node')} does not have the ${one.subject.noun}`,
    hint: `sipctl apply --node ${fact(one, 'node')}`,
  }),
  no_phone: (one) => ({
    message: `no phone of ${account(one)} is registered at ${fact(one, 'node')}`,
    hint: 'the account works: look at the phone, its server and its password',
  }),
  registration_rejected: (one) => ({
    message: `the carrier answers ${fact(one, 'node')} and refuses the registration (${fact(one, 'detail')})`,
    field: 'password',
    hint: `look at the account ${account(one)}; without --via the test says more`,
  }),
  registration_failed: (one) => ({
    message: `${fact(one, 'node')} could not register (${fact(one, 'detail')}), and nothing shows that the carrier answers`,
    field: 'host',
    hint: firewall(one),
  }),
  unregistered: (one) => ({
    message: `${fact(one, 'node')} is not registered (${fact(one, 'detail')})`,
    hint: 'was the trunk just delivered? Else look at the log of the PBX',
  }),
  unreachable_from_pbx: (one) => ({
    message: `${one.subject.host} does not answer the OPTIONS of ${fact(one, 'node')}`,
    field: 'host',
    hint:
      one.subject.authType === 'ip'
        ? 'has the carrier the public address of the PBX? Else: '.concat(firewall(one))
        : firewall(one),
  }),
  not_asked: (one) => ({
    message: `${fact(one, 'node')} has not asked the carrier so far whether it is there`,
    hint: 'test again in a minute',
  }),
  not_callable: (one) => ({
    message: `${fact(one, 'node')} gives up calls over the trunk at once, without a word to the carrier`,
    hint: 'a PBX does so while it takes the carrier for dead: see pbx-qualify and pbx-registration',
  }),
  not_answered: () => ({
    message: 'the call rang and nobody took it',
    hint: 'call a number that answers',
  }),
};

import { account, type Case, type Explanations, fact, set } from './case.ts';

/** What the registrar says to the account. */
export const accepting: Explanations = {
  credentials_missing: (one) => ({
    message: `${one.subject.host} asks for an account, and the trunk has none`,
    field: 'username',
    hint: set(one, '--auth credential --username <account> --password-stdin'),
  }),
  credentials_rejected: (one) => ({
    message: `${one.subject.host} rejects ${account(one)} with this password${realm(one)}`,
    field: 'password',
    hint:
      one.subject.noun === 'user'
        ? `${set(one, '--password-stdin')}, and sipctl apply: the PBX may have an older one`
        : `the password first: ${set(one, '--password-stdin')}; then --username, and --auth-username where the carrier gives the digest user a name of its own`,
  }),
  rejected_before: (one) => ({
    message: `${one.subject.host} has rejected ${account(one)} in this run already, for another trunk: this one was not tried`,
    field: 'username',
    hint: `mend the other trunk first, or test this one alone: sipctl trunk test ${one.subject.name} --tenant ${one.subject.tenant}`,
  }),
  challenge_loop: (one) => ({
    message: `${one.subject.host} asks again and again, each time saying that only the nonce was too old`,
    hint: 'a fault of the carrier: several registrars that do not share their nonces; ask for one of their hosts',
  }),
  unsupported_challenge: (one) => ({
    message: `${one.subject.host} wants a kind of digest that no SIP engine has`,
    hint: 'MD5, SHA-256 and SHA-512-256 are known; ask the carrier to offer one of them',
  }),
  realm_mismatch: (one) => ({
    message: `the trunk answers realm '${one.subject.realm ?? ''}' only, the carrier asks as '${fact(one, 'realm')}'`,
    field: 'realm',
    hint: set(one, `--realm ${quoted(fact(one, 'realm'))}`),
  }),
  unknown_user: (one) => ({
    message: `${one.subject.host} knows no account '${one.subject.username ?? ''}'`,
    field: 'username',
    hint: `${set(one, '--username <account>')}${one.subject.template.usernameRule === null ? '' : ` (${one.subject.template.usernameRule.help})`}`,
  }),
  not_unregistered: () => ({
    message: 'the registration of this test could not be taken back',
    hint: 'it ends by itself; until then calls in may come here',
  }),
  interval_too_brief: (one) => ({
    message: `${one.subject.host} refuses how long the registration is to last, and names no time that it takes`,
    hint: 'a fault of the registrar; tell the carrier',
  }),
  redirect_loop: (one) => ({
    message: `${one.subject.host} sends the registration elsewhere, and from there elsewhere again`,
    field: 'host',
    hint: 'use the last host of the row',
  }),
  redirect_unreachable: (one) => ({
    message: `${one.subject.host} sends the registration elsewhere, and there is no way there: ${one.detail}`,
    field: 'host',
    hint: 'a fault of the carrier, or a name that only its own network knows: ask it for the right host',
  }),
};

// The carrier chose it, and it is going to be pasted into a shell.
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

const realm = (one: Case): string => (fact(one, 'realm') === '' ? '' : ` (realm '${fact(one, 'realm')}')`);

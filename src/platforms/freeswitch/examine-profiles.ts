import type { Check } from '../target.ts';
import { sofiaStatus } from './esl/commands.ts';
import type { Ask } from './esl/replies.ts';
import { isTrue, profilesInTree, settingsOf, speaksTls } from './profiles.ts';
import { carrierProfile } from './render/gateways.ts';
import { attributeOf, type Element } from './xml/element.ts';

/** What the SIP profiles, which are the operator's, make of delivered trunks and users. */
export async function profileChecks(ask: Ask): Promise<Check[]> {
  const running = new Set((await sofiaStatus(ask)).map(({ name }) => name));
  const profiles = (await profilesInTree(ask)).filter((profile) => running.has(nameOf(profile)));
  const carriers = profiles.find((profile) => nameOf(profile) === carrierProfile);
  return [
    running.has(carrierProfile)
      ? { name: 'profile', status: 'ok', message: `the SIP profile ${carrierProfile} runs` }
      : {
          name: 'profile',
          status: 'failed',
          message: `there is no SIP profile ${carrierProfile}, to which trunks belong`,
          hint: `make one in sip_profiles/${carrierProfile}.xml, as FreeSWITCH ships it`,
        },
    ...(carriers === undefined ? [] : carrierChecks(carriers)),
    ...profiles.flatMap((profile) => [...phoneChecks(profile), ...openDoors(profile)]),
  ];
}

const nameOf = (profile: Element): string => attributeOf(profile, 'name') ?? '';

const warning = (profile: Element, message: string, hint: string): Check => ({
  ...{ name: `profile ${nameOf(profile)}`, status: 'warning', message, hint },
});

const restart = (profile: Element): string =>
  `fs_cli -x 'sofia profile ${nameOf(profile)} restart reloadxml', which ends its calls`;

const rescan = (profile: Element): string => `fs_cli -x 'sofia profile ${nameOf(profile)} rescan'`;

function carrierChecks(profile: Element): Check[] {
  const settings = settingsOf(profile);
  const context = settings.get('context') ?? 'default';
  const checks: Check[] = [];
  if (isTrue(settings.get('auth-calls'))) {
    const message =
      'auth-calls is on: calls of carriers that do not register are asked for a password and refused';
    checks.push(warning(profile, message, `set auth-calls to false in it, then: ${rescan(profile)}`));
  }
  if (context !== 'public') {
    const message = `its context is ${context}: calls from the networks of trunks are looked for in public, and not found`;
    checks.push(warning(profile, message, `set context to public in it, then: ${rescan(profile)}`));
  }
  return checks;
}

/** Settings that put all users into one domain, whatever they name. */
const oneDomainSettings = ['force-register-domain', 'force-register-db-domain', 'force-subscription-domain'];

function phoneChecks(profile: Element): Check[] {
  const settings = settingsOf(profile);
  const checks: Check[] = [];
  const forced = oneDomainSettings.filter((setting) => settings.has(setting));
  if (forced.length > 0) {
    const [puts, them] = forced.length === 1 ? ['puts', 'it'] : ['put', 'them'];
    const message = `${forced.join(', ')} ${puts} every user into one domain: users of other tenants cannot register`;
    checks.push(warning(profile, message, `take ${them} out of the profile, then: ${restart(profile)}`));
  }
  if (nameOf(profile) === carrierProfile || !isTrue(settings.get('auth-calls'))) return checks;
  const realm = settings.get('challenge-realm') ?? '';
  if (!/^(?:auto_from|auto_to|)$/i.test(realm)) {
    const message = `challenge-realm is ${realm}: passwords are stored for the realm that is the user's domain, and no other`;
    checks.push(warning(profile, message, `set it to auto_from, then: ${restart(profile)}`));
  }
  const several = settings.get('multiple-registrations') ?? '';
  if (!isTrue(several) && !/^(?:call-id|contact)$/i.test(several)) {
    const message = "multiple-registrations is off: a user's second phone takes the place of the first";
    checks.push(warning(profile, message, `set it to contact, then: ${restart(profile)}`));
  }
  // A transfer to a call that is not on this server (REFER with Replaces, RFC 3891) is dialled as it stands: no dialplan
  // is asked, and a comma in the address begins another one, of whatever kind.
  if (!isTrue(settings.get('disable-transfer'))) {
    const message =
      'whoever talks on a phone of it can have any address called, or any trunk, past the toll class';
    const hint = `where users are not all trusted: <param name="disable-transfer" value="true"/> in it, then: ${rescan(profile)}; phones can then transfer no calls`;
    checks.push(warning(profile, message, hint));
  }
  return [
    ...checks,
    { name: `profile ${nameOf(profile)}`, status: 'ok', message: `phones reach it over ${ways(profile)}` },
  ];
}

function ways(profile: Element): string {
  const settings = settingsOf(profile);
  const found = [
    ...(isTrue(settings.get('tls-only')) ? [] : ['UDP', 'TCP']),
    ...(speaksTls(profile) ? ['TLS'] : []),
    ...((settings.get('ws-binding') ?? '') === '' ? [] : ['WS']),
    ...((settings.get('wss-binding') ?? '') === '' ? [] : ['WSS']),
  ];
  const missing = ['TLS', 'WSS'].filter((way) => !found.includes(way));
  const browsers = missing.includes('WSS') ? ' (browsers need wss-binding)' : '';
  return `${found.join(', ')}${missing.length === 0 ? '' : `; not over ${missing.join(', ')}${browsers}`}`;
}

/** Settings that let in whoever comes, and what is open then. */
const blind: Readonly<Record<string, string>> = {
  'accept-blind-reg': 'whoever registers is let in, whatever the password',
  'accept-blind-auth': 'whoever calls is let in, whatever the password',
};

const openDoors = (profile: Element): Check[] =>
  Object.entries(blind)
    .filter(([setting]) => isTrue(settingsOf(profile).get(setting)))
    .map(([setting, open]) =>
      warning(profile, `${setting} is on: ${open}`, `take it out of the profile, then: ${restart(profile)}`),
    );

import type { ReadOption, ReadSection } from './sections.ts';

/**
 * The sections that `type=wizard` of pjsip_wizard.conf stands for, as res_pjsip_config_wizard makes its objects: the
 * endpoint and the AOR carry the wizard's name, `-oauth`, `-iauth`, `-reg-0` and `-identify` follow it for the others.
 */
export function expandWizard(wizard: ReadSection): ReadSection[] {
  const setting = (name: string): ReadOption | undefined =>
    wizard.options.findLast(({ option }) => option === name);
  const isTrue = (name: string): boolean => /^(yes|true|y|t|1|on)$/i.test(setting(name)?.value ?? '');
  const line = (option: string, value: string, from?: ReadOption): ReadOption => ({
    option,
    value,
    place: (from ?? wizard).place,
  });
  const under = (prefix: string): ReadOption[] =>
    wizard.options.flatMap((one) =>
      one.option.startsWith(prefix) ? [{ ...one, option: one.option.slice(prefix.length) }] : [],
    );
  const section = (type: string, name: string, options: readonly ReadOption[]): ReadSection => ({
    ...{ name, place: wizard.place, marker: wizard.marker },
    options: [line('type', type), ...options],
  });
  const given = (option: string): ReadOption[] => {
    const found = setting(option);
    return found === undefined || found.value === '' ? [] : [found];
  };
  const id = wizard.name;
  const hosts = (setting('remote_hosts')?.value ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const fill = (pattern: string, host: string): string =>
    pattern
      .replaceAll('${REMOTE_HOST}', host)
      .replaceAll(
        '${USERNAME}',
        (isTrue('sends_auth') ? setting('outbound_auth/username')?.value : id) ?? id,
      );
  const pattern = (name: string, initial: string): string => setting(name)?.value ?? initial;
  const fromHosts = setting('remote_hosts');

  const auth = (direction: 'outbound' | 'inbound', needed: boolean): ReadSection[] => {
    if (!needed) return [];
    const options = under(`${direction}_auth/`);
    const typed = options.some(({ option }) => option === 'auth_type');
    return [
      section('auth', `${id}-${direction.charAt(0)}auth`, [
        ...options,
        ...(typed ? [] : [line('auth_type', 'userpass')]),
      ]),
    ];
  };
  const aor = under('aor/');
  const contacts = aor.some(({ option }) => option === 'contact')
    ? []
    : hosts.map((host) =>
        line('contact', fill(pattern('contact_pattern', 'sip:${REMOTE_HOST}'), host), fromHosts),
      );
  const identify = under('identify/');
  const matches = identify.some(({ option }) => option === 'match')
    ? []
    : hosts.map((host) => line('match', host, fromHosts));
  const registered = isTrue('sends_registrations') ? hosts : [];
  const noIdentify = isTrue('accepts_registrations') || isTrue('sends_line_with_registrations');
  return [
    ...auth('outbound', isTrue('sends_auth')),
    ...auth('inbound', isTrue('accepts_auth')),
    section('aor', id, [...aor, ...given('outbound_proxy'), ...contacts]),
    section('endpoint', id, [
      ...under('endpoint/'),
      line('aors', id),
      ...given('outbound_proxy'),
      ...given('transport'),
      ...(isTrue('sends_auth') ? [line('outbound_auth', `${id}-oauth`)] : []),
      ...(isTrue('accepts_auth') ? [line('auth', `${id}-iauth`)] : []),
    ]),
    ...registered.map((host, at) =>
      section('registration', `${id}-reg-${at}`, [
        ...under('registration/'),
        ...given('outbound_proxy'),
        line('server_uri', fill(pattern('server_uri_pattern', 'sip:${REMOTE_HOST}'), host), fromHosts),
        line(
          'client_uri',
          fill(pattern('client_uri_pattern', 'sip:${USERNAME}@${REMOTE_HOST}'), host),
          fromHosts,
        ),
        ...(isTrue('sends_auth') ? [line('outbound_auth', `${id}-oauth`)] : []),
        ...given('transport'),
        ...(isTrue('sends_line_with_registrations') ? [line('line', 'yes'), line('endpoint', id)] : []),
      ]),
    ),
    ...(noIdentify || hosts.length === 0
      ? []
      : [section('identify', `${id}-identify`, [line('endpoint', id), ...identify, ...matches])]),
  ];
}

import type { ReadOption, ReadSection } from './sections.ts';

/**
 * The sections that `type=wizard` of pjsip_wizard.conf stands for, as res_pjsip_config_wizard makes its objects: the
 * endpoint and the AOR carry the wizard's name, `-oauth`, `-iauth`, `-reg-0` and `-identify` follow it for the others.
 */
export function expandWizard(section: ReadSection): ReadSection[] {
  const wizard = new Wizard(section);
  return [
    ...wizard.auth('outbound', 'sends_auth'),
    ...wizard.auth('inbound', 'accepts_auth'),
    wizard.aor(),
    wizard.endpoint(),
    ...wizard.registrations(),
    ...wizard.identify(),
  ];
}

class Wizard {
  readonly #section: ReadSection;
  readonly #id: string;
  readonly #hosts: readonly string[];

  constructor(section: ReadSection) {
    this.#section = section;
    this.#id = section.name;
    this.#hosts = (this.#setting('remote_hosts')?.value ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
  }

  auth(direction: 'outbound' | 'inbound', needed: string): ReadSection[] {
    if (!this.#isTrue(needed)) return [];
    const options = this.#under(`${direction}_auth/`);
    const isTyped = options.some(({ option }) => option === 'auth_type');
    const type = isTyped ? [] : [this.#line('auth_type', 'userpass')];
    return [this.#part('auth', `${this.#id}-${direction.charAt(0)}auth`, [...options, ...type])];
  }

  aor(): ReadSection {
    const own = this.#under('aor/');
    const contacts = own.some(({ option }) => option === 'contact')
      ? []
      : this.#hosts.map((host) => this.#filled('contact', 'contact_pattern', 'sip:${REMOTE_HOST}', host));
    return this.#part('aor', this.#id, [...own, ...this.#given('outbound_proxy'), ...contacts]);
  }

  endpoint(): ReadSection {
    return this.#part('endpoint', this.#id, [
      ...this.#under('endpoint/'),
      this.#line('aors', this.#id),
      ...this.#given('outbound_proxy'),
      ...this.#given('transport'),
      ...this.#outboundAuth(),
      ...(this.#isTrue('accepts_auth') ? [this.#line('auth', `${this.#id}-iauth`)] : []),
    ]);
  }

  registrations(): ReadSection[] {
    if (!this.#isTrue('sends_registrations')) return [];
    const lines = this.#isTrue('sends_line_with_registrations')
      ? [this.#line('line', 'yes'), this.#line('endpoint', this.#id)]
      : [];
    return this.#hosts.map((host, at) =>
      this.#part('registration', `${this.#id}-reg-${at}`, [
        ...this.#under('registration/'),
        ...this.#given('outbound_proxy'),
        this.#filled('server_uri', 'server_uri_pattern', 'sip:${REMOTE_HOST}', host),
        this.#filled('client_uri', 'client_uri_pattern', 'sip:${USERNAME}@${REMOTE_HOST}', host),
        ...this.#outboundAuth(),
        ...this.#given('transport'),
        ...lines,
      ]),
    );
  }

  identify(): ReadSection[] {
    const isKnownOtherwise =
      this.#isTrue('accepts_registrations') || this.#isTrue('sends_line_with_registrations');
    if (isKnownOtherwise || this.#hosts.length === 0) return [];
    const own = this.#under('identify/');
    const matches = own.some(({ option }) => option === 'match')
      ? []
      : this.#hosts.map((host) => this.#line('match', host, this.#setting('remote_hosts')));
    const endpoint = this.#line('endpoint', this.#id);
    return [this.#part('identify', `${this.#id}-identify`, [endpoint, ...own, ...matches])];
  }

  #outboundAuth(): ReadOption[] {
    return this.#isTrue('sends_auth') ? [this.#line('outbound_auth', `${this.#id}-oauth`)] : [];
  }

  #filled(option: string, pattern: string, initial: string, host: string): ReadOption {
    const username = this.#isTrue('sends_auth') ? this.#setting('outbound_auth/username')?.value : null;
    const value = (this.#setting(pattern)?.value ?? initial)
      .replaceAll('${REMOTE_HOST}', host)
      .replaceAll('${USERNAME}', username ?? this.#id);
    return this.#line(option, value, this.#setting('remote_hosts'));
  }

  #setting(name: string): ReadOption | undefined {
    return this.#section.options.findLast(({ option }) => option === name);
  }

  #isTrue(name: string): boolean {
    return /^(yes|true|y|t|1|on)$/i.test(this.#setting(name)?.value ?? '');
  }

  #given(name: string): ReadOption[] {
    const found = this.#setting(name);
    return found === undefined || found.value === '' ? [] : [found];
  }

  #under(prefix: string): ReadOption[] {
    return this.#section.options.flatMap((one) =>
      one.option.startsWith(prefix) ? [{ ...one, option: one.option.slice(prefix.length) }] : [],
    );
  }

  #line(option: string, value: string, from?: ReadOption): ReadOption {
    return { option, value, place: (from ?? this.#section).place };
  }

  #part(type: string, name: string, options: readonly ReadOption[]): ReadSection {
    const { place, marker } = this.#section;
    return { ...{ name, place, marker }, options: [this.#line('type', type), ...options] };
  }
}

import type { ProviderTemplate, Sections, UserTemplate } from '../model/template.ts';
import { plain, type Style } from './style.ts';
import { listing, shown, table } from './table.ts';

const unknown = 'not published';

/** How sipctl writes numbers to a carrier, unless a trunk says otherwise. */
const writtenForms = {
  plus: '+ and E.164',
  digits: 'E.164 without +',
  national: 'national numbers with their prefix, others with the international one',
} as const;

/** The carriers, one line each. */
export function providersTable(providers: readonly ProviderTemplate[], style: Style = plain): string {
  return table(
    providers,
    [
      { title: 'ID', value: ({ id }) => id, style: () => style.bold },
      { title: 'NAME', value: ({ displayName }) => displayName },
      { title: 'AUTH', value: ({ authTypes }) => authTypes.join(',') },
      { title: 'REGISTERS', value: ({ registration }) => registration.mode },
      { title: 'HOST', value: ({ hosts, hostPattern }) => hosts[0]?.host ?? hostPattern ?? 'yours' },
      { title: 'VERIFIED', value: ({ verified }) => verified },
    ],
    style,
  );
}

/** Everything that is known of a carrier; what is not published says so. */
export function providerText(provider: ProviderTemplate, style: Style = plain): string {
  const { registration, networks } = provider;
  const required = Object.entries(provider.requiredFields).map(
    ([auth, fields]) => `${auth}: ${fields?.join(', ')}`,
  );
  const head = listing(
    [
      ['id', style.bold(provider.id)],
      ['name', provider.displayName],
      ['auth', provider.authTypes.join(', ')],
      ['needs', required.join('; ') || '-'],
      ['takes also', shown(provider.optionalFields)],
      [
        'hosts',
        provider.hosts.map(({ host, region }) => `${host} (${region})`).join(', ') ||
          provider.hostPattern ||
          'the one the carrier gave you',
      ],
      [
        'transports',
        provider.transports.map((one) => `${one} ${provider.ports[one] ?? ''}`.trim()).join(', '),
      ],
      [
        'registers',
        registration.expiry === null
          ? registration.mode
          : `${registration.mode}, every ${registration.expiry} s`,
      ],
      ['realm', provider.realm ?? 'any'],
      ['user name', provider.usernameRule?.help ?? 'any'],
      ['From user', provider.fromUser],
      ['called number in', provider.didSource ?? unknown],
      ['number format in', provider.didFormat ?? unknown],
      ['number format out', provider.dialedFormat ?? unknown],
      ['sipctl writes', writtenForms[provider.numberFormat ?? 'plus']],
      ['codecs', provider.codecs.join(',')],
      ['DTMF', provider.dtmf],
      ['SRTP', provider.srtp ?? unknown],
      ['T.38', provider.t38 === null ? unknown : shown(provider.t38)],
      [
        'networks',
        networks === null
          ? unknown
          : `${networks.cidrs.join(', ')} (${networks.source}, read ${networks.read})`,
      ],
      ['documents', provider.docs],
      ['verified', provider.verified],
      ['template', provider.origin],
    ],
    style,
  );
  const failures = provider.failures.map(
    ({ cause, stage, means }) => `${cause}${stage === null ? '' : ` (${stage})`}: ${means}`,
  );
  return (
    head +
    notes('failures', failures, style) +
    notes('notes', provider.notes, style) +
    sections(provider.asterisk, style)
  );
}

/** The kinds of phones, one line each. */
export function userTemplatesTable(templates: readonly UserTemplate[], style: Style = plain): string {
  return table(
    templates,
    [
      { title: 'ID', value: ({ id }) => id, style: () => style.bold },
      { title: 'NAME', value: ({ displayName }) => displayName },
      { title: 'CODECS', value: ({ codecs }) => codecs.join(',') },
      { title: 'CONTACTS', value: ({ maxContacts }) => String(maxContacts), align: 'right' },
      { title: 'FOR', value: ({ description }) => description },
    ],
    style,
  );
}

export function userTemplateText(template: UserTemplate, style: Style = plain): string {
  const head = listing(
    [
      ['id', style.bold(template.id)],
      ['name', template.displayName],
      ['for', template.description],
      ['codecs', template.codecs.join(',')],
      ['max contacts', String(template.maxContacts)],
      ['qualify', `every ${template.qualifyFrequency} s`],
      ['context', template.context ?? 'the tenant’s'],
      ['template', template.origin],
    ],
    style,
  );
  return head + notes('corrections', template.corrections, style) + sections(template.asterisk, style);
}

const notes = (title: string, texts: readonly string[], style: Style): string =>
  texts.length === 0 ? '' : `\n${style.dim(`${title}:`)}\n${texts.map((text) => `  - ${text}\n`).join('')}`;

function sections(all: Sections, style: Style): string {
  const parts = Object.entries(all).map(([type, options]) => {
    const lines = Object.entries(options).map(([option, expression]) => `    ${option} = ${expression}\n`);
    return `  ${style.bold(type)}\n${lines.join('')}`;
  });
  return `\n${style.dim('asterisk:')}\n${parts.join('')}`;
}

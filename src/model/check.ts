import type { Problem } from '../errors.ts';
import { optionProblems } from './check-options.ts';
import { nearest } from './nearest.ts';
import type { Trunk, User } from './nouns.ts';
import { trunk as trunkNoun } from './nouns.ts';
import { isVideoCodec } from './rules.ts';
import type { Catalog, ProviderTemplate } from './template.ts';

/** A trunk's values before it has an id: what `add` and `set` check as a whole. */
export type TrunkValues = Omit<Trunk, 'id' | 'tenant' | 'createdAt' | 'updatedAt'>;
export type UserValues = Omit<User, 'id' | 'tenant' | 'createdAt' | 'updatedAt'>;

/** What a trunk's values mean together, and to its provider. All complaints at once. */
export function checkTrunk(trunk: TrunkValues, catalog: Catalog): Problem[] {
  const template = catalog.providers.get(trunk.provider);
  if (template === undefined)
    return [unknownTemplate('provider', trunk.provider, [...catalog.providers.keys()])];
  const authType = trunk.authType ?? template.authTypes[0] ?? 'credential';
  return [
    ...choiceProblems(trunk, template),
    ...missingFields(trunk, template, authType),
    ...hostProblems(trunk, template, authType),
    ...usernameProblems(trunk, template),
    ...registrationProblems(trunk, template, authType),
    ...fromUserProblems(trunk),
    ...optionProblems('trunk', trunk.options),
  ];
}

/** What a user's values mean together, and to its template. */
export function checkUser(user: UserValues, catalog: Catalog): Problem[] {
  const problems = optionProblems('user', user.options);
  if (!catalog.users.has(user.template)) {
    problems.push(unknownTemplate('template', user.template, [...catalog.users.keys()]));
  }
  if (user.codecs?.every(isVideoCodec) === true) {
    problems.push({
      code: 'invalid_codecs',
      message: 'codecs: there is no audio codec in the list',
      field: 'codecs',
      hint: 'add one, for example ulaw',
    });
  }
  return problems;
}

function unknownTemplate(field: string, id: string, known: string[]): Problem {
  const noun = field === 'provider' ? 'provider' : 'user-template';
  const near = nearest(id, known);
  return {
    code: `unknown_${field}`,
    message: `${field}: there is no ${noun} '${id}'`,
    field,
    hint: near === null ? `sipctl ${noun} list` : `did you mean '${near}'? See sipctl ${noun} list`,
  };
}

function choiceProblems(trunk: TrunkValues, template: ProviderTemplate): Problem[] {
  const problems: Problem[] = [];
  const offered: [keyof TrunkValues, readonly string[]][] = [
    ['authType', template.authTypes],
    ['transport', template.transports],
  ];
  for (const [field, choices] of offered) {
    const value = trunk[field] as string | null;
    if (value === null || choices.includes(value)) continue;
    problems.push(notOffered(field, value, choices, template));
  }
  const regions = template.hosts.map((one) => one.region);
  if (trunk.region !== null && !regions.some((one) => one.toLowerCase() === trunk.region?.toLowerCase())) {
    problems.push(notOffered('region', trunk.region, regions, template));
  }
  if (trunk.srtp === true && template.srtp === 'unsupported') {
    problems.push(notOffered('srtp', 'yes', ['no'], template));
  }
  return problems;
}

function notOffered(
  field: string,
  value: string,
  choices: readonly string[],
  template: ProviderTemplate,
): Problem {
  return {
    code: `not_offered_${field}`,
    message: `${field}: ${template.displayName} does not offer '${value}'`,
    field,
    hint: choices.length === 0 ? `leave --${flagOf(field)} out` : `choose one of: ${choices.join(', ')}`,
  };
}

function missingFields(
  trunk: TrunkValues,
  template: ProviderTemplate,
  authType: 'credential' | 'ip',
): Problem[] {
  const wanted = template.requiredFields[authType] ?? [];
  return wanted
    .filter((field) => isEmpty(trunk[field as keyof TrunkValues]))
    .map((field) => ({
      code: `missing_${field}`,
      message: `${field}: ${template.displayName} needs it${authType === 'ip' ? ' for IP authentication' : ''}`,
      field,
      hint: missingHint(field, template),
    }));
}

function missingHint(field: string, { hostPattern }: ProviderTemplate): string {
  if (field === 'password') return 'give --password-stdin, --password-file or --password env:NAME';
  return field === 'host' && hostPattern !== null
    ? `give --host, it looks like ${hostPattern}`
    : `give --${flagOf(field)}`;
}

function hostProblems(
  trunk: TrunkValues,
  template: ProviderTemplate,
  authType: 'credential' | 'ip',
): Problem[] {
  if (trunk.host !== null || template.hosts.length > 0) return [];
  if (template.requiredFields[authType]?.includes('host')) return [];
  return [
    {
      code: 'missing_host',
      message: `host: ${template.displayName} gives each customer a host of their own`,
      field: 'host',
      hint: missingHint('host', template),
    },
  ];
}

function usernameProblems(trunk: TrunkValues, template: ProviderTemplate): Problem[] {
  const pattern = template.usernameRule?.pattern ?? null;
  if (trunk.username === null || pattern === null || new RegExp(`^(?:${pattern})$`).test(trunk.username))
    return [];
  return [
    {
      code: 'invalid_username',
      message: `username: '${trunk.username}' is not an account name of ${template.displayName}`,
      field: 'username',
      hint: template.usernameRule?.help ?? 'see provider show',
    },
  ];
}

function registrationProblems(trunk: TrunkValues, template: ProviderTemplate, authType: string): Problem[] {
  if (trunk.registration === null) return [];
  const { mode } = template.registration;
  if (!trunk.registration) {
    if (mode !== 'required' || authType !== 'credential') return [];
    return [
      {
        code: 'registration_required',
        message: `registration: ${template.displayName} serves only trunks that register`,
        field: 'registration',
        hint: 'leave it out, or say --registration; sipctl trunk disable takes the trunk out of use',
      },
    ];
  }
  if (mode === 'none') {
    return [
      {
        code: 'registration_unsupported',
        message: `registration: ${template.displayName} does not take REGISTER`,
        field: 'registration',
        hint: 'leave it out, or say --no-registration',
      },
    ];
  }
  if (authType === 'credential') return [];
  return [
    {
      code: 'registration_needs_credential',
      message: 'registration: a trunk that authenticates by address has nothing to register with',
      field: 'registration',
      hint: 'use --auth credential, or --no-registration',
    },
  ];
}

function fromUserProblems(trunk: TrunkValues): Problem[] {
  const needs: Record<string, keyof TrunkValues> = { did: 'did', 'did-plus': 'did', account: 'username' };
  const field = trunk.fromUser === null ? undefined : needs[trunk.fromUser];
  if (field === undefined || trunk[field] !== null) return [];
  return [
    {
      code: `missing_${field}`,
      message: `${field}: --from-user ${trunk.fromUser} needs it`,
      field,
      hint: `give --${flagOf(field)}`,
    },
  ];
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || (Array.isArray(value) && value.length === 0);

const flagOf = (field: string): string =>
  (trunkNoun.fields as Record<string, { flag: string }>)[field]?.flag ?? field;

export { nearest };

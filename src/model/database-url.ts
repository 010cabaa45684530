import { Secret } from './secret.ts';

/** Whether a place of a database is the address of a PostgreSQL server, and no path. */
export const isPostgresUrl = (place: string): boolean => /^postgres(?:ql)?:\/\//i.test(place);

/** A database's address without its password, which is told nobody, and the password; null where it has none. */
export function withoutPassword(url: string): { url: string; password: Secret | null } {
  const [, scheme = '', authority = '', rest = ''] = /^(\w+:\/\/)([^/?#]*)(.*)$/s.exec(url) ?? [];
  const [, user, secret, host] = /^([^:@]*)(?::(.*))?@([^@]*)$/s.exec(authority) ?? [];
  const asked = parameter(rest, 'password');
  const password = secret ?? asked;
  return {
    url: `${scheme}${user === undefined ? authority : `${user}@${host}`}${without(rest, 'password')}`,
    password: password === undefined ? null : new Secret(decoded(password)),
  };
}

const parameter = (rest: string, name: string): string | undefined =>
  new RegExp(`[?&]${name}=([^&#]*)`).exec(rest)?.[1];

const without = (rest: string, name: string): string =>
  rest
    .replace(new RegExp(`([?&])${name}=[^&#]*`, 'g'), '$1')
    .replace(/&{2,}/g, '&')
    .replace(/\?&/, '?')
    .replace(/[?&]$/, '');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

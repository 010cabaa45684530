import { createHash } from 'node:crypto';
import type { ProviderTemplate, UserTemplate } from '../model/template.ts';

/**
 * Hex SHA-256 of everything the templates say. Templates are built key by key, so equal content has equal JSON
 * whatever the order in its file was; the order of options stays, because it is the order of the rendered lines.
 */
export function digestOf(providers: readonly ProviderTemplate[], users: readonly UserTemplate[]): string {
  return createHash('sha256')
    .update(JSON.stringify([byId(providers), byId(users)]))
    .digest('hex');
}

/** In the order of ids, by code unit: the same on every machine. */
export function byId<T extends { id: string }>(templates: readonly T[]): T[] {
  return [...templates].sort((one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0));
}

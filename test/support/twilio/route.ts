import type { Account } from './account.ts';
import type { Json } from './answers.ts';
import type { Form } from './form.ts';

/** One request, its path taken apart. */
export interface Asked {
  account: Account;
  path: string;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  form: Form;
  /** Whether the domain of a deleted trunk is kept from being used again. */
  reservesDomains: boolean;
}

/** An answer: a document, a page of a list, bytes, or nothing. */
export type Answer =
  | { status: number; body: Json }
  | { status: number; key: string; rows: Json[] }
  | { status: number; bytes: Buffer; type: string }
  | { status: 204 };

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  /** As the specification writes it, with `{names}`. */
  path: string;
  /** @throws Refused */
  answer(asked: Asked): Answer;
}

export const created = (body: Json): Answer => ({ status: 201, body });
export const shown = (body: Json): Answer => ({ status: 200, body });
export const gone: Answer = { status: 204 };

/** A list, told page by page. */
export const list = (path: string, key: string, rows: (asked: Asked) => Json[]): Route => ({
  method: 'GET',
  path,
  answer: (asked) => ({ status: 200, key, rows: rows(asked) }),
});

/** The route of a request, and what its path holds. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | null {
  for (const route of routes) {
    if (route.method !== method) continue;
    const names: string[] = [];
    const pattern = route.path.replaceAll(/[.]/g, '\\.').replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      names.push(name);
      return '([A-Za-z0-9]+)';
    });
    const found = new RegExp(`^${pattern}$`).exec(path);
    if (found === null) continue;
    return { route, params: Object.fromEntries(names.map((name, index) => [name, found[index + 1] ?? ''])) };
  }
  return null;
}

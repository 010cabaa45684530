import { join } from 'node:path';
import { SipctlError } from '../errors.ts';

const segment = /^[A-Za-z0-9_][A-Za-z0-9._@+-]*$/;
// The hash makes the name its content's own; without one, nobody could tell ours from what others put there.
const storeFile = /^store(?:\/[A-Za-z0-9_][A-Za-z0-9._@+-]*)+\.[0-9a-f]{8,64}\.[a-z]+$/;
const temporary = /\.tmp-[0-9]+-[0-9a-z]+$/;

let counter = 0;

/** A name beside `path` that nobody else uses and that every later run knows for a leftover. */
export const temporaryPath = (path: string): string =>
  `${path}.tmp-${process.pid}-${(++counter).toString(36)}${process.hrtime.bigint().toString(36)}`;

/** True for what a killed run left behind. */
export const isTemporary = (name: string): boolean => temporary.test(name);

/** True for `store/<tenant>/<name>.<hash>.<ending>`, by the path below the sipctl folder. */
export const isStorePath = (path: string): boolean =>
  storeFile.test(path) && path.split('/').every((part) => segment.test(part)) && !isTemporary(path);

/** @throws SipctlError `invalid` for anything that is not the plain name of one file */
export function checkedName(name: string): string {
  if (!segment.test(name) || isTemporary(name)) throw unsafe(name);
  return name;
}

/** @throws SipctlError `invalid` for anything that is not a content-addressed path below `store/` */
export function checkedStorePath(path: string): string {
  if (!isStorePath(path)) throw unsafe(path);
  return path;
}

/** `path` below `folder`. @throws SipctlError `invalid` where it is absolute, empty, or climbs out with `..` */
export function below(folder: string, path: string): string {
  const parts = path.split('/');
  if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw unsafe(path);
  }
  return join(folder, ...parts);
}

/** True where `path`, with all links resolved, is `folder` or lies in it. */
export const isWithin = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

function unsafe(path: string): SipctlError {
  return new SipctlError('invalid', {
    code: 'invalid_path',
    message: `${JSON.stringify(path)} is not a path below the configuration folder`,
    hint: 'use letters, digits and ._@+- between slashes, without . and .. steps',
  });
}

import { type Outcome, SipctlError } from './errors.ts';

/** errno(3) → how a command ends for it, and what it says. Those that are not here are bugs. */
const meanings: Readonly<Record<string, readonly [outcome: Outcome, message: string, hint: string]>> = {
  ENOENT: ['notFound', 'there is no such file or folder', 'check the path, and that its folder exists'],
  ENOTDIR: ['invalid', 'a part of the path is no folder', 'check the path'],
  EISDIR: ['invalid', 'is a folder', 'name a file'],
  ENAMETOOLONG: ['invalid', 'the name is too long', 'choose a shorter one'],
  ELOOP: ['invalid', 'links lead in a circle', 'check the path'],
  EACCES: ['refused', 'permission denied', 'check owner and mode of the file and of its folder'],
  EPERM: ['refused', 'not permitted', 'check owner and mode of the file and of its folder'],
  EROFS: ['refused', 'the file system is read-only', 'name a place that can be written'],
  EEXIST: ['conflict', 'exists already', 'name another one, or remove it'],
  ENOSPC: ['failed', 'no room left on the disk', 'df -h shows what is short'],
  EDQUOT: ['failed', 'the quota is used up', 'quota -s shows what is short'],
  EFBIG: ['failed', 'the file would be too large', 'ulimit -f shows the limit'],
  EIO: ['failed', 'the disk does not answer as it should', 'dmesg may say more'],
  EMFILE: ['failed', 'too many open files', 'ulimit -n shows the limit'],
  ENFILE: ['failed', 'too many open files on this machine', 'sysctl fs.file-nr shows them'],
};

/** What a failed system call means to an operator; null when the error is none of those that one can cause. */
export function systemFailure(error: unknown): SipctlError | null {
  if (!(error instanceof Error) || !('syscall' in error)) return null;
  const { code = '', path, syscall } = error as NodeJS.ErrnoException;
  const meaning = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  if (meaning === undefined) return null;
  const [outcome, message, hint] = meaning;
  const what = path === undefined ? String(syscall) : `'${path}'`;
  return new SipctlError(
    outcome,
    { code: `system_${code.toLowerCase()}`, message: `${what}: ${message}`, hint },
    { cause: error },
  );
}

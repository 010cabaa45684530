import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { type Problem, SipctlError } from '../errors.ts';
import { errorCode } from './operations.ts';

/**
 * Runs one step and turns the failed system calls that an operator can cause into errors with a remedy.
 * @throws SipctlError `refused` for missing rights and read-only file systems, `failed` for full or broken disks
 */
export async function explained<T>(doing: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    const { path, syscall } = error as NodeJS.ErrnoException;
    throw meaning(doing, code, path ?? 'the configuration folder', syscall ?? '', error);
  }
}

/** System calls on an open file do not know its path; this adds it to their errors. */
export async function about<T>(path: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (errorCode(error) !== null) (error as NodeJS.ErrnoException).path ??= path;
    throw error;
  }
}

function meaning(doing: string, code: string, path: string, syscall: string, cause: unknown): SipctlError {
  const problem = (name: string, message: string, hint: string): Problem => ({
    code: name,
    message: `${doing}: ${message}`,
    hint,
  });
  const because = { cause };
  switch (code) {
    case 'EACCES':
    case 'EPERM': {
      const { field, message, hint } = missingRight(path, syscall);
      return new SipctlError('refused', { ...problem('not_writable', message, hint), field }, because);
    }
    case 'EROFS':
      return new SipctlError(
        'refused',
        problem(
          'read_only',
          `${path} is on a read-only file system`,
          `findmnt -T ${dirname(path)} names the mount; mount -o remount,rw makes it writable`,
        ),
        because,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new SipctlError(
        'failed',
        problem(
          'disk_full',
          `no room for ${path}; the generation in force is untouched`,
          `free some room, df -h ${dirname(path)} and df -i ${dirname(path)} show what is short; then run again`,
        ),
        because,
      );
    default:
      return new SipctlError(
        'failed',
        problem('io_error', `${syscall} ${path}: ${code}`, 'run again; dmesg may say more about the disk'),
        because,
      );
  }
}

// To make, rename or remove an entry one needs rights on its folder, and for all others on the thing itself.
const ofTheFolder = new Set(['mkdir', 'open', 'rename', 'symlink', 'link', 'unlink', 'rmdir']);

function missingRight(path: string, syscall: string): { field: string; message: string; hint: string } {
  const user = userInfo().username;
  if (syscall.endsWith('chown')) {
    return {
      field: 'owner',
      message: `${user} may not give ${path} to the configured owner and group`,
      hint: `run sipctl as root, or leave the node’s owner and group unset`,
    };
  }
  const folder = ofTheFolder.has(syscall) ? dirname(path) : path;
  return {
    field: 'dir',
    message: `${user} may not write in ${folder} (${syscall} ${path})`,
    hint: `run sipctl as its owner, or: sudo chown ${user} ${folder} && sudo chmod u+rwx ${folder}`,
  };
}

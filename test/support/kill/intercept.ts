import type { FileOperations, OpenFile } from '../../../src/files/operations.ts';

/** One system call that changes the file system, about to be made. */
export interface Call {
  name: string;
  /** For rename and link: the new name. */
  path: string;
  /** For rename and link: the old name. */
  from?: string;
  /** For `write`: does only the first half, which is what a kill in the middle leaves. */
  half?: () => Promise<void>;
}

/** Decides what becomes of a call: lets it run, replaces it, or fails it. */
export type Around = <T>(call: Call, run: () => Promise<T>) => Promise<T>;

/** The operations with every changing call, those on open files too, led through `around`. */
export function intercept(real: FileOperations, around: Around): FileOperations {
  return {
    ...real,
    mkdir: (path, mode) => around({ name: 'mkdir', path }, () => real.mkdir(path, mode)),
    rmdir: (path) => around({ name: 'rmdir', path }, () => real.rmdir(path)),
    chmod: (path, mode) => around({ name: 'chmod', path }, () => real.chmod(path, mode)),
    chown: (path, uid, gid) => around({ name: 'chown', path }, () => real.chown(path, uid, gid)),
    rename: (from, to) => around({ name: 'rename', path: to, from }, () => real.rename(from, to)),
    link: (from, to) => around({ name: 'link', path: to, from }, () => real.link(from, to)),
    symlink: (target, path) => around({ name: 'symlink', path }, () => real.symlink(target, path)),
    unlink: (path) => around({ name: 'unlink', path }, () => real.unlink(path)),
    syncFolder: (path) => around({ name: 'syncFolder', path }, () => real.syncFolder(path)),
    create: async (path, mode) => {
      const file = await around({ name: 'create', path }, () => real.create(path, mode));
      return interceptFile(file, path, around);
    },
  };
}

function interceptFile(real: OpenFile, path: string, around: Around): OpenFile {
  return {
    ...real,
    write: (data) => {
      const half = (): Promise<void> => real.write(data.subarray(0, data.length / 2));
      return around({ name: 'write', path, half }, () => real.write(data));
    },
    chmod: (mode) => around({ name: 'fchmod', path }, () => real.chmod(mode)),
    chown: (uid, gid) => around({ name: 'fchown', path }, () => real.chown(uid, gid)),
    sync: () => around({ name: 'sync', path }, () => real.sync()),
  };
}

/** A sync changes nothing that survives a kill, so a kill before it is the kill before the next call. */
export const isKillPoint = (call: Call): boolean => call.name !== 'sync' && call.name !== 'syncFolder';

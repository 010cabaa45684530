import { constants, type Dirent, type Stats } from 'node:fs';
import {
  access,
  chmod,
  type FileHandle,
  lchown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rmdir,
  symlink,
  unlink,
} from 'node:fs/promises';

/**
 * Every system call that delivery makes, and no other: a test wraps this to end the process before, or in
 * the middle of, any one of them. All reject with the errno errors of node:fs.
 */
export interface FileOperations {
  /** Never follows a link. */
  lstat(path: string): Promise<Stats>;
  /** The path with every link resolved. */
  realpath(path: string): Promise<string>;
  readdir(path: string): Promise<Dirent[]>;
  /** @throws `ELOOP` where the last part of the path is a link */
  readFile(path: string): Promise<Buffer>;
  readlink(path: string): Promise<string>;
  /** @throws `EACCES` or `EROFS` where the path cannot be written */
  assertWritable(path: string): Promise<void>;

  mkdir(path: string, mode: number): Promise<void>;
  rmdir(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  /** Never follows a link. */
  chown(path: string, uid: number, gid: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file. @throws `EEXIST`: of two processes exactly one gets the name */
  link(existing: string, path: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** A new file, open for writing. @throws `EEXIST`, also where the name is a link */
  create(path: string, mode: number): Promise<OpenFile>;
  /** Makes the entries of a folder durable. */
  syncFolder(path: string): Promise<void>;
}

/** A file that this process made and still holds open. */
export interface OpenFile {
  /** Writes all of `data` from the start of the file. */
  write(data: Buffer): Promise<void>;
  chmod(mode: number): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  stat(): Promise<Stats>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The operations of this machine's file system. */
export const fileSystem: FileOperations = {
  lstat: (path) => lstat(path),
  realpath: (path) => realpath(path),
  readdir: (path) => readdir(path, { withFileTypes: true }),
  readFile: (path) => readFile(path, { flag: constants.O_RDONLY | constants.O_NOFOLLOW }),
  readlink: (path) => readlink(path),
  assertWritable: (path) => access(path, constants.W_OK),

  mkdir: (path, mode) => mkdir(path, { mode }).then(() => undefined),
  rmdir: (path) => rmdir(path),
  chmod: (path, mode) => chmod(path, mode),
  chown: (path, uid, gid) => lchown(path, uid, gid),
  rename: (from, to) => rename(from, to),
  link: (existing, path) => link(existing, path),
  symlink: (target, path) => symlink(target, path),
  unlink: (path) => unlink(path),
  create: async (path, mode) => openFile(await open(path, 'wx', mode)),
  syncFolder: async (path) => {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

function openFile(handle: FileHandle): OpenFile {
  return {
    write: async (data) => {
      for (let done = 0; done < data.length; ) {
        const { bytesWritten } = await handle.write(data, done, data.length - done, done);
        done += bytesWritten;
      }
    },
    chmod: (mode) => handle.chmod(mode),
    chown: (uid, gid) => handle.chown(uid, gid),
    stat: () => handle.stat(),
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** The errno name of a failed system call, or null where the error is another one. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('syscall' in error)) return null;
  return typeof (error as NodeJS.ErrnoException).code === 'string'
    ? ((error as NodeJS.ErrnoException).code as string)
    : null;
}

/** The answer of a call, or null where it failed because the path is not there. */
export async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

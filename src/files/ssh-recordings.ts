import { spawn } from 'node:child_process';
import { SipctlError } from '../errors.ts';
import { lastLine } from './last-line.ts';
import { below } from './paths.ts';
import type { FolderEntry, RecordingFolder } from './recording-folder.ts';
import { connectionFailure, lostConnection, noSsh, quoted, type SshPlace, sshArguments } from './ssh.ts';

/** How the other machine is reached. */
export interface SshOptions {
  signal: AbortSignal;
  /** A file of settings for ssh, instead of the user's own. */
  sshConfig: string | null;
}

/** What the far side's shell runs says of itself by these exit codes. */
const codes = { missing: 44, leadsOut: 45, refused: 46 } as const;
const field = 'recordingsSsh';

/**
 * Recordings on another machine, by the system's own ssh: no password is ever asked for, and an unknown host is refused.
 * The far side needs a POSIX shell, `find`, `stat`, `realpath` and `sha256sum`, as GNU and BusyBox have them. The only words
 * that the login shell there sees are `exec sh -s`; paths come in the script, each quoted for that one shell.
 */
export function sshRecordings(login: string, folder: string, options: SshOptions): RecordingFolder {
  const run = (script: string, paths: readonly string[]): AsyncGenerator<Buffer> =>
    runScript(login, options, `set -- ${[folder, ...paths.map(checked)].map(quoted).join(' ')}\n${script}`);
  const text = async (script: string, paths: readonly string[]): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of run(script, paths)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  };
  return {
    place: `${login}:${folder}`,
    localPath: () => null,
    list: async (under) => entriesOf(await text(listing, under === '' ? [] : [under]), folder),
    read: (path, from) => run(`${inside}\nexec tail -c +${from + 1} "$real"`, [path]),
    head: async (path, bytes) => {
      const chunks: Buffer[] = [];
      for await (const chunk of run(`${inside}\nexec head -c ${bytes} "$real"`, [path])) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    digests: async (paths) =>
      paths.length === 0 ? [] : answersOf(await text(digesting, paths), paths.length).map(digestIn),
    protect: async (paths) => void (await text(protecting, paths)),
    remove: async (paths) =>
      paths.length === 0
        ? []
        : answersOf(await text(removing, paths), paths.length).map((answer) => answer === 'yes'),
  };
}

// Climbing paths are refused before anything is sent.
function checked(path: string): string {
  below('/', path);
  return path;
}

// Each script begins with the folder in $1, and paths below it.
const resolved = `root=$(realpath -- "$1" 2>/dev/null) || root=
resolve() {
  real=$(realpath -- "$1/$2" 2>/dev/null) || return ${codes.missing}
  [ -e "$real" ] || return ${codes.missing}
  case $real in "$root"/*) ;; *) return ${codes.leadsOut} ;; esac
}`;

const inside = `${resolved}
resolve "$1" "$2" || exit $?
[ -f "$real" ] || exit ${codes.leadsOut}
[ -r "$real" ] || exit ${codes.refused}`;

// A path may hold a line break: each entry ends with a slash, which no name ends with.
const listing = `now=$(date +%s)
[ -d "$1" ] || exit 0
[ -r "$1" ] && [ -x "$1" ] || exit ${codes.refused}
start=$1
[ $# -gt 1 ] && start=$1/$2
[ -e "$start" ] || exit 0
printf '%s\\n' "$now"
find "$start" ! -type d -exec stat -c '%F|%s|%Y|%a|%n/' {} +`;

const digesting = `${resolved}
folder=$1; shift
for path do
  if resolve "$folder" "$path" && [ -f "$real" ]; then
    [ -r "$real" ] || exit ${codes.refused}
    sum=$(sha256sum < "$real") || exit ${codes.refused}
    printf '%s\\n' "\${sum%% *}"
  else echo -; fi
done`;

const protecting = `${resolved}
[ -d "$1" ] || exit 0
chmod 0750 "$1" || exit ${codes.refused}
folder=$1; shift
for path do
  resolve "$folder" "$path" && [ -f "$real" ] || continue
  day=\${path%/*}
  chmod 0640 "$real" && chmod 0750 "$folder/$day" "$folder/\${day%/*}" || exit ${codes.refused}
done`;

const removing = `${resolved}
folder=$1; shift
for path do
  if resolve "$folder" "$path" && [ -f "$real" ]; then
    rm -f -- "$real" || exit ${codes.refused}
    rmdir "$folder/\${path%/*}" 2>/dev/null
    echo yes
  else echo no; fi
done`;

function entriesOf(text: string, folder: string): FolderEntry[] {
  const end = text.indexOf('\n');
  const now = Number(text.slice(0, Math.max(0, end)));
  const entries: FolderEntry[] = [];
  for (const line of text.slice(end + 1).split('/\n')) {
    const [, type = '', size = '', time = '', mode = '', path = ''] =
      /^([^|]*)\|(\d+)\|(\d+)\|([0-7]+)\|(.*)$/s.exec(line) ?? [];
    if (!path.startsWith(`${folder}/`)) continue;
    entries.push({
      path: path.slice(folder.length + 1),
      kind: type.startsWith('regular') ? 'file' : 'other',
      ...{ size: Number(size), modifiedAt: Number(time) * 1000, mode: Number.parseInt(mode, 8) & 0o777 },
      idleMs: Math.max(0, now - Number(time)) * 1000,
    });
  }
  return entries.sort((one, other) => (one.path < other.path ? -1 : 1));
}

function answersOf(text: string, count: number): string[] {
  const answers = text.split('\n').slice(0, -1);
  if (answers.length === count) return answers;
  throw new SipctlError('failed', {
    code: 'ssh_answer',
    message: `the other machine answered ${answers.length} of ${count} questions`,
    hint: 'it needs a POSIX shell with find, stat, realpath and sha256sum',
  });
}

const digestIn = (answer: string): string | null => (/^[0-9a-f]{64}$/.test(answer) ? answer : null);

/** Runs a script there, and hands on what it prints. @throws SipctlError when all of it is printed, and it failed */
async function* runScript(
  login: string,
  { signal, sshConfig }: SshOptions,
  script: string,
): AsyncGenerator<Buffer> {
  const child = spawn('ssh', sshArguments({ login, config: sshConfig }, 'exec sh -s'), {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000);
  });
  // Where the connection is refused, nobody reads the script.
  child.stdin.on('error', () => undefined);
  child.stdin.end(script);
  const ended = new Promise<number | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', (code) => resolve(code ?? lostConnection));
  });
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const code = await ended;
    if (code !== 0) throw failureOf({ login, config: sshConfig }, code, said, signal);
  } finally {
    child.kill();
  }
}

function failureOf(place: SshPlace, code: number | Error, said: string, signal: AbortSignal): SipctlError {
  const { login } = place;
  const last = lastLine(said);
  const detail = last === '' ? '' : `: ${last}`;
  const error = (outcome: SipctlError['outcome'], name: string, message: string, hint: string) =>
    new SipctlError(outcome, { code: name, message, field, hint });
  if (signal.aborted) return error('interrupted', 'interrupted', 'interrupted', 'run the command again');
  if (code instanceof Error) return noSsh(code, field);
  if (code === lostConnection) return connectionFailure(place, said, field);
  switch (code) {
    case codes.missing:
      return error('notFound', 'recording_missing', `${login} does not have it any more`, 'list them again');
    case codes.leadsOut:
      return error(
        ...(['refused', 'link_leads_out', `on ${login} it is no file of that folder`] as const),
        'no link is followed that leads out of the folder of recordings',
      );
    case codes.refused:
      return error(
        ...(['refused', 'not_readable', `${login} may not do that${detail}`] as const),
        'log in as the user that the PBX runs as, or one of its group',
      );
    default:
      return error(
        ...(['failed', 'ssh_failed', `${login} failed with ${code}${detail}`] as const),
        'it needs a POSIX shell with find, stat, realpath and sha256sum',
      );
  }
}

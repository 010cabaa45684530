import { SipctlError } from '../errors.ts';
import { lastLine } from './last-line.ts';

/** Another machine, as the system's own ssh reaches it. */
export interface SshPlace {
  /** `user@host`, `user@host:port`, or a name that ssh's settings know. */
  login: string;
  /** A file of settings for ssh, instead of the user's own. */
  config: string | null;
}

/** What ssh itself ends with where there is no connection, or none any more. */
export const lostConnection = 255;

/** A word for a POSIX shell, whatever is in it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const quotedIfOdd = (text: string): string => (/^[\w./+-]+$/.test(text) ? text : quoted(text));

/**
 * The arguments that make ssh run a command there. Nothing is ever asked for, and no host key is taken that is not known:
 * keys, agent, jump hosts and shared connections are those of ssh's settings.
 */
export function sshArguments(
  { login, config }: SshPlace,
  command: string,
  more: readonly string[] = [],
): string[] {
  const { host, user, port } = loginParts(login);
  return [
    ...(config === null ? [] : ['-F', config]),
    ...['-T', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-o', 'ConnectTimeout=10'],
    ...['-o', 'ServerAliveInterval=10', '-o', 'ServerAliveCountMax=3'],
    // What the settings run where somebody logs in by hand, `tmux` for one, is not what is meant here.
    ...['-o', 'RemoteCommand=none'],
    ...(port === undefined ? [] : ['-p', port]),
    ...more,
    ...['--', `${user}${host}`, command],
  ];
}

function loginParts(login: string): { user: string; host: string; port: string | undefined } {
  const [, user = '', host = '', port] = /^([^@]*@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(login) ?? [];
  return { user, host: host.replace(/^\[(.*)\]$/, '$1'), port };
}

/** What a program said is that the host's key is another one than it was: whoever answers may be somebody else. */
const changedKey = /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i;
const unknownKey = /Host key verification failed|No \S+ host key is known/i;

/**
 * Why there is no connection, by what ssh said.
 * @param field as the setting that names the machine is called
 */
export function connectionFailure({ login, config }: SshPlace, said: string, field: string): SipctlError {
  const { host, user, port } = loginParts(login);
  const settings = config === null ? '' : `-F ${quotedIfOdd(config)} `;
  const byHand = `ssh ${settings}${port === undefined ? '' : `-p ${port} `}${user}${host}`;
  if (changedKey.test(said)) {
    const name = port === undefined ? host : `[${host}]:${port}`;
    const remove = /^\s*(ssh-keygen -f .* -R .*?)\s*$/m.exec(said.replaceAll('\r', ''))?.[1];
    return new SipctlError('refused', {
      code: 'host_key_changed',
      message: `${login} answers with another host key than the one that is known: nothing was sent to it`,
      field,
      hint: `find out why its key changed; where that is right: ${remove ?? `ssh-keygen -R '${name}'`}, then ${byHand} and compare the fingerprint`,
    });
  }
  if (unknownKey.test(said)) {
    return new SipctlError('refused', {
      code: 'host_key_unknown',
      message: `the host key of ${login} is not known: nothing was sent to it`,
      field,
      hint: `${byHand}, once by hand, shows its fingerprint to compare, and keeps the key`,
    });
  }
  const last = lastLine(said);
  return new SipctlError('unreachable', {
    code: 'ssh_failed',
    message: `${login} cannot be reached${last === '' ? '' : `: ${last}`}`,
    field,
    hint: `${byHand.replace('ssh ', 'ssh -o BatchMode=yes ')} true has to work without a question`,
  });
}

/** ssh itself could not be run. */
export const noSsh = (cause: Error, field: string): SipctlError =>
  new SipctlError('failed', {
    code: 'no_ssh',
    message: `ssh cannot be run: ${cause.message}`,
    field,
    hint: 'install OpenSSH’s client',
  });

import { SipctlError } from '../errors.ts';
import { planted } from './durable.ts';
import { codes } from './far-shell.ts';
import { lost } from './lock.ts';
import type { Answer } from './shell-answers.ts';

/** What was asked for, as an error speaks of it. */
export interface FarWork {
  /** `write`, `flip`, … */
  doing: string;
  /** As people know the place: `ops@pbx1:/etc/asterisk`. */
  place: string;
}

/** Why another machine did not do what it was asked for, with the remedy. */
export function farFailure(answer: Answer, work: FarWork): SipctlError {
  const { doing, place } = work;
  const [path = '', expected = 'file'] = answer.lines;
  switch (answer.code) {
    case codes.folderMissing:
      return problem('notFound', 'folder_missing', `there is no folder ${place}`, {
        field: 'dir',
        hint: 'is the PBX installed there? Otherwise name its folder: sipctl node set <node> --dir <folder>',
      });
    case codes.planted:
      return planted(path, expected);
    case codes.lockLost:
      return lost(`${place}/sipctl`);
    case codes.noGeneration:
      return problem('notFound', 'no_generation', `${place} does not hold that generation completely`, {
        hint: 'sipctl history names those that are there',
      });
    case codes.numberTaken:
      return problem(
        'conflict',
        'generation_exists',
        `${place} holds another generation of that number; one is never rewritten`,
        { hint: 'plan again: the next run takes a later number' },
      );
    case codes.unknownUser:
      return problem('invalid', 'unknown_user', `${place}: that machine has no such user`, {
        field: 'owner',
        hint: 'the PBX’s own is often asterisk; set it with --owner',
      });
    case codes.notAFile:
      return notAFile(path.slice(1));
    default:
      return toolFailure(doing, place, answer);
  }
}

/** The refusal to read or replace what is no regular file. */
export const notAFile = (path: string): SipctlError =>
  problem('refused', 'not_a_file', `${path} is not a regular file`, {
    hint: `look at it with ls -ld ${path}; it may be a link to nothing`,
  });

/** The refusal to follow a link out of the folder. */
export const linkLeadsOut = (path: string, real: string, place: string): SipctlError =>
  problem(
    'refused',
    'link_leads_out',
    `${place}: ${path} is a link that leads out of the folder, to ${real}`,
    {
      hint: `put the file itself in its place: cp --remove-destination ${real} ${place.replace(/^[^:]*:/, '')}/${path}`,
    },
  );

/** The refusal of the far side to show a file. */
export const notReadable = (path: string, place: string): SipctlError =>
  problem('refused', 'not_writable', `${place}: the account may not read ${path}`, {
    field: 'dir',
    hint: 'log in as root, or as the user that the PBX runs as',
  });

// Tools speak English there: the shell sets LC_ALL=C.
function toolFailure(doing: string, place: string, { code, lines }: Answer): SipctlError {
  const said = lines.join('\n');
  const last = printable(lines.find((line) => line.trim() !== '') ?? `the shell ended it with ${code}`);
  // 153: ended by the signal for a file that grew beyond what is allowed.
  if (/No space left|quota exceeded|File too large|File size limit|I\/O error|ended with 153/i.test(said)) {
    return problem(
      'failed',
      'disk_full',
      `${doing}: no room at ${place}; the generation in force is untouched (${last})`,
      { hint: 'free some room there, df -h and df -i show what is short; then run again' },
    );
  }
  if (/Unexpected EOF|short read|unexpected end|truncated|broke off/i.test(said)) {
    return problem('unreachable', 'ssh_lost', `the connection to ${place} was lost`, {
      hint: 'run the command again: what is in force there is one complete generation',
    });
  }
  if (/Read-only file system/i.test(said)) {
    return problem('refused', 'read_only', `${doing}: ${place} is on a read-only file system`, {
      hint: 'findmnt -T <folder> names the mount; mount -o remount,rw makes it writable',
    });
  }
  if (/(invalid|unknown|illegal) (user|group)|: (user|group) .* (unknown|not found)/i.test(said)) {
    const word = /group/i.test(said) ? 'group' : 'user';
    return problem('invalid', `unknown_${word}`, `${place}: that machine has no such ${word}: ${last}`, {
      field: word === 'group' ? 'group' : 'owner',
      hint: `getent ${word === 'group' ? 'group' : 'passwd'} lists them there`,
    });
  }
  if (/Permission denied|Operation not permitted/i.test(said)) {
    return problem('refused', 'not_writable', `${doing}: the account at ${place} may not do that: ${last}`, {
      field: 'dir',
      hint: 'log in as root, or as the owner of the folder; or leave the node’s owner and group unset',
    });
  }
  return problem('failed', 'io_error', `${doing}: ${place}: ${last}`, {
    hint: 'run again; the log of that machine may say more',
  });
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);

const problem = (
  outcome: SipctlError['outcome'],
  code: string,
  message: string,
  more: { field?: string; hint: string },
): SipctlError => new SipctlError(outcome, { code, message, ...more });

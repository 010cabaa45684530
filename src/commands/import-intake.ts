import { closeSync, fchmodSync, openSync, rmSync, writeSync } from 'node:fs';
import type { App } from '../app.ts';
import { type Encoding, encodings } from '../csv/decode.ts';
import { csvLine } from '../csv/line.ts';
import type { Delimiter } from '../csv/table.ts';
import { type Problem, SipctlError } from '../errors.ts';
import { Secret } from '../model/secret.ts';
import type { SiteChange } from '../plan/edits.ts';
import type { Input, OptionSpec, Result } from './command.ts';
import { type Intake, type TakeInSteps, takeIn, takeInOptions } from './take-in.ts';

/** The flags of every import of a table. */
export const tableOptions: readonly OptionSpec[] = [
  [
    '--delimiter <delimiter>',
    'what separates cells: comma, semicolon, tab or pipe; found out when not given',
  ],
  ['--encoding <encoding>', `of a file without a byte order mark: ${encodings.join(', ')}`],
  ['--generate-passwords', 'make the passwords of new users that have none'],
  ['--passwords-out <file>', 'write the passwords that were made to a new file, mode 0600'],
  ...takeInOptions,
  ['--apply', 'plan and apply at once'],
];

const delimiterNames: Readonly<Record<string, Delimiter>> = {
  ...{ comma: ',', semicolon: ';', tab: '\t', pipe: '|' },
  ...{ ',': ',', ';': ';', '\t': '\t', '|': '|' },
};

/** How a table is to be read, as the flags say. @throws SipctlError `invalid` */
export function tableFormat({ options }: Input): { delimiter: Delimiter | null; encoding: Encoding | null } {
  const { delimiter, encoding } = options;
  return {
    delimiter: oneOf('delimiter', delimiter, delimiterNames),
    encoding: oneOf('encoding', encoding, Object.fromEntries(encodings.map((name) => [name, name]))),
  };
}

function oneOf<T>(flag: string, given: unknown, choices: Readonly<Record<string, T>>): T | null {
  if (given === undefined) return null;
  const choice = Object.hasOwn(choices, String(given).toLowerCase())
    ? choices[String(given).toLowerCase()]
    : undefined;
  if (choice !== undefined) return choice;
  throw new SipctlError('invalid', {
    code: `invalid_${flag}`,
    message: `${flag}: '${given}' is none`,
    field: flag,
    hint: `one of: ${Object.keys(choices)
      .filter((name) => /\w/.test(name))
      .join(', ')}`,
  });
}

/** Complaints that are shown; of the others it is said how many there are. */
const shownComplaints = 100;

/**
 * Takes a table in: all of it or nothing. Passwords that are made go to the file of `--passwords-out` before anything is
 * written, so that none is lost.
 */
export async function takeTableIn(
  app: App,
  input: Input,
  intake: Intake,
  steps: Pick<TakeInSteps, 'data'> = {},
): Promise<Result> {
  const { passwordsOut } = input.options;
  try {
    return await takeIn(app, input, intake, {
      ...steps,
      ...(typeof passwordsOut === 'string'
        ? { beforehand: async (change) => savePasswords(passwordsOut, change) }
        : {}),
    });
  } catch (error) {
    if (!(error instanceof SipctlError) || error.problems.length <= shownComplaints) throw error;
    throw new SipctlError(error.outcome, firstOf(error.problems), { cause: error });
  }
}

function firstOf(problems: readonly Problem[]): Problem[] {
  const inOrder = problems.toSorted(
    ({ place: one }, { place: other }) =>
      (one?.line ?? 0) - (other?.line ?? 0) || (one?.column ?? 0) - (other?.column ?? 0),
  );
  const more = problems.length - shownComplaints;
  return [
    ...inOrder.slice(0, shownComplaints),
    {
      code: 'more_complaints',
      message: `and ${more} more complaints: nothing was imported`,
      hint: 'correct these first; many of one kind are most often one wrong column',
    },
  ];
}

function savePasswords(file: string, { edits }: SiteChange): () => void {
  const lines = edits.flatMap(({ tenant, name, fields }) =>
    fields
      .filter(({ generated, to }) => generated && to instanceof Secret)
      .map(({ field, to }) => csvLine([tenant, name, field, (to as Secret).reveal()])),
  );
  if (lines.length === 0) return () => undefined;
  try {
    const handle = openSync(file, 'wx', 0o600);
    try {
      fchmodSync(handle, 0o600);
      writeSync(handle, ['tenant,name,field,secret', ...lines].map((line) => `${line}\n`).join(''));
    } finally {
      closeSync(handle);
    }
  } catch (cause) {
    throw unwritable(file, cause as NodeJS.ErrnoException);
  }
  return () => rmSync(file, { force: true });
}

const unwritable = (file: string, cause: NodeJS.ErrnoException): SipctlError =>
  new SipctlError(
    'failed',
    {
      code: 'file_unwritable',
      message:
        cause.code === 'EEXIST'
          ? `${file} is there already, and is not written over: nothing was imported`
          : `${file} cannot be written: ${cause.code ?? 'error'}: nothing was imported`,
      field: 'passwords-out',
      hint: 'name a file that is not there yet',
    },
    { cause },
  );

import { Command, CommanderError } from 'commander';
import type { GlobalFlags } from '../config.ts';
import { SipctlError } from '../errors.ts';
import type { CommandEntry, CommandSpec, Input, Run, VerbSpec } from './command.ts';
import { commands, globalOptions } from './index.ts';

/** What the command line asks for: a page of help, or one command to run. */
export type Parsed = { help: string } | { help: null; flags: GlobalFlags; run: Run; input: Input };

/** Reads the command line; only the file of the command that is called is loaded. @throws SipctlError `usage` */
export async function parse(argv: readonly string[], version: string): Promise<Parsed> {
  if (commandWord(argv) === 'help')
    return parse([...argv.filter((word) => word !== 'help'), '--help'], version);
  const wanted = commandWord(argv);
  const known = commands.find((command) => command.name === wanted);
  if (wanted !== null && known === undefined) throw unknownCommand(wanted);
  let called: { run: Run; input: Input } | null = null;
  let output = '';
  const program = skeleton(version, (text) => {
    output += text;
  });
  const call = (run: Run, input: Input): void => {
    called = { run, input };
  };
  for (const entry of commands) await addCommand(program, entry, entry === known, call);
  try {
    if (argv.length === 0) return { help: program.helpInformation() };
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { help: output };
    // Flags alone: commander answers with the whole help page.
    throw wanted === null && error.code === 'commander.help' ? noCommand() : usage(error, output);
  }
  if (called === null) return { help: output };
  return { help: null, flags: program.opts<GlobalFlags>(), ...(called as { run: Run; input: Input }) };
}

/** The first help page, as `sipctl --help` prints it; also written into the package, so that it needs no parser. */
export async function firstHelp(version: string): Promise<string> {
  const parsed = await parse([], version);
  return parsed.help ?? '';
}

function skeleton(version: string, write: (text: string) => void): Command {
  const program = new Command('sipctl')
    .description(
      'Keeps SIP provisioning true: describe tenants, trunks and users; see the plan; apply it; have it proven.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
  for (const [flags, help] of globalOptions) program.option(flags, help);
  return program;
}

async function addCommand(
  program: Command,
  entry: CommandEntry,
  isCalled: boolean,
  call: Call,
): Promise<void> {
  const command = program
    .command(entry.name)
    .summary(entry.summary)
    .description(entry.summary)
    .helpGroup(entry.heading);
  if (!isCalled) return;
  const spec: CommandSpec = await entry.load();
  declare(command, spec, entry.name, call);
}

type Call = (run: Run, input: Input) => void;

function declare(command: Command, spec: CommandSpec, called: string, call: Call): void {
  command.summary(spec.summary).description(spec.summary);
  if ('run' in spec) {
    declareVerb(command, spec, call);
    return;
  }
  const refuse = (word: string | undefined): never => {
    const verbs = spec.verbs.map((verb) => verb.name).join(', ');
    return command.error(
      word === undefined
        ? `error: ${called} needs a verb: ${verbs}`
        : `error: ${called} has no verb '${word}', but: ${verbs}`,
    );
  };
  for (const verb of spec.verbs) {
    const isDefault = verb.name === spec.alone;
    const declared = command.command(verb.name, { isDefault });
    declare(declared, verb, `${called} ${verb.name}`, call);
    // A word that is no verb comes to the one that is meant without a word.
    if (isDefault && !('args' in verb))
      declared.allowExcessArguments().hook('preAction', () => {
        if (declared.args.length > 0) refuse(declared.args[0]);
      });
  }
  // What is no verb would be told as one argument too many.
  command.allowExcessArguments().action(() => refuse(command.args[0]));
}

function declareVerb(command: Command, verb: VerbSpec, call: Call): void {
  if (verb.args !== undefined) command.arguments(verb.args);
  for (const [flags, help, repeated] of verb.options ?? []) {
    if (repeated === undefined) command.option(flags, help);
    else command.option(flags, help, joinedBy(repeated === 'joined' ? ',' : '\n'));
  }
  if (verb.examples !== undefined) {
    command.addHelpText('after', `\nExamples:\n${verb.examples.map((line) => `  ${line}`).join('\n')}`);
  }
  command.action(() => call(verb.run, { args: command.processedArgs.flat(), options: command.opts() }));
}

const joinedBy =
  (separator: string) =>
  (value: string, before: string | undefined): string =>
    before === undefined ? value : before + separator + value;

// The command is the first word that is neither a flag nor a flag's value.
function commandWord(argv: readonly string[]): string | null {
  const takesValue = new Set(
    globalOptions.flatMap(([flags]) => (flags.includes('<') ? [flags.split(' ')[0] as string] : [])),
  );
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (takesValue.has(word)) at++;
    else if (!word.startsWith('-')) return word;
  }
  return null;
}

const noCommand = (): SipctlError =>
  new SipctlError('usage', {
    code: 'no_command',
    message: 'no command is given',
    hint: 'sipctl --help lists them',
  });

function unknownCommand(word: string): SipctlError {
  const near = commands.find(
    ({ name }) => word !== '' && (name.startsWith(word) || word.startsWith(name) || `${name}s` === word),
  );
  return new SipctlError('usage', {
    code: 'unknown_command',
    message: `there is no command '${word}'`,
    hint: near === undefined ? 'sipctl --help lists them' : `did you mean '${near.name}'?`,
  });
}

function usage(error: CommanderError, output: string): SipctlError {
  const said = (output === '' ? error.message : output).split('\n');
  const suggestion = said.find((line) => line.startsWith('(Did you mean'));
  const hint =
    suggestion === undefined ? 'see --help of the command' : suggestion.replace(/^\((.*)\)$/, '$1');
  const message = error.message.replace(/^error: /, '').replace(/\n?\(Did you mean[^)]*\)$/, '');
  return new SipctlError('usage', { code: 'usage', message, hint }, { cause: error });
}

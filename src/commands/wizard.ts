import inquirer from 'inquirer';
import { SipctlError } from '../errors.ts';
import type { Field, Noun, Value } from '../model/field.ts';
import * as nouns from '../model/nouns.ts';
import { Secret } from '../model/secret.ts';
import type { Catalog, ProviderTemplate } from '../model/template.ts';
import { generatedPassword } from '../pipeline/generated-secret.ts';

/**
 * Questions for what the command line left out, on a terminal only. Every question has a flag, and every
 * answer goes through the rule of its field.
 */
type Values = Record<string, Value>;

/** @throws SipctlError `interrupted` on Ctrl-C */
async function prompt<T>(question: Record<string, unknown>): Promise<T> {
  try {
    // Questions are talk: standard output is for data.
    const ask = inquirer.createPromptModule({ output: process.stderr });
    const answers = (await ask([{ ...question, name: 'answer' }] as never)) as { answer: T };
    return answers.answer;
  } catch (error) {
    if ((error as Error).name !== 'ExitPromptError') throw error;
    throw new SipctlError('interrupted', { code: 'interrupted', message: 'interrupted: nothing was done' });
  }
}

export const askYesNo = (message: string): Promise<boolean> =>
  prompt({ type: 'confirm', message, default: false });

/** A text that has to be typed, as it is: for what cannot be undone. */
export const askText = (message: string): Promise<string> => prompt({ type: 'input', message });

async function askField(noun: Noun, name: string, values: Values, optional = false): Promise<void> {
  const field = noun.fields[name] as Field;
  if (values[name] !== null && values[name] !== undefined) return;
  const answer = await prompt<string>({
    type: field.kind === 'secret' ? 'password' : 'input',
    mask: '*',
    message: `${field.help}${optional ? ' (may be empty)' : ''}:`,
    validate: (text: string) => {
      if (optional && text === '') return true;
      const parsed = field.rule(text);
      return parsed.ok ? true : `${parsed.message}${parsed.hint === undefined ? '' : `: ${parsed.hint}`}`;
    },
  });
  if (optional && answer === '') return;
  const parsed = field.rule(answer);
  if (parsed.ok) values[name] = parsed.value;
}

const choose = (
  message: string,
  choices: readonly { name: string; value: string }[],
  preset?: string,
): Promise<string> => prompt({ type: 'select', message, choices, default: preset });

/** Asks for the provider, then for what that provider needs. */
export async function askForTrunk(name: string, values: Values, catalog: Catalog): Promise<void> {
  if (values.provider === null) {
    const choices = [...catalog.providers.values()].map(({ id, displayName }) => ({
      name: displayName,
      value: id,
    }));
    values.provider = await choose(`Carrier of trunk ${name}:`, choices);
  }
  const template = catalog.providers.get(values.provider as string);
  if (template === undefined) return;
  const missing = missingFor(template, values);
  if (missing.length > 0 && values.authType === null && template.authTypes.length > 1) {
    values.authType = await choose(
      'Authentication:',
      template.authTypes.map((one) => ({ name: one, value: one })),
    );
  }
  for (const field of missingFor(template, values)) await askField(nouns.trunk, field, values);
}

function missingFor(template: ProviderTemplate, values: Values): readonly string[] {
  const auth = (values.authType as 'credential' | 'ip' | null) ?? template.authTypes[0] ?? 'credential';
  const wanted = [...(template.requiredFields[auth] ?? [])];
  if (template.hosts.length === 0 && !wanted.includes('host')) wanted.unshift('host');
  return wanted.filter((field) => (values[field] ?? null) === null);
}

export async function askForUser(name: string, values: Values, catalog: Catalog): Promise<void> {
  await askField(nouns.user, 'extension', values);
  await askField(nouns.user, 'displayName', values, true);
  if (values.password === null) {
    const choices = [...catalog.users.values()].map(({ id, displayName }) => ({
      name: displayName,
      value: id,
    }));
    values.template = await choose(`Kind of phone of ${name}:`, choices, values.template as string);
    const own = await prompt<boolean>({ type: 'confirm', message: 'Make a strong password?', default: true });
    if (own) values.password = new Secret(generatedPassword());
    else await askField(nouns.user, 'password', values);
  }
}

export async function askForNode(name: string, values: Values): Promise<void> {
  values.kind ??= await choose(`Engine of node ${name}:`, [
    { name: 'Asterisk', value: 'asterisk' },
    { name: 'FreeSWITCH', value: 'freeswitch' },
  ]);
  await askField(nouns.node, 'dir', values);
  const control = values.kind === 'freeswitch' ? 'esl' : 'ami';
  await askField(nouns.node, control, values, true);
  if (values[control] === null || values[control] === undefined) return;
  const needed = control === 'esl' ? ['eslPassword'] : ['amiUser', 'amiSecret'];
  for (const field of needed) await askField(nouns.node, field, values);
}

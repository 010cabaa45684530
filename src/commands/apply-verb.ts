import { readFileSync } from 'node:fs';
import { SipctlError } from '../errors.ts';
import { applyEverything } from './apply.ts';
import { applyFiles } from './apply-files.ts';
import type { Run, VerbSpec } from './command.ts';
import { planOptions, planRequest } from './plan.ts';
import { rollOutOptions } from './roll-out-flags.ts';
import { expectSources, namesSources, sourceOptions } from './site-source.ts';
import { checkOptions } from './take-in.ts';

const run: Run = async (app, input) => {
  const requireTest = input.options.requireTest === true;
  if (namesSources(input)) return applyFiles(app, input, requireTest);
  expectSources(input);
  const request = planRequest(input);
  const [file] = input.args;
  return applyEverything(app, request, {
    checksum: file === undefined ? null : savedChecksum(file),
    approved: file !== undefined,
    requireTest,
  });
};

function savedChecksum(file: string): string {
  try {
    const saved = JSON.parse(readFileSync(file, 'utf8')) as { schema?: unknown; checksum?: unknown };
    if (saved.schema === 'sipctl/plan/1' && typeof saved.checksum === 'string') return saved.checksum;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      throw new SipctlError('notFound', {
        code: 'no_plan_file',
        message: `there is no file ${file}`,
        field: 'plan',
        hint: 'sipctl plan -o plan.json',
      });
  }
  throw new SipctlError('invalid', {
    code: 'invalid_plan_file',
    message: `${file} is not a plan file`,
    field: 'plan',
    hint: 'make one with: sipctl plan -o plan.json',
  });
}

export const apply: VerbSpec = {
  name: 'apply',
  summary: 'deliver, reload, verify; take back what was refused',
  args: '[plan]',
  options: [
    ...sourceOptions,
    ['--no-apply', 'with -f: only write to the database'],
    ...checkOptions,
    ...planOptions,
    ...rollOutOptions,
    ['--require-test', 'refuse where a trunk that is added or changed does not pass sipctl trunk test'],
  ],
  examples: [
    'sipctl apply --yes',
    'sipctl apply --node @east --canary pbx1 --max-failures 1 --yes',
    'sipctl plan -o plan.json && sipctl apply plan.json',
    'sipctl apply -f site.yaml',
    'sipctl apply -f site/ --prune --yes',
  ],
  run,
};

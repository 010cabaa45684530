import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { siteSchema } from '../../src/site-file/schema.ts';
import { type Cli, newCli } from '../cli/process.ts';
import { root } from '../support/source-graph.ts';

/** What the page shows as YAML, by the heading that it stands under. */
function examples(): Map<string, string> {
  const text = readFileSync(join(root, 'docs', 'as-code.md'), 'utf8');
  const found = new Map<string, string>();
  for (const part of text.split(/^##+ /m)) {
    const [, yaml] = /```yaml\n(.*?)```/s.exec(part) ?? [];
    if (yaml !== undefined) found.set(part.split('\n')[0] as string, yaml);
  }
  return found;
}

interface Step {
  name?: string;
  run?: string;
}

/** The scripts of a job as its runner runs them: GitHub's steps each in `bash -e -o pipefail`, GitLab's lines in one shell. */
const githubScripts = (yaml: string, job: string): string[] => {
  const jobs = (parse(yaml) as { jobs: Record<string, { steps: Step[] }> }).jobs;
  return (jobs[job]?.steps ?? []).flatMap(({ run }) =>
    run === undefined ? [] : [run.replace(/\$\{\{ [^}]+ \}\}/g, '7')],
  );
};
const gitlabScripts = (yaml: string, job: string): string[] => [
  ((parse(yaml) as Record<string, { script: string[] }>)[job]?.script ?? []).join('\n'),
];

let pages: Map<string, string>;
beforeAll(() => {
  pages = examples();
});

/** A repository with the site file of the page, and programs that record how they were called. */
async function checkedOut(): Promise<{ cli: Cli; env: Record<string, string>; ran: () => string }> {
  const cli = newCli();
  await cli.ok('init');
  const bin = join(cli.dir, 'programs');
  for (const folder of ['site/secrets', 'asterisk', 'programs'])
    mkdirSync(join(cli.dir, folder), { recursive: true });
  const site = (pages.get('A site file') as string)
    .replace('/etc/asterisk', join(cli.dir, 'asterisk'))
    .replace(/^ {4}ami.*\n/gm, '');
  writeFileSync(join(cli.dir, 'site', 'site.yaml'), site);
  writeFileSync(join(cli.dir, 'site', 'secrets', 'bob'), 'phone-Secret-9\n');
  for (const program of ['gh', 'curl']) {
    writeFileSync(
      join(bin, program),
      `#!/bin/sh\nprintf '%s\\n' "${program} $*" >> "${cli.dir}/ran"\ntest -s plan.md\n`,
    );
    chmodSync(join(bin, program), 0o755);
  }
  writeFileSync(join(cli.dir, 'ran'), '');
  const env = {
    ...{ TELNYX_PASSWORD: 'carrier-Secret-9', AMI_SECRET: 'manager-Secret-9', COMMENT_TOKEN: 'token' },
    ...{ GITHUB_STEP_SUMMARY: join(cli.dir, 'summary.md'), CI: 'true' },
    ...{ CI_API_V4_URL: 'https://gitlab.example/api/v4', CI_PROJECT_ID: '3', CI_MERGE_REQUEST_IID: '7' },
    PROGRAMS: bin,
  };
  return { cli, env, ran: () => readFileSync(join(cli.dir, 'ran'), 'utf8') };
}

const script = (text: string): string => `set -eo pipefail\nPATH="$PROGRAMS:$PATH"\n${text}`;

describe('the page about provisioning as code', () => {
  it('shows a site file that its own schema takes', () => {
    const validate = new Ajv({ strict: false }).compile(siteSchema());
    expect(validate(parse(pages.get('A site file') as string, { merge: true })) || validate.errors).toBe(
      true,
    );
  });

  it.each([
    ['GitHub Actions', githubScripts, 'gh pr comment 7 --body-file plan.md'],
    ['GitLab CI', gitlabScripts, 'merge_requests/7/notes'],
  ])('shows scripts for %s that plan, apply, and find nothing left', async (heading, scripts, comment) => {
    const { cli, env, ran } = await checkedOut();
    const yaml = pages.get(heading) as string;
    const planning = scripts(yaml, 'plan');
    const applying = scripts(yaml, 'apply');
    expect([planning.join('').length, applying.join('').length]).not.toContain(0);
    for (const text of planning) {
      const ended = await cli.bash(script(text), { env, cwd: cli.dir });
      expect([ended.stderr, ended.code]).toEqual(['', 0]);
    }
    const plan = readFileSync(join(cli.dir, 'plan.md'), 'utf8');
    expect(plan).toContain('**Database**: 9 to add');
    expect(plan).toContain('#### Node `pbx1`: generation 0 → next');
    expect(plan).not.toContain('Secret-9');
    expect(ran()).toContain(comment);
    for (const text of applying) {
      const ended = await cli.bash(script(text), { env, cwd: cli.dir });
      expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('nothing to change')]);
    }
    expect((await cli.run('plan --detailed-exitcode')).code).toBe(0);
    // Somebody changes something past the files: the last line of the job is what finds it.
    await cli.ok('user set ann --tenant acme --ring-time 40');
    const found = await cli.bash(script('sipctl diff -f site/ --prune'), { env, cwd: cli.dir });
    expect([found.code, found.stdout]).toEqual([2, expect.stringContaining('ringTime: 40 → 30')]);
  });
});

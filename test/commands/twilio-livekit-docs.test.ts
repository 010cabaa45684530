import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { LivekitServer } from '../support/livekit/livekit-server.ts';
import { type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { root } from '../support/source-graph.ts';
import { startTwilio } from '../support/twilio/server.ts';

const page = join(root, 'docs', 'twilio-livekit.md');

/** What stands in the page for the servers of this test. */
const projectUrl = 'wss://acme-x1y2z3.livekit.cloud';

/** Ids of what is made, numbered as they appear: what Twilio gives is any number. */
function numbered(): (text: string) => string {
  const known = new Map<string, string>();
  return (text) =>
    text.replace(/\b(TK|CL|PN)[0-9a-f]{32}\b/g, (sid, prefix: string) => {
      const before = [...known.values()].filter((one) => one.startsWith(prefix)).length;
      const name = known.get(sid) ?? `${prefix}${String(before + 1).padStart(32, '0')}`;
      known.set(sid, name);
      return name;
    });
}

/** Runs one line of a shell, as far as the page uses one: `printf %s "$SECRET" | sipctl …`. */
async function shown(box: Sandbox, line: string, url: string): Promise<string[]> {
  const [, secret, command = ''] = /^\$ (?:printf %s "\$([A-Z_]+)" \| )?sipctl (.+)$/.exec(line) ?? [];
  const input = secret === undefined ? {} : { input: box.env[secret] ?? '' };
  const now = () => new Date('2026-11-22T08:00:00.000Z');
  const ended = await box.sipctl(command.replaceAll(projectUrl, url), { ...input, now });
  const code = ended.code === 0 ? '' : `(exit ${ended.code})\n`;
  return `${ended.stdout}${ended.stderr}${code}`.replaceAll(url, projectUrl).split('\n');
}

/** The page with the answers that its commands have now in the place of those that stand there. */
async function renewed(text: string, answer: (command: string) => Promise<string[]>): Promise<string> {
  const [before = '', ...blocks] = text.split('```console\n');
  const written = [before];
  for (const block of blocks) {
    const [console = '', ...after] = block.split('\n```');
    const lines: string[] = [];
    // A command goes on behind a backslash; what is no command is a former answer.
    for (const [command] of console.matchAll(/^\$ (?:.*\\\n)*.*$/gm))
      lines.push(command, ...(await answer(command.replaceAll(/ *\\\n\s*/g, ' '))));
    while (lines.at(-1) === '') lines.pop();
    written.push([lines.join('\n'), ...after].join('\n```'));
  }
  return written.join('```console\n');
}

it('docs/twilio-livekit.md shows what its commands answer', async () => {
  const twilio = await startTwilio();
  onTestFinished(() => twilio.close());
  const livekit = await LivekitServer.start();
  const box = await sandbox();
  Object.assign(box.env, {
    SIPCTL_TWILIO_API: twilio.url,
    SIPCTL_SERVICE_TIMEOUT: '5',
    TWILIO_AUTH_TOKEN: twilio.account.authToken,
    LIVEKIT_API_SECRET: LivekitServer.apiSecret,
  });
  const named = numbered();
  const answer = async (command: string) => (await shown(box, command, livekit.url)).map(named);
  await expect(await renewed(readFileSync(page, 'utf8'), answer)).toMatchFileSnapshot(page);
});

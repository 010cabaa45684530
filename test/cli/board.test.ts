import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { monitoredSite } from '../commands/monitor-site.ts';
import type { Sandbox } from '../support/run-sipctl.ts';

const hasTmux = spawnSync('tmux', ['-V']).status === 0;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** The terminal as a person sees it: what stands on it now, not what was sent to it. */
interface Window {
  lines(): string[];
  /** Waits until these words stand on the terminal. */
  sees(words: string | RegExp): Promise<void>;
  keys(...keys: string[]): void;
  resize(columns: number, rows: number): void;
  /** Tells the PBX what happens there, or asks it. */
  pbx(method: string, ...args: unknown[]): Promise<unknown>;
}

describe.skipIf(!hasTmux)('the board on a terminal (needs tmux)', () => {
  let box: Sandbox;
  let program: string;
  let socket: Socket | null = null;
  let server: string;

  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', server, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  // Node 20 runs no TypeScript by itself.
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sipctl-board-'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    symlinkSync(join(root, 'templates'), join(folder, 'templates'));
    program = join(folder, 'test', 'board.mjs');
    await build({
      entryPoints: [join(root, 'test/cli/board-program.ts')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'error',
    });
    return () => rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    ({ box } = await monitoredSite());
    server = `sipctl-${process.pid}-${Math.random().toString(36).slice(2)}`;
  });

  afterEach(() => {
    socket?.destroy();
    socket = null;
    spawnSync('tmux', ['-L', server, 'kill-server']);
  });

  /** A shell in a window of its own, in which the board is started as a person would. */
  async function open(flags = '', env: Record<string, string> = {}): Promise<Window> {
    const path = join(box.dir, 'pbx.sock');
    const variables = Object.entries({ ...box.env, ...env }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
    tmux('new-session', '-d', '-x', '100', '-y', '20', ...variables, 'exec env PS1="ready> " sh -i');
    const window: Window = {
      lines: () => tmux('capture-pane', '-p').split('\n').slice(0, -1),
      sees: (words) =>
        vi.waitFor(
          () => {
            const shown = tmux('capture-pane', '-p');
            if (typeof words === 'string' ? !shown.includes(words) : !words.test(shown))
              throw new Error(`no '${words}' on:\n${shown}`);
          },
          { timeout: 20_000, interval: 30 },
        ),
      keys: (...keys) => void tmux('send-keys', ...keys),
      resize: (columns, rows) => void tmux('resize-window', '-x', String(columns), '-y', String(rows)),
      pbx: async (method, ...args) => {
        if (socket === null) {
          socket = connect(path);
          await once(socket, 'connect');
        }
        socket.write(`${JSON.stringify({ method, args })}\n`);
        const [line] = await once(createInterface(socket), 'line');
        return JSON.parse(line as string);
      },
    };
    await window.sees('ready>');
    tmux('send-keys', '-l', `echo before; node ${program} ${path} ${box.dir} monitor ${flags}`);
    window.keys('Enter');
    await window.sees('pbx1 connected');
    return window;
  }

  const call = async (
    window: Window,
    id: string,
    from: string,
    name: string | null = null,
  ): Promise<void> => {
    const at = Date.now();
    await window.pbx(
      'call',
      id,
      { endpoint: 'acme.main', number: from, name, dialled: '+4930222', account: 'acme' },
      { endpoint: 'ann@acme.example', number: '1001' },
      at - 65_000,
    );
  };

  it('shows calls as they come and go, and gives the terminal back as it was', async () => {
    const window = await open();
    expect(window.lines().join('\n')).not.toContain('echo before');
    await call(window, 'a', '+4930111', 'Ann');
    await window.sees(/>answered +1:0\d acme/);
    await window.sees('+4930111 Ann');
    await window.sees('acme 1/2');
    await call(window, 'b', '+4930112', '山田\u001b[2J太郎');
    await window.sees(/\+4930112 山田.*太郎 .*\+4930222/);
    await window.pbx('end', 'a.1');
    await window.pbx('end', 'a.2');
    await window.sees('calls 1 ');
    expect(window.lines().join('\n')).not.toContain('+4930111');
    window.keys('q');
    await window.sees(/before\nready>/);
    window.keys('echo "code $?"', 'Enter');
    await window.sees('code 0');
    expect(tmux('display', '-p', '#{alternate_on} #{cursor_flag}').trim()).toBe('0 1');
    expect(await windowIsSane(window)).toBe(true);
  });

  /** Echo and line editing are back: what is typed is seen, and Enter ends a line. */
  async function windowIsSane(window: Window): Promise<boolean> {
    window.keys('stty -a | tr " " "\\n" | grep -cxE "icanon|echo|isig"', 'Enter');
    await window.sees(/(?:^|ready> )3$/m);
    return true;
  }

  it('hangs up after a yes, and listens until the key is pressed again', async () => {
    await box.ok('user add boss --tenant acme --extension 1009 --generate-password');
    const window = await open('--user boss');
    await call(window, 'a', '+4930111');
    await window.sees('+4930111');
    window.keys('l');
    await window.sees('boss hears both parties');
    window.keys('l');
    await window.sees('boss listened for 7 s');
    window.keys('h');
    await window.sees(/Hang up the call of 1:\d\d from \+4930111 to \+4930222\? \(y\/n\)/);
    window.keys('n');
    await window.sees('q quit');
    window.keys('h', 'y');
    await window.sees('was hung up');
    await window.sees('calls 0 ');
    const asked = (await window.pbx('asked')) as { verb: string }[];
    expect(asked.map(({ verb }) => verb)).toEqual(['spy', 'hangup', ...asked.slice(2).map(() => 'hangup')]);
    window.keys('q');
    await window.sees(/ready> *$/m);
    const { data } = (await box.ok('audit --all-tenants --json')).json();
    expect(JSON.stringify(data)).toContain('"action":"listen"');
  });

  it('follows the size of the window, and asks for no colours where none are wanted', async () => {
    const window = await open('', { NO_COLOR: '1' });
    await call(window, 'a', '+4930111');
    await window.sees('CODEC');
    window.resize(40, 10);
    await vi.waitFor(() => expect(window.lines().join('\n')).not.toContain('CODEC'), { timeout: 20_000 });
    await window.sees('+4930111');
    expect(window.lines()).toHaveLength(10);
    window.resize(120, 30);
    await window.sees('CODEC');
    expect(tmux('capture-pane', '-p', '-e')).not.toContain('\u001b[32m');
  });

  it.each([
    ['Ctrl-C', async (window: Window) => window.keys('C-c'), 'code 130'],
    ['SIGTERM', async (window: Window) => process.kill(Number(await window.pbx('pid'))), 'code 130'],
  ])('gives the terminal back at %s', async (_, end, code) => {
    const window = await open();
    await end(window);
    await window.sees(/before\n[\s\S]*ready>/);
    window.keys('echo "code $?"', 'Enter');
    await window.sees(code);
    expect(tmux('display', '-p', '#{alternate_on} #{cursor_flag}').trim()).toBe('0 1');
    expect(await windowIsSane(window)).toBe(true);
  });

  it('is stopped by Ctrl-Z, and goes on where it was', async () => {
    const window = await open();
    await call(window, 'a', '+4930111');
    await window.sees('+4930111');
    window.keys('C-z');
    await window.sees(/before\n[\s\S]*ready>/);
    expect(tmux('display', '-p', '#{alternate_on} #{cursor_flag}').trim()).toBe('0 1');
    window.keys('fg', 'Enter');
    await window.sees(/\+4930111[\s\S]*q quit/);
    window.keys('q');
    await window.sees('ready>');
    expect(await windowIsSane(window)).toBe(true);
  });

  it('says that a node is lost, and finds it again', async () => {
    const window = await open();
    await call(window, 'a', '+4930111');
    await window.sees('calls 1 ');
    await window.pbx('goDown');
    await window.sees('pbx1 lost');
    await window.sees('calls 0 ');
    await window.pbx('comeBack');
    await window.sees('pbx1 connected');
    await window.sees('calls 1 ');
  });
});

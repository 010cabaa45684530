import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { run } from '../../src/main.ts';
import { systemTerminal } from '../../src/terminal.ts';
import { ScriptedPbx } from '../support/scripted-plane.ts';

/**
 * sipctl with a scripted PBX in the place of every engine, at whatever terminal it is started: a test tells it over a socket
 * what happens at the PBX, one line of JSON for each call of a method, and reads what was asked of it.
 */
const [socket = '', home = '', ...argv] = process.argv.slice(2);
const pbx = new ScriptedPbx();
const methods: Record<string, (...args: never[]) => unknown> = {
  call: pbx.call.bind(pbx),
  leg: pbx.leg.bind(pbx),
  end: pbx.end.bind(pbx),
  trunk: pbx.trunk.bind(pbx),
  user: pbx.user.bind(pbx),
  goDown: pbx.goDown.bind(pbx),
  comeBack: pbx.comeBack.bind(pbx),
  asked: () => pbx.asked,
  pid: () => process.pid,
};

const server = createServer((peer) => {
  createInterface(peer).on('line', (line) => {
    const { method, args } = JSON.parse(line) as { method: string; args: never[] };
    peer.write(`${JSON.stringify(methods[method]?.(...args) ?? null)}\n`);
  });
});
server.listen(socket);

// Somebody listens until they are taken off the call.
pbx.on('spy', () => {
  let stop = (): void => undefined;
  const ended = new Promise<number>((resolve) => {
    stop = () => resolve(7);
  });
  return { id: 'spy', ended, stop: async () => stop() };
});

const interrupt = new AbortController();
process.on('SIGTERM', () => interrupt.abort());
process.on('SIGINT', () => interrupt.abort());
const code = await run(argv, '0.0.0-test', {
  terminal: systemTerminal(process.env),
  env: process.env,
  home,
  signal: interrupt.signal,
  control: pbx.open,
});
server.close();
process.exit(code);

import { join } from 'node:path';
import { type Ended, type RunOptions, type Sandbox, sandbox } from '../support/run-sipctl.ts';
import { ScriptedPbx, scriptedNow } from '../support/scripted-plane.ts';

/** A sandbox with a tenant `acme` and another one, whose one node is a scripted PBX. */
export interface LiveSite {
  box: Sandbox;
  pbx: ScriptedPbx;
  run(command: string | readonly string[], options?: RunOptions): Promise<Ended>;
  ok(command: string | readonly string[], options?: RunOptions): Promise<Ended>;
  /** A call from outside, 0151…, that ann has taken. */
  inbound(id?: string): void;
  /** Ann talks to bob. */
  internal(id?: string): void;
}

export const ann = { endpoint: 'ann@acme.example', number: '1001', name: 'Ann' };
export const bob = { endpoint: 'bob@acme.example', number: '1002', name: 'Bob' };
export const carrier = { endpoint: 'acme.main', number: '+4915111111111' };

/** Twenty seconds after everything that a scripted PBX did. */
export const liveNow = scriptedNow + 20_000;

export async function liveSite(): Promise<LiveSite> {
  const [box, pbx] = [await sandbox(), new ScriptedPbx()];
  await box.ok('tenant add acme --domain acme.example --country DE');
  await box.ok('tenant add other --domain other.example --country US');
  const trunk = '--provider telnyx --username 1234567890 --password-stdin --did +4930555555';
  await box.ok(`trunk add main --tenant acme ${trunk}`, { input: 'carrier-secret' });
  for (const [name, extension] of [
    ['ann', 1001],
    ['bob', 1002],
    ['boss', 1003],
  ])
    await box.ok(`user add ${name} --tenant acme --extension ${extension} --generate-password`);
  await box.ok('user add eve --tenant other --extension 1001 --generate-password');
  await box.ok(['node', 'add', 'pbx1', '--kind', 'asterisk', '--dir', join(box.dir, 'pbx1')]);
  const live = { control: pbx.open, now: () => new Date(liveNow) };
  return {
    box,
    pbx,
    run: (command, options) => box.sipctl(command, { ...live, ...options }),
    ok: (command, options) => box.ok(command, { ...live, ...options }),
    inbound: (id = 'c100') => pbx.call(id, { ...carrier, dialled: '+4930555555' }, ann),
    internal: (id = 'd200') => pbx.call(id, { ...ann, dialled: '1002' }, bob),
  };
}

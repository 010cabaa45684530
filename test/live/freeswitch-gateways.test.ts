import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { fileSystem } from '../../src/files/operations.ts';
import { gatewayStatus, killGateway, originate, show } from '../../src/platforms/freeswitch/esl/commands.ts';
import type { EslConnection } from '../../src/platforms/freeswitch/esl/connection.ts';
import { intercept } from '../support/kill/intercept.ts';
import type { Sandbox } from '../support/run-sipctl.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, shippedShape } from './freeswitch-site.ts';

/** The accounts of a carrier that is a FreeSWITCH itself; whoever calls is answered. */
const accounts = (domain: string, passwords: Readonly<Record<string, string>>): string => `<include>
<domain name="${domain}">
<params>
<param name="allow-empty-password" value="false"/>
</params>
${Object.entries(passwords)
  .map(
    ([user, password]) => `<user id="${user}">
<params>
<param name="password" value="${password}"/>
</params>
<variables>
<variable name="user_context" value="answering"/>
</variables>
</user>`,
  )
  .join('\n')}
</domain>
</include>
`;

const answering = `<include>
<context name="answering">
<extension name="all">
<condition>
<action application="answer"/>
<action application="park"/>
</condition>
</extension>
</context>
</include>
`;

describeFreeswitch('gateways at a carrier', (start) => {
  let carrier: FreeswitchInstance;
  let pbx: FreeswitchInstance;
  let box: Sandbox;
  let atCarrier: EslConnection;
  let atPbx: EslConnection;
  /** Gateways that ended since the last look. */
  const ended: string[] = [];

  const passwords = async (of: Readonly<Record<string, string>>): Promise<void> => {
    carrier.write('directory/carrier.xml', accounts(carrier.host, of));
    await atCarrier.api('reloadxml');
  };
  const registered = async (): Promise<string[]> =>
    (await show((command) => atCarrier.api(command), 'registrations'))
      .map(({ reg_user: user }) => String(user))
      .sort();
  const untilRegistered = (users: readonly string[]) =>
    vi.waitFor(async () => expect(await registered()).toEqual(users), { timeout: 20_000, interval: 100 });
  const status = (name: string) => gatewayStatus((command) => atPbx.api(command), name);
  /** Where its calls arrive. */
  const context = async (name: string) => (await status(name))?.all.get('context');
  const change = (trunk: string, password: string) =>
    box.ok(`trunk set ${trunk} --tenant acme --password env:PW`, { env: { PW: password } });
  const applied = async (): Promise<void> => {
    const run = await box.apply();
    expect(run.code, run.stdout).toBe(0);
  };

  beforeAll(async () => {
    [carrier, pbx] = await Promise.all([
      start((host) => ({ ...shippedShape(host), 'dialplan/answering.xml': answering })),
      start(shippedShape),
    ]);
    box = await attach(pbx);
    [atCarrier, atPbx] = await Promise.all([connectTo(carrier), connectTo(pbx)]);
    await passwords({ one: 'first', two: 'second' });
    const events = atPbx.events();
    await atPbx.subscribe([], ['sofia::gateway_delete']);
    void (async () => {
      for await (const event of events) ended.push(event.get('Gateway') ?? '');
    })().catch(() => undefined);
    await box.ok('tenant add acme --domain acme.example');
    for (const [name, password] of [
      ['one', 'first'],
      ['two', 'second'],
    ] as const)
      await box.ok(
        `trunk add ${name} --tenant acme --provider custom_credential --host ${carrier.host} --username ${name} --password env:PW`,
        { env: { PW: password } },
      );
    await applied();
  }, 120_000);

  beforeEach(() => void ended.splice(0));
  afterAll(async () => {
    await Promise.all([atCarrier.close(), atPbx.close()]);
  });

  it('register with the right password', async () => {
    await untilRegistered(['one', 'two']);
  });

  it('are refused with a wrong one, which is no fault of the configuration', async () => {
    await change('one', 'wrong');
    await applied();
    await untilRegistered(['two']);
    await vi.waitFor(async () => expect((await status('acme.one'))?.state).toMatch(/FAIL/), {
      timeout: 10_000,
    });
    expect((await box.ok('status')).stdout).toContain('Rejected');
    await change('one', 'first');
    await applied();
    await untilRegistered(['one', 'two']);
  }, 60_000);

  it('take a new password while a call of another one stands, and are registered in the end', async () => {
    const call = await originate(
      (command) => atPbx.background(command),
      '{originate_timeout=10}sofia/gateway/acme.two/100',
      '&park()',
    );
    expect(call).toHaveProperty('uuid');
    await passwords({ one: 'third', two: 'second' });
    await change('one', 'third');
    ended.length = 0;
    await applied();
    await untilRegistered(['one', 'two']);
    // The carrier would hear of the end of the old registration by now, were it sent after the new one.
    await sleep(2500);
    expect(await registered()).toEqual(['one', 'two']);
    expect((await status('acme.one'))?.state).toBe('REGED');
    expect(ended).toEqual(['acme.one']);
    const calls = await show((command) => atPbx.api(command), 'channels');
    expect(calls.map(({ uuid }) => uuid)).toEqual([(call as { uuid: string }).uuid]);
    await atPbx.api('hupall');
  }, 60_000);

  it('are those of before where one is refused, and only it is made anew', async () => {
    // The profile has no TLS.
    await box.ok('trunk set one --tenant acme --transport tls');
    const run = await box.apply();
    expect(run.code, run.stdout).toBe(8);
    expect(run.stdout).toContain('trunk one');
    await untilRegistered(['one', 'two']);
    expect(ended).toEqual(['acme.one']);
    await box.ok('trunk set one --tenant acme --transport udp');
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(0);
  }, 60_000);

  it('come back where the new files could not be put in force', async () => {
    await box.ok('trunk set one --tenant acme --no-inbound');
    const full = intercept(fileSystem, (call, proceed) =>
      call.name === 'rename' && call.path === join(pbx.conf, 'sipctl/current')
        ? Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
        : proceed(),
    );
    const run = await box.sipctl('apply --yes --json', { fileOperations: full });
    expect(run.code, run.stdout).toBe(1);
    await untilRegistered(['one', 'two']);
    expect(await context('acme.one')).toBe('t-acme.registered');
    await applied();
    expect(await context('acme.one')).toBe('sipctl.closed');
  }, 60_000);

  it('come back after a run that ended them and was killed', async () => {
    await box.ok('trunk set one --tenant acme --inbound');
    expect(await killGateway((command) => atPbx.api(command), 'external', 'acme.one')).toBe(true);
    await vi.waitFor(() => expect(ended).toEqual(['acme.one']), { timeout: 10_000 });
    await applied();
    await untilRegistered(['one', 'two']);
    expect(await context('acme.one')).toBe('t-acme.registered');
  }, 60_000);

  it('un-register when they are removed', async () => {
    await box.ok('trunk remove one --tenant acme --yes');
    await applied();
    await untilRegistered(['two']);
    expect(await status('acme.one')).toBeNull();
    expect(ended).toEqual(['acme.one']);
  }, 60_000);

  it('are taken over by a FreeSWITCH that starts anew meanwhile', async () => {
    await box.ok('trunk set two --tenant acme --no-inbound');
    const restarted = pbx.halt().then(() => pbx.resume());
    const first = await box.sipctl('apply --yes --json');
    expect([0, 7], first.stdout).toContain(first.code);
    await restarted;
    await applied();
    atPbx = await connectTo(pbx);
    expect(await context('acme.two')).toBe('sipctl.closed');
    await untilRegistered(['two']);
  }, 150_000);
});

import { readFileSync, writeFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Ended, Sandbox } from '../support/run-sipctl.ts';
import { connectTo, describeFreeswitch, type FreeswitchInstance } from './freeswitch.ts';
import { attach, node, shippedShape } from './freeswitch-site.ts';

const carrier = 'acme.carrier';

describeFreeswitch('what FreeSWITCH would refuse, or pass over', (start) => {
  let freeswitch: FreeswitchInstance;
  let box: Sandbox;
  const planted = new Set<string>();

  beforeAll(async () => {
    freeswitch = await start(shippedShape);
    box = await attach(freeswitch);
    await box.ok('tenant add acme --domain acme.example --country US');
    await box.ok('user add ann --tenant acme --extension 1001 --generate-password');
    await box.ok('user add bob --tenant acme --extension 1002 --generate-password');
    await box.ok(
      `trunk add carrier --tenant acme --provider custom_ip --host 127.0.0.9 --networks 127.0.0.9`,
    );
    await box.ok('conference add board --tenant acme --extension 300');
    expect((await box.apply()).code).toBe(0);
  }, 90_000);

  /** A file of the operator's own, gone with the test. */
  function plant(file: string, text: string): void {
    planted.add(file);
    freeswitch.write(file, text);
  }

  async function api(command: string): Promise<string> {
    const esl = await connectTo(freeswitch);
    try {
      return await esl.api(command);
    } finally {
      await esl.close();
    }
  }

  beforeEach(async () => {
    for (const file of planted) freeswitch.remove(file);
    planted.clear();
    await api('reloadxml');
    // What the last test left undone is done now.
    const ended = await box.apply();
    expect(ended.code, ended.stdout).toBe(0);
    await box.ok('drift --check');
  });

  const current = (): Promise<string> => readlink(join(freeswitch.conf, 'sipctl/current'));
  const messages = (ended: Ended): string =>
    ended
      .json()
      .errors.map(({ message }) => message)
      .join('\n');

  /** All of what was delivered, as it runs; gateways without what changes by itself. */
  async function running(): Promise<string[]> {
    const gateway = await api(`sofia xmlstatus gateway ${carrier}`);
    return [
      ...gateway.split('\n').filter((line) => /<(?:name|proxy|context|username|exten)>/.test(line)),
      await api('xml_locate directory domain name acme.example'),
      await api("xml_locate dialplan context name 't-acme.users'"),
    ];
  }

  let changes = 0;
  const changeUser = () => box.ok(`user set ann --tenant acme --display-name "Ann ${++changes}"`);
  const changeTrunk = () => box.ok(`trunk set carrier --tenant acme --port ${5090 + (++changes % 9)}`);

  /** Applies what changed, which has to be refused, with everything running as before. */
  async function refuses(...planting: [file: string, text: string]): Promise<string> {
    const [before, generation] = [await running(), await current()];
    plant(...planting);
    const ended = await box.sipctl('apply --yes --json');
    expect(ended.code, ended.stdout).toBe(8);
    expect(ended.json()).toMatchObject({ ok: false, changed: false });
    expect(await current()).toBe(generation);
    if (isHarmlessToOthers(planting[1])) expect(await running()).toEqual(before);
    expect((await box.sipctl('plan --detailed-exitcode')).code).toBe(2);
    return messages(ended);
  }

  // A planted object of our name that stands before ours is what runs, whatever is delivered.
  const isHarmlessToOthers = (text: string): boolean => text.includes('broken');

  async function drifts(): Promise<string> {
    const ended = await box.sipctl('drift --check');
    expect(ended.code, ended.stdout).toBe(2);
    return ended.stdout;
  }

  const gatewayOf = (name: string): string =>
    `<include>\n<gateway name="${name}">\n<param name="proxy" value="127.0.0.8"/>\n<param name="register" value="false"/>\n</gateway>\n</include>\n`;
  const domainOf = (name: string): string =>
    `<include>\n<domain name="${name}">\n<user id="mallory">\n<params>\n<param name="password" value="x"/>\n</params>\n</user>\n</domain>\n</include>\n`;
  const contextOf = (name: string): string =>
    `<include>\n<context name="${name}">\n<extension name="theirs">\n<condition>\n<action application="answer"/>\n</condition>\n</extension>\n</context>\n</include>\n`;

  describe('files of somebody else', () => {
    it.each(['a_first.xml', 'z_last.xml'])('with an element that is not closed: %s', async (file) => {
      for (const change of [changeUser, changeTrunk]) {
        await change();
        const said = await refuses(
          `dialplan/${file}`,
          '<include>\n<context name="broken">\n<extension name="half">\n</context>\n</include>\n',
        );
        expect(said).toContain('unexpected closing tag </context>');
        expect(said).toContain('not closed: <extension name="half"> in <context name="broken">');
        freeswitch.remove(`dialplan/${file}`);
        planted.delete(`dialplan/${file}`);
        expect((await box.apply()).code).toBe(0);
      }
    });

    it('with a gateway of a name of ours, before it', async () => {
      await changeTrunk();
      // The first of two in a profile is the one that is made.
      plant('sip_profiles/external/a_first.xml', gatewayOf(carrier));
      const ended = await box.sipctl('apply --yes --json');
      // FreeSWITCH makes theirs by now, and no generation of ours mends that.
      expect(ended.code, ended.stdout).toBe(9);
      expect(messages(ended)).toMatch(
        /trunk carrier: FreeSWITCH has another gateway acme\.carrier, which stands before the one that sipctl delivered: .*\(sipctl\/store\/acme\/gateways\.[0-9a-f]+\.xml\)/,
      );
      expect(await drifts()).toContain('trunk carrier');
    });

    it('with a gateway of a name of ours, behind it: ours is the one that runs', async () => {
      await changeTrunk();
      plant('sip_profiles/external/z_last.xml', gatewayOf(carrier));
      expect((await box.apply()).code).toBe(0);
    });

    it('with a gateway of a name of ours in another profile', async () => {
      await changeTrunk();
      plant('sip_profiles/internal/theirs.xml', gatewayOf(carrier));
      const ended = await box.sipctl('apply --yes --json');
      expect(ended.code, ended.stdout).toBe(8);
      expect(messages(ended)).toContain(
        'trunk carrier: the profile internal has a gateway acme.carrier, too, which sipctl did not deliver',
      );
      expect(await drifts()).toContain('trunk carrier');
    });

    it('with a domain of ours in an earlier file', async () => {
      plant('directory/a_first.xml', domainOf('acme.example'));
      await api('reloadxml');
      const said = await drifts();
      expect(said).toMatch(/sipctl\/store\/acme\/directory\.[0-9a-f]+\.xml/);
      expect(said).toContain('domain acme.example');
    });

    it('with a context of ours in an earlier file', async () => {
      plant('dialplan/a_first.xml', contextOf('t-acme.users'));
      await api('reloadxml');
      const said = await drifts();
      expect(said).toMatch(/sipctl\/store\/acme\/calls\.[0-9a-f]+\.xml/);
      expect(said).toContain('context t-acme.users');
    });

    it('that take the domain of a new tenant: the others run on', async () => {
      await box.ok('tenant add later --domain later.example');
      await box.ok('user add zoe --tenant later --extension 1001 --generate-password');
      const said = await refuses('directory/a_first.xml', domainOf('later.example'));
      expect(said).toContain('domain later.example');
      expect(said).toMatch(/sipctl\/store\/later\/directory\.[0-9a-f]+\.xml/);
      expect((await api('user_exists id ann acme.example')).trim()).toBe('true');
      await box.ok('tenant remove later --yes --cascade');
    });
  });

  describe('what calls rely on', () => {
    it('is asked for: a time zone that FreeSWITCH does not know', async () => {
      await box.ok('number add +15551234567 --tenant acme --trunk carrier --to user:ann');
      await box.ok(
        'schedule add office --tenant acme --time-zone Asia/Tokyo --open "mon-fri 09:00-17:00" --closed user:bob',
      );
      await box.ok('number set +15551234567 --tenant acme --schedule office');
      const ended = await box.sipctl('apply --yes --json');
      expect(ended.code, ended.stdout).toBe(8);
      expect(messages(ended)).toContain('FreeSWITCH does not know the time zone Asia/Tokyo');
      await box.ok('schedule set office --tenant acme --time-zone Europe/Berlin');
    });

    it('is asked for: what keys do in rooms', async () => {
      const file = join(freeswitch.conf, 'autoload_configs/conference.conf.xml');
      const text = readFileSync(file, 'utf8');
      try {
        writeFileSync(file, text.replace(/.*current\/controls\.xml.*\n/, ''));
        await box.ok('conference set board --tenant acme --max-members 7');
        const ended = await box.sipctl('apply --yes --json');
        expect(ended.code, ended.stdout).toBe(8);
        expect(messages(ended)).toContain('what keys do in rooms');
        const doctor = await box.sipctl(`doctor ${node}`);
        expect(doctor.stdout).toContain('does not include ../sipctl/current/controls.xml');
      } finally {
        writeFileSync(file, text);
      }
    });

    it('is asked for: TLS', async () => {
      await box.ok(
        'trunk add safe --tenant acme --provider custom_ip --host 127.0.0.7 --networks 127.0.0.7 --transport tls',
      );
      const ended = await box.sipctl('apply --yes --json');
      expect(ended.code, ended.stdout).toBe(8);
      expect(messages(ended)).toContain(
        'trunk safe: FreeSWITCH refused the gateway acme.safe: it is to use TLS, and the profile external has no TLS',
      );
      await box.ok('trunk remove safe --tenant acme --yes');
    });
  });
});

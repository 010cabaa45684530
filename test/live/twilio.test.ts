import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Misbehaviour, misbehaviours } from '../support/twilio/faults.ts';
import { atTwilio, attempt, endOf, expectProvisioned, hasNumber, isReal } from './twilio-site.ts';

/** The requests that make something, in their order. */
const allSteps = {
  'making the credential list': /^POST .*\/SIP\/CredentialLists\.json$/,
  'making the credential': /^POST .*\/Credentials\.json$/,
  'making the trunk': /^POST \/v1\/Trunks$/,
  'associating the list': /^POST .*\/v1\/Trunks\/TK\w+\/CredentialLists$/,
  'setting what is recorded': /^POST .*\/Recording$/,
  'making the origination URL': /^POST .*\/OriginationUrls$/,
  'attaching the number': /^POST .*\/PhoneNumbers$/,
};

const steps = Object.entries(allSteps).filter(([step]) => hasNumber || !step.includes('number'));

const built = existsSync('dist/main.cjs');
const patience = (isReal ? 30 : 3) * 60_000;

describe(`a trunk at Twilio from the command line${isReal ? ', at Twilio itself' : ''}`, () => {
  it(
    'is made by one command, changed by others, and destroyed with all that belongs to it',
    async () => {
      await atTwilio(async (site) => {
        await expectProvisioned(site, 'made');
        const { trunkName } = (await site.ok('twilio show --json')).json().data as { trunkName: string };
        await site.ok('twilio secure on');
        await site.ok('twilio recording set --mode record-from-ringing');
        await site.ok('twilio password rotate');
        const { made } = await site.look();
        expect(made.trunks).toMatchObject([{ secure: true, recording: 'record-from-ringing' }]);
        expect((await site.sipctl('plan --detailed-exitcode')).code).toBe(0);
        expect((await site.sipctl('twilio destroy --yes')).code).toBe(4);
        await site.ok(`twilio destroy --yes --confirm ${trunkName}`);
        const after = await site.look();
        expect(after.made).toEqual({ trunks: [], credentialLists: [] });
        expect(after.before).toEqual(site.before);
        // The domain of the former trunk is not to be had again for weeks.
        await expectProvisioned(site, 'made once more');
      });
    },
    patience,
  );

  it(
    'keeps its secrets out of all that is said',
    async () => {
      await atTwilio(async (site) => {
        const said: string[] = [];
        const { authToken } = site.server.account;
        for (const does of [
          null,
          misbehaviours['401'],
          misbehaviours['500'],
          misbehaviours['connection reset, nothing done'],
        ]) {
          if (does !== null) site.server.fault({ does, times: 30 });
          for (const command of [
            ...site.provisioning,
            'twilio show',
            'plan --debug',
            'twilio account verify --debug',
            'history --json',
          ]) {
            const { stdout, stderr } = await site.sipctl(command);
            said.push(stdout, stderr);
          }
          site.server.heal();
        }
        const { sipPassword } = (await site.ok('twilio show --reveal --json')).json().data as {
          sipPassword: string;
        };
        expect(sipPassword).toMatch(/^\S{16}$/);
        for (const secret of [authToken, sipPassword, btoa(`${site.server.account.sid}:${authToken}`)])
          expect(said.join('\n')).not.toContain(secret);
      });
    },
    patience,
  );

  it(
    'only looks where it is asked to look',
    async () => {
      await atTwilio(async (site) => {
        await expectProvisioned(site, 'made');
        const { made, before } = await site.look();
        const looks = [
          'account verify',
          'number list',
          'recording list',
          'origination list',
          'list',
          'verify',
        ];
        for (const look of looks) await site.ok(`twilio ${look} --json`);
        const orphans = (await site.ok('twilio orphans --json')).json().data as { orphans: { id: string }[] };
        const known = new Set([...made.trunks, ...made.credentialLists].map(({ sid }) => sid));
        expect(orphans.orphans.filter(({ id }) => known.has(id))).toEqual([]);
        expect(await site.look()).toEqual({ made, before });
        expect(site.server.violations).toEqual([]);
      });
    },
    patience,
  );

  it.each(Object.entries<Misbehaviour>(misbehaviours))(
    'is there once and whole after %s, at whichever step',
    async (name, does) => {
      for (const [step, route] of steps) {
        await atTwilio(async (site) => {
          site.server.fault({ does, route });
          const codes = await attempt(site);
          // Done, failed, refused, not found, in conflict, out of reach: never anything undocumented.
          for (const code of codes) expect([0, 1, 4, 5, 6, 7], `${name}, ${step}`).toContain(code);
          await expectProvisioned(site, `${name}, ${step}`);
        });
      }
    },
    patience,
  );

  it.each(['connection reset, but done', '500', '401'] as const)(
    'is there once and whole after %s for good, from whichever step on',
    async (name) => {
      for (const [step, route] of steps) {
        await atTwilio(async (site) => {
          site.server.fault({ does: misbehaviours[name], route, times: Number.POSITIVE_INFINITY });
          const hasFailed = (await attempt(site)).some((code) => code !== 0);
          // What took effect may be found, and then all is well.
          if (!misbehaviours[name].takesEffect) expect(hasFailed, `${name}, ${step}`).toBe(true);
          await expectProvisioned(site, `${name} for good, ${step}`);
        });
      }
    },
    patience,
  );

  describe.skipIf(!built)(
    built ? 'when its process is killed' : 'when its process is killed (skipped: npm run build first)',
    () => {
      it.each([
        ['before', false],
        ['after', true],
      ])(
        '%s Twilio does a step, is there once and whole afterwards',
        async (_, takesEffect) => {
          for (const [step, route] of steps) {
            await atTwilio(async (site) => {
              const command = site.provisioning.find(
                (line) => line.includes(' number ') === step.includes('number'),
              );
              if (command === undefined) return;
              if (command !== site.provisioning[0]) await site.ok(site.provisioning[0] ?? '');
              const child = site.start(command);
              site.server.fault({
                route,
                does: { kind: 'event', takesEffect, happens: () => void child.kill('SIGKILL') },
              });
              expect(await endOf(child), step).toBe('SIGKILL');
              await expectProvisioned(site, `killed while ${step}`);
            });
          }
        },
        patience,
      );

      it(
        'ends with 130 on Ctrl-C, and goes on where it stopped',
        async () => {
          await atTwilio(async (site) => {
            const child = site.start(site.provisioning[0] ?? '');
            const happens = (): void => void child.kill('SIGINT');
            site.server.fault({
              route: allSteps['making the trunk'],
              does: { kind: 'event', takesEffect: true, happens },
            });
            expect(await endOf(child)).toBe(130);
            await expectProvisioned(site, 'interrupted');
          });
        },
        patience,
      );
    },
  );
});

import { randomInt } from 'node:crypto';
import { twilioTrunk } from '../model/service-nouns.ts';
import { generateSipPassword } from '../model/twilio/password.ts';
import type { Patch } from '../store/writer.ts';
import type { Run, VerbGroup } from './command.ts';
import { provision, provisionedResult } from './twilio-provision.ts';
import { type StoredTrunk, trunkAsked } from './twilio-scope.ts';

/** Changes a trunk in the database, then at Twilio, then for the PBXs. */
const change =
  (valuesOf: () => Patch, verb: string): Run =>
  async (app, input) => {
    const { tenant, name } = await trunkAsked(app, input, input.args[0]);
    const store = await app.store();
    const ref = { tenant, name };
    await store.write((writer) => writer.set(twilioTrunk, ref, valuesOf()));
    const trunk = (await store.records.get(twilioTrunk, ref)) as StoredTrunk;
    return provisionedResult(app, await provision(app, trunk), verb);
  };

export const twilioSecure: VerbGroup = {
  name: 'secure',
  summary: 'TLS and SRTP only, or not',
  verbs: [
    {
      name: 'on',
      summary: 'take calls over TLS with SRTP only; the trunk of the PBXs follows',
      args: '[name]',
      run: change(() => ({ secure: true }), 'takes TLS and SRTP only'),
    },
    {
      name: 'off',
      summary: 'take calls without TLS, too',
      args: '[name]',
      run: change(() => ({ secure: false }), 'takes calls without TLS, too'),
    },
  ],
};

export const twilioPassword: VerbGroup = {
  name: 'password',
  summary: 'the password of the trunk’s credentials',
  verbs: [
    {
      name: 'rotate',
      summary: 'choose a new one; the trunk of the PBXs gets it, and sipctl apply brings it there',
      args: '[name]',
      run: change(() => ({ sipPassword: generateSipPassword(randomInt) }), 'has a new password'),
    },
  ],
};

import { twilioTrunk } from '../model/service-nouns.ts';
import type { VerbGroup, VerbSpec } from './command.ts';
import { nounCommand } from './noun-verbs.ts';
import { twilioAccountCommand } from './twilio-account.ts';
import { twilioDestroy } from './twilio-destroy.ts';
import { twilioEnsure } from './twilio-ensure.ts';
import { twilioNumber } from './twilio-number.ts';
import { twilioOriginationCommand } from './twilio-origination.ts';
import { twilioOrphans } from './twilio-orphans.ts';
import { twilioRecording } from './twilio-recording.ts';
import { twilioPassword, twilioSecure } from './twilio-settings.ts';
import { twilioList, twilioShow, twilioVerify } from './twilio-show.ts';
import { twilioTest } from './twilio-test.ts';

const summary = 'trunks at Twilio: provision, verify, numbers, recordings';

/** A trunk that is disabled is left as it is at Twilio. */
const switches = (nounCommand({ noun: twilioTrunk, summary, listed: [] }).verbs as VerbSpec[])
  .filter(({ name }) => name === 'enable' || name === 'disable')
  .map((verb) => ({
    ...verb,
    summary: verb.name === 'enable' ? 'plan and apply a trunk again' : 'leave a trunk as it is at Twilio',
  }));

export const twilioCommand: VerbGroup = {
  name: 'twilio',
  summary,
  verbs: [
    twilioAccountCommand,
    twilioTest,
    twilioEnsure,
    twilioShow,
    twilioList,
    twilioVerify,
    twilioNumber,
    twilioOriginationCommand,
    twilioRecording,
    twilioSecure,
    twilioPassword,
    ...switches,
    twilioOrphans,
    twilioDestroy,
  ],
};

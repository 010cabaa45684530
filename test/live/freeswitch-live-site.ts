import type { Node } from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import { defaultTimeouts } from '../../src/platforms/freeswitch/timeouts.ts';
import { type CallSite, type SiteText, startCallSite } from './calls/call-site.ts';
import { freeswitchPbx } from './calls/freeswitch-pbx.ts';
import { textCommands } from './calls/site-commands.ts';
import type { Files, FreeswitchInstance } from './freeswitch.ts';
import { nodeWith } from './live-node.ts';

export { defaultTimeouts };

/** Two tenants on one FreeSWITCH: users with phones, a trunk that registers, one that is known by its address, a room. */
const siteText: SiteText = {
  carriers: {
    reg: { username: 'regacct', password: 'a right one' },
    peer: null,
  },
  gone: [],
  sounds: { 'custom/welcome': 3520 },
  commands: textCommands(
    `
    tenant add acme --domain acme.sip.example --country US --caller-id +12125550199
    user add ann --tenant acme --extension 1001 --max-calls 0 --display-name "Ann A"
    user add bob --tenant acme --extension 1002 --max-calls 0 --ring-time 20
    user add cat --tenant acme --extension 1003 --max-calls 0 --ring-time 20
    user add dan --tenant acme --extension 1004 --max-calls 0 --ring-time 20
    group add all --tenant acme --extension 600 --members bob,cat,external:+14155550177 --strategy all --ring-time 20
    conference add board --tenant acme --extension 801 --moderator-pin env:MODERATOR_PIN
    conference add open --tenant acme --extension 802
    trunk add reg --tenant acme --provider custom_credential --host @reg --username regacct --networks @reg/32
    trunk add peer --tenant acme --provider custom_ip --host @peer --networks @peer/32
    route add out --tenant acme --match +1415 --trunks peer
    route add other --tenant acme --match +1416 --trunks reg
    number add +12125550100 --tenant acme --to user:bob
    number add +12125550101 --tenant acme --to external:+14165550123
    number add +12125550102 --tenant acme --to group:all
    `,
    { PASSWORD: 'a right one', MODERATOR_PIN: '4712' },
  ),
};

/** A FreeSWITCH with calls to come, and how sipctl signs in there. */
export interface LiveSite extends CallSite {
  freeswitch: FreeswitchInstance;
  node: Node;
}

export async function startLiveSite(
  start: (files?: Files) => Promise<FreeswitchInstance>,
): Promise<LiveSite> {
  let freeswitch: FreeswitchInstance | undefined;
  const site = await startCallSite(async (own) => {
    return freeswitchPbx(async (files) => {
      freeswitch = await start(files);
      return freeswitch;
    }, own?.freeswitch ?? {});
  }, siteText);
  if (freeswitch === undefined) throw new Error('no FreeSWITCH was started');
  const { esl } = freeswitch;
  const node = nodeWith({
    name: 'fs1',
    kind: 'freeswitch',
    esl: `${esl.host}:${esl.port}`,
    eslPassword: new Secret(esl.password),
  });
  return { ...site, freeswitch, node };
}

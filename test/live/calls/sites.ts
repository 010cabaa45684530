import type { SiteText } from './call-site.ts';
import { textCommands } from './site-commands.ts';

/** Tones of the PBX's own sounds. */
export const sounds = { 'custom/welcome': 3520, 'custom/wrong': 3580 } as const;

/** PIN of boxes and participants, and of moderators. */
export const pins = { PIN: '4711', MODERATOR_PIN: '4712' } as const;
const secrets = { ...pins, PASSWORD: 'a right one; "really" \\' };
const account = (username: string) => ({ username, password: secrets.PASSWORD });

const day = 24 * 3600 * 1000;
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

// Yesterday and tomorrow too: no zone and no midnight comes between the site and its calls.
const daysAround = (now: Date): string =>
  [-day, 0, day].map((by) => new Date(now.getTime() + by).toISOString().slice(0, 10)).join(',');
const dayFarFrom = (now: Date): string => weekdays[(now.getUTCDay() + 3) % 7] ?? '';

/**
 * One site for all call tests: each tenant is a lane of its own, whose calls do not disturb the others'.
 * acme: calls inside. globex: calls in, in Germany. initech: calls out. tight, narrow: limits. default: rooms.
 */
export const callSite = (now: Date): SiteText => ({
  carriers: {
    ...{ telnyx: account('telnyxacct'), twilio: account('twilioacct'), voipms: account('123456') },
    ...{ flowroute: null, main: account('mainacct'), spare: null, full: null, dead: null },
    ...{ inbound: null, registered: account('regacct'), tight: null, narrow: null, closed: null },
  },
  gone: ['acme-eve', 'dead', 'shut', 'shut-zed'],
  sounds,
  commands: textCommands(
    `
    tenant add acme --domain acme.sip.example --country US --max-calls 0
    user add ann --tenant acme --extension 1001 --max-calls 0 --display-name "Ann A"
    user add bob --tenant acme --extension 1002 --max-calls 0 --ring-time 3
    user add cat --tenant acme --extension 1003 --max-calls 0 --ring-time 3 --voicemail --voicemail-pin env:PIN
    user add dan --tenant acme --extension 1004 --max-calls 0 --ring-time 3 --unanswered user:bob
    user add eve --tenant acme --extension 1005 --max-calls 0
    group add sales --tenant acme --extension 600 --members bob,eve,dan --strategy all --ring-time 4
    group add line --tenant acme --extension 601 --members eve,bob,dan --strategy order --ring-time 3
    group add nobody --tenant acme --extension 602 --members eve --unanswered user:ann
    ivr add second --tenant acme --extension 701 --greeting custom/welcome --key 1=user:dan --attempts 1 --timeout 1 --unanswered hangup:busy
    ivr add direct --tenant acme --extension 702 --greeting custom/welcome --key 1=user:dan --timeout 1 --attempts 1 --unanswered user:dan --direct-dial
    ivr add menu --tenant acme --extension 700 --greeting custom/welcome --key 1=user:bob,2=group:sales,3=ivr:second,0=hangup:rejected --timeout 1 --attempts 2 --invalid-sound custom/wrong --unanswered user:dan --invalid hangup:congestion
    number add +12125550100 --tenant acme --to user:bob

    tenant add globex --domain globex.sip.example --country DE --max-calls 0
    user add hal --tenant globex --extension 2001 --max-calls 0 --ring-time 3
    user add ida --tenant globex --extension 2002 --max-calls 0 --ring-time 3
    trunk add in --tenant globex --provider custom_ip --host @inbound --networks @inbound/32 --max-calls 0 --number-format plus
    trunk add reg --tenant globex --provider custom_credential --host @registered --username regacct --networks @registered/32 --max-calls 0
    group add desk --tenant globex --extension 600 --members hal,ida --strategy all --ring-time 3
    group add turn --tenant globex --extension 601 --members hal,ida,external:+49409999 --strategy order --ring-time 3
    ivr add main --tenant globex --greeting custom/welcome --key 1=user:hal,2=external:+49409998 --timeout 1 --attempts 1 --unanswered user:ida --invalid hangup:rejected
    schedule add always --tenant globex --time-zone Europe/Berlin --open "mon-sun 00:00-24:00" --closed hangup:busy
    schedule add feast --tenant globex --time-zone Europe/Berlin --open "mon-sun 00:00-24:00" --holidays ${daysAround(now)} --closed user:ida
    schedule add never --tenant globex --time-zone Europe/Berlin --open "${dayFarFrom(now)} 00:00-24:00" --closed user:ida
    number add +4930111001 --tenant globex --to user:hal --trunk in
    number add +4930111002 --tenant globex --to group:desk
    number add +4930111003 --tenant globex --to group:turn
    number add +4930111004 --tenant globex --to ivr:main
    number add +4930111005 --tenant globex --to user:hal --schedule always
    number add +4930111006 --tenant globex --to user:hal --schedule feast
    number add +4930111007 --tenant globex --to user:hal --schedule never
    number add +4930111008 --tenant globex --to external:+49409997
    number add +4930111009 --tenant globex --to user:hal --record
    number add +4930111010 --tenant globex --to user:hal --no-inbound
    number add +4930111011 --tenant globex --to user:hal
    number disable +4930111011 --tenant globex
    number add +4930111012 --tenant globex --to hangup:busy
    number add +4930111013 --tenant globex

    tenant add initech --domain initech.sip.example --country US --max-calls 0 --caller-id +14155550100
    user add joe --tenant initech --extension 1001 --max-calls 0 --caller-id +14155550101 --display-name "Joe J"
    user add kim --tenant initech --extension 1002 --max-calls 0
    user add lea --tenant initech --extension 1003 --max-calls 0 --toll-class internal
    user add max --tenant initech --extension 1004 --max-calls 0 --toll-class national
    trunk add telnyx --tenant initech --provider telnyx --host @telnyx --username telnyxacct --did +14155550111 --max-calls 0
    trunk add twilio --tenant initech --provider twilio --host @twilio --username twilioacct --max-calls 0
    trunk add voipms --tenant initech --provider voipms --host @voipms --username 123456 --max-calls 0
    trunk add flowroute --tenant initech --provider flowroute --auth ip --host @flowroute --tech-prefix 12345678* --max-calls 0
    trunk add main --tenant initech --provider custom_credential --host @main --username mainacct --max-calls 0
    trunk add spare --tenant initech --provider custom_ip --host @spare --networks @spare/32 --max-calls 0
    trunk add full --tenant initech --provider custom_ip --host @full --networks @full/32 --max-calls 1
    trunk add dead --tenant initech --provider custom_ip --host @dead --networks @dead/32 --max-calls 0
    route add telnyx --tenant initech --match +1415 --trunks telnyx
    route add twilio --tenant initech --match +1416 --trunks twilio --caller-id +14155550102
    route add voipms --tenant initech --match +1417,+49 --trunks voipms
    route add flowroute --tenant initech --match +1418 --trunks flowroute
    route add careful --tenant initech --match +1419 --trunks main,spare --ring-time 5
    route add dead --tenant initech --match +1425 --trunks dead,spare
    route add full --tenant initech --match +1423 --trunks full
    route add spill --tenant initech --match +1424 --trunks full,spare
    route add city --tenant initech --match 9XXXX --trunks spare --strip 1 --prepend +1212555
    route add service --tenant initech --match 116117 --trunks spare
    emergency add 911 --tenant initech --caller-id +14155550199 --trunks dead,main,spare

    tenant add tight --domain tight.sip.example --country US --max-calls 1 --caller-id +13105550100
    user add pat --tenant tight --extension 1001 --max-calls 0
    user add quin --tenant tight --extension 1002 --max-calls 0
    trunk add line --tenant tight --provider custom_ip --host @tight --networks @tight/32 --max-calls 0
    number add +13105550101 --tenant tight --to user:quin
    emergency add 911 --tenant tight --caller-id +13105550199

    tenant add narrow --domain narrow.sip.example --country US --max-calls 0 --caller-id +13205550100
    user add ray --tenant narrow --extension 1001 --max-calls 1
    user add sam --tenant narrow --extension 1002 --max-calls 0
    user add tom --tenant narrow --extension 1003 --max-calls 0
    trunk add line --tenant narrow --provider custom_ip --host @narrow --networks @narrow/32 --max-calls 1
    number add +13205550101 --tenant narrow --to user:tom

    user add uma --extension 5001 --max-calls 0
    user add vic --extension 5002 --max-calls 0
    user add wes --extension 5003 --max-calls 0
    conference add board --extension 800 --pin env:PIN --moderator-pin env:MODERATOR_PIN --wait-for-moderator --record
    conference add open --extension 801

    tenant add shut --domain shut.sip.example --country US
    user add zed --tenant shut --extension 1001
    trunk add line --tenant shut --provider custom_ip --host @closed --networks @closed/32
    number add +13305550101 --tenant shut --to user:zed
    tenant disable shut
  `,
    secrets,
  ),
});

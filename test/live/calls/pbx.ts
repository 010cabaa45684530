import type { Sandbox } from '../../support/run-sipctl.ts';
import { describeAsterisk } from '../asterisk.ts';
import { describeFreeswitch } from '../freeswitch.ts';
import { asteriskPbx } from './asterisk-pbx.ts';
import { freeswitchPbx } from './freeswitch-pbx.ts';
import type { SipAddress } from './outside-config.ts';

export type Engine = 'asterisk' | 'freeswitch';

/** A trunk or a user of a tenant, as sipctl calls it. */
export interface Owned {
  tenant: string;
  name: string;
}

/** A running PBX, whichever it is, as calls through it are tried. */
export interface Pbx {
  engine: Engine;
  /** Where phones speak to it. */
  phones: SipAddress;
  /** Where carriers speak to it. */
  carriers: SipAddress;
  /** sipctl in front of it, with nothing applied. */
  attach(): Promise<Sandbox>;
  /** The file that is played under this name. */
  soundFile(name: string): string;
  /** The folder of a tenant's recordings. */
  recordings(tenant: string): string;
  /** The folder of new messages in a user's box. */
  messages(box: Owned & { extension: string; domain: string }): string;
  /** Waits until it knows of a trunk whether its carrier is there, where it asks for that at all. */
  untilKnown(trunk: Owned, isThere: boolean): Promise<void>;
  /** How many channels of a tenant there are. */
  channels(tenant: string): Promise<number>;
  /** Registers a trunk at its carrier once more, with the password that it has now. */
  registerAnew(trunk: Owned): Promise<void>;
  /** Where sipctl signs in. */
  control: { host: string; port: number };
  /** The ids of all calls that came to it and run now, as it lists them itself. */
  running(): Promise<string[]>;
  /** The file in which it lists the calls that are over. */
  callList: string;
  /** Another one than before, with the same files and addresses; its calls are gone. */
  restart(): Promise<void>;
}

/** Files of the operator's own, by path below the configuration folder, as each engine wants them. */
export type OwnFiles = Readonly<Record<Engine, Readonly<Record<string, string>>>>;

/** What a suite of calls starts its PBXs with; they end when the suite is over. */
export type StartPbx = (own?: OwnFiles) => Promise<Pbx>;

/** One suite for all engines; where one cannot be had, or what else it needs is missing, skipped by a name that says why. */
export function describePbxs(
  name: string,
  suite: (start: StartPbx) => void,
  alsoMissing: string | null,
): void {
  describeAsterisk(
    name,
    ({ start }) => suite(async (own) => asteriskPbx(await start({ etc: own?.asterisk ?? {} }))),
    alsoMissing,
  );
  describeFreeswitch(
    name,
    (start) => suite(async (own) => freeswitchPbx(start, own?.freeswitch ?? {})),
    alsoMissing,
  );
}

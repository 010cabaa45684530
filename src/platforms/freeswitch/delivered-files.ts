import { type HeldArtifact, storePath } from '../../plan/generation.ts';

/** The parts of a tenant's configuration, by what FreeSWITCH makes of them. */
export const gatewaysFile = 'gateways.xml';
export const directoryFile = 'directory.xml';
export const callsFile = 'calls.xml';
export const publicFile = 'public.xml';
export const menusFile = 'menus.xml';
export const roomsFile = 'rooms.xml';
/** What keys do in all rooms: the same for all tenants. */
export const controlsFile = 'controls.xml';

/** One kind of delivered file. */
export interface DeliveredFile {
  /** The name of the index file and of the parts in the store. */
  file: string;
  /** How FreeSWITCH comes to it. */
  read: InFolder | InFile;
}

/** By a file of ours in a folder that one of FreeSWITCH's own includes whole. */
interface InFolder {
  host: string;
  by: string;
  pattern: string;
}

/** By a line of ours in one of FreeSWITCH's own files, which includes no folder at that place. */
interface InFile {
  by: string;
  /** The start tag that it stands after. */
  after: string;
}

const rooms = 'autoload_configs/conference.conf.xml';

/** Everything that sipctl delivers; places are those of the configuration that FreeSWITCH ships. */
export const deliveredFiles: readonly DeliveredFile[] = [
  folder(directoryFile, 'directory/sipctl.xml', 'freeswitch.xml', 'directory/*.xml'),
  folder(gatewaysFile, 'sip_profiles/external/sipctl.xml', 'sip_profiles/external.xml', 'external/*.xml'),
  folder(menusFile, 'ivr_menus/sipctl.xml', 'autoload_configs/ivr.conf.xml', '../ivr_menus/*.xml'),
  { file: roomsFile, read: { by: rooms, after: 'profiles' } },
  { file: controlsFile, read: { by: rooms, after: 'caller-controls' } },
  folder(callsFile, 'dialplan/sipctl.xml', 'freeswitch.xml', 'dialplan/*.xml'),
  folder(publicFile, 'dialplan/public/sipctl.xml', 'dialplan/public.xml', 'public/*.xml'),
];

function folder(file: string, host: string, by: string, pattern: string): DeliveredFile {
  return { file, read: { host, by, pattern } };
}

/** Where a generation's index file stands, relative to the configuration folder. */
export const indexPath = (file: string): string => `sipctl/current/${file}`;

/** Where a delivered text stands, relative to the configuration folder. */
export const deliveredPath = (artifact: HeldArtifact): string => `sipctl/${storePath(artifact)}`;

import { type HeldArtifact, storePath } from '../../plan/generation.ts';

/** The parts of a tenant's configuration, by what FreeSWITCH makes of them. */
export const gatewaysFile = 'gateways.xml';
export const directoryFile = 'directory.xml';

/** One kind of delivered file. */
export interface DeliveredFile {
  /** The name of the index file and of the parts in the store. */
  file: string;
  /** The file of the configuration folder that includes the index file, where a pattern of FreeSWITCH's own finds it. */
  host: string;
  /** What every FreeSWITCH that is set up like the one that ships reads it from, and with which include line. */
  readBy: { file: string; pattern: string };
}

/** Everything that sipctl delivers. */
export const deliveredFiles: readonly DeliveredFile[] = [
  {
    file: directoryFile,
    host: 'directory/sipctl.xml',
    readBy: { file: 'freeswitch.xml', pattern: 'directory/*.xml' },
  },
  {
    file: gatewaysFile,
    host: 'sip_profiles/external/sipctl.xml',
    readBy: { file: 'sip_profiles/external.xml', pattern: 'external/*.xml' },
  },
];

/** Where a delivered text stands, relative to the configuration folder. */
export const deliveredPath = (artifact: HeldArtifact): string => `sipctl/${storePath(artifact)}`;

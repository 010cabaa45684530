import { trunksFile, usersFile } from './pjsip-object.ts';

/** The parts of Asterisk's configuration that say where calls go. */
export const callsFile = 'extensions_calls.conf';
export const boxesFile = 'voicemail_boxes.conf';
export const roomsFile = 'confbridge_rooms.conf';

/** One kind of delivered file. */
export interface DeliveredFile {
  /** The name of the index file, of the file that includes it, and of the parts in the store. */
  file: string;
  /** The file of Asterisk's own that leads to it. */
  main: string;
  /** The module that reads it anew. */
  module: string;
}

/** Everything that sipctl delivers, in the order in which it is reloaded: what is called before what calls it. */
export const deliveredFiles: readonly DeliveredFile[] = [
  { file: trunksFile, main: 'pjsip.conf', module: 'res_pjsip.so' },
  { file: usersFile, main: 'pjsip.conf', module: 'res_pjsip.so' },
  { file: boxesFile, main: 'voicemail.conf', module: 'app_voicemail.so' },
  { file: roomsFile, main: 'confbridge.conf', module: 'app_confbridge.so' },
  { file: callsFile, main: 'extensions.conf', module: 'pbx_config.so' },
];

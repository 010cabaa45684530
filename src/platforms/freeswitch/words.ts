import { SipctlError } from '../../errors.ts';
import type { DtmfMode } from '../../model/template.ts';

/** FreeSWITCH's names of codecs, where they are not those of the model in capitals. */
const codecNames: Readonly<Record<string, string>> = {
  ulaw: 'PCMU',
  alaw: 'PCMA',
  ilbc: 'iLBC',
  slin: 'L16',
  speex: 'SPEEX',
  speex16: 'SPEEX@16000h',
  speex32: 'SPEEX@32000h',
  g723: 'G723',
  g726: 'G726-32',
  g726aal2: 'AAL2-G726-32',
};

/** `PCMU,PCMA`, in the order of preference. */
export const codecList = (codecs: readonly string[]): string =>
  codecs.map((codec) => codecNames[codec] ?? codec.toUpperCase()).join(',');

/** The model's name of a codec that FreeSWITCH names so. */
export const codecNamed = (name: string): string =>
  Object.entries(codecNames).find(([, own]) => own.toUpperCase() === name.toUpperCase())?.[0] ??
  name.toLowerCase();

/**
 * The value of `dtmf_type` for a way to tell keys; null for RFC 4733, which is what a profile does by itself, and what is
 * offered where several ways are taken.
 */
export function dtmfType(mode: DtmfMode): 'info' | 'none' | null {
  if (mode === 'info') return 'info';
  return mode === 'inband' ? 'none' : null;
}

/**
 * A name that people read, as FreeSWITCH writes it between the quotes of a From header: without what would end it
 * there, and without the `$` that would begin a variable.
 */
export const shownName = (name: string): string => name.replace(/["\\<>$]+/g, ' ').trim();

/** `1001`, or a value that begins a command nowhere: neither blanks nor what FreeSWITCH expands, splits or quotes. */
const plain = /^[A-Za-z0-9._@:/+*#=~-]*$/;

/**
 * A value of the model as it stands where FreeSWITCH takes a text apart: in the data of an application, or in a name.
 * Nothing is escaped, because each application takes other escapes away; what could need one is refused. The model's
 * rules let nothing of the kind through.
 * @throws SipctlError `invalid`
 */
export function word(value: string): string {
  if (plain.test(value)) return value;
  throw new SipctlError('invalid', {
    code: 'unwritable_value',
    message: `${JSON.stringify(value)} cannot stand in the dialplan of FreeSWITCH`,
    hint: 'use letters, digits and . _ - + @ / : = only',
  });
}

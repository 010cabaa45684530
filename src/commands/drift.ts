import type { VerbGroup } from './command.ts';
import { driftAdopt } from './drift-adopt.ts';
import { driftRevert } from './drift-revert.ts';
import { driftShow } from './drift-show.ts';

export const driftCommand: VerbGroup = {
  name: 'drift',
  summary: 'where database, files and running systems are apart; adopt it, or revert it',
  verbs: [driftShow, driftAdopt, driftRevert],
  alone: driftShow.name,
};

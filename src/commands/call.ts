import { callList } from './call-list.ts';
import { callOriginate } from './call-originate.ts';
import { callSpying } from './call-spy.ts';
import { callVerbs } from './call-verbs.ts';
import type { CommandSpec } from './command.ts';

export const callCommand: CommandSpec = {
  name: 'call',
  summary: 'calls that run now: see them, make them, act on them',
  verbs: [...callList, callOriginate, ...callVerbs, ...callSpying],
};

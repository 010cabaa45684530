import { waveFacts, waveHeaderBytes } from '../model/recording.ts';
import { oneRecording } from '../pipeline/recordings.ts';
import { visible } from '../report/calls.ts';
import { sizeText } from '../report/size.ts';
import { listing, table } from '../report/table.ts';
import type { Run, VerbSpec } from './command.ts';
import { limitOf } from './history.ts';
import {
  choiceFlags,
  placeFlags,
  recordingData,
  recordingsAsked,
  stateOf,
  warningsOf,
} from './recordings-asked.ts';

const list: Run = async (app, input) => {
  const found = await recordingsAsked(app, input);
  const there = found.recordings.filter(({ empty, writing }) => writing || !empty);
  const shown = input.options.limit === undefined ? there : there.slice(0, limitOf(input));
  return {
    data: { recordings: shown.map(recordingData), count: shown.length, total: there.length },
    warnings: warningsOf(found),
    text: (style) =>
      there.length === 0
        ? `no recordings${input.options.allTenants === true ? '' : ` of tenant '${app.config.tenant}'`}\n`
        : table(
            shown,
            [
              { title: 'ENDED', value: ({ endedAt }) => new Date(endedAt).toISOString().slice(0, 19) },
              { title: 'NODE', value: ({ node }) => node },
              { title: 'TENANT', value: ({ tenant }) => tenant },
              { title: 'ID', value: ({ id }) => id },
              { title: 'FROM', value: ({ call }) => visible(call?.from ?? '-') },
              { title: 'TO', value: ({ call }) => visible(call?.to ?? '-') },
              { title: 'SIZE', value: ({ size }) => sizeText(size), align: 'right' },
              { title: 'STATE', value: (one) => [stateOf(one), ...marksOf(one.facts)].join(', ') },
            ],
            style,
          ),
  };
};

const marksOf = (facts: { hold: string | null; pushedTo: string | null } | null): string[] => [
  ...(facts?.hold == null ? [] : ['held']),
  ...(facts?.pushedTo == null ? [] : ['pushed']),
];

const show: Run = async (app, input) => {
  const found = await recordingsAsked(app, input);
  const one = oneRecording(found.recordings, input.args[0] ?? '');
  const wave = waveFacts(await one.folder.head(one.path, waveHeaderBytes), one.size);
  const data = { ...recordingData(one), place: one.folder.place, ...wave };
  return {
    data,
    warnings: warningsOf(found),
    text: (style) =>
      listing(
        [
          ['recording', one.id],
          ['call', one.callId],
          ['tenant', one.tenant],
          ['node', one.node],
          ['file', `${one.folder.place}/${one.path}`],
          ['ended', data.endedAt],
          ['length', wave.seconds === null ? 'not finished' : `${wave.seconds.toFixed(1)} s`],
          ['size', sizeText(one.size)],
          ['from', visible(data.from ?? '-')],
          ['to', visible(data.to ?? '-')],
          ['state', data.state],
          ['sha256', data.sha256 ?? '-'],
          ['held', data.hold ?? '-'],
          ['pushed to', data.pushedTo ?? '-'],
        ],
        style,
      ),
  };
};

export const recordingList: VerbSpec = {
  name: 'list',
  summary: 'what was recorded, the newest first',
  options: [...choiceFlags, ['--limit <rows>', 'so many at most']],
  examples: ['sipctl recording list --tenant acme --from 2026-11-01 --number 5551234567'],
  run: list,
};

export const recordingShow: VerbSpec = {
  name: 'show',
  summary: 'one recording: its call, its length, what is known of it',
  args: '<id>',
  options: placeFlags,
  run: show,
};

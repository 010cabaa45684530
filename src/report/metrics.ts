import type { Call } from '../model/live/call.ts';
import type { TrunkWord } from '../model/live/changes.ts';
import { type Counters, callLabels } from '../model/live/counters.ts';
import type { TrunkStanding, UserStanding } from '../model/live/events.ts';
import type { Picture } from '../model/live/picture.ts';

/** All samples of one name. */
export interface MetricFamily {
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  samples: readonly Sample[];
}

interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** What metrics are made of. */
export interface MetricFacts {
  version: string;
  picture: Picture;
  /** null where nothing was listened to: what happened cannot be told of one look. */
  counters: Counters | null;
  /** The tenant whose things are told; null for everybody's. */
  tenant: string | null;
  /** Tenant → calls that it may have at one time, where that is limited. */
  limits: ReadonlyMap<string, number>;
}

const words: readonly TrunkWord[] = [
  ...(['registered', 'trying', 'unregistered', 'rejected', 'failed', 'gave-up', 'none'] as const),
];

/** What Prometheus is told. Of a node that is not connected only that is told: what was known last may be wrong. */
export function metricFamilies(facts: MetricFacts): MetricFamily[] {
  const { version, picture, tenant } = facts;
  const known = <T extends { node: string; tenant: string | null }>(all: Iterable<T>): T[] =>
    [...all].filter((one) => picture.isKnown(one.node) && (tenant === null || one.tenant === tenant));
  const calls = known(picture.calls.values());
  const limits = [...facts.limits].filter(([name]) => tenant === null || name === tenant);
  return [
    gauge('sipctl_build_info', 'Version of sipctl; always 1.', [{ labels: { version }, value: 1 }]),
    gauge(
      'sipctl_node_up',
      'Whether the control connection to the PBX stands.',
      [...picture.nodes.values()].map(({ node }) => ({
        labels: { node },
        value: Number(picture.isKnown(node)),
      })),
    ),
    gauge('sipctl_calls', 'Calls that ring, stand or are held now.', counted(calls, stateLabels)),
    gauge(
      'sipctl_tenant_calls_limit',
      'Calls that a tenant may have at one time, where that is limited.',
      limits.map(([name, value]) => ({ labels: { tenant: name }, value })),
    ),
    ...trunkFamilies(known(picture.trunks.values())),
    ...userFamilies(known(picture.users.values())),
    ...(facts.counters === null ? [] : counterFamilies(facts.counters, tenant)),
  ];
}

const trunkFamilies = (trunks: readonly TrunkStanding[]): MetricFamily[] => [
  gauge(
    'sipctl_trunk_registration',
    'How a trunk stands at its carrier: 1 for the state that it is in.',
    trunks.flatMap(({ node, tenant: owner, trunk, registration }) =>
      words.map((state) => ({
        labels: { node, tenant: owner, trunk, state },
        value: Number(state === registration),
      })),
    ),
  ),
  gauge(
    'sipctl_trunk_reachable',
    'Whether the carrier answers OPTIONS, where it is asked.',
    trunks.flatMap(({ node, tenant: owner, trunk, reachable }) =>
      reachable === null ? [] : [{ labels: { node, tenant: owner, trunk }, value: Number(reachable) }],
    ),
  ),
  gauge(
    'sipctl_trunk_rtt_seconds',
    'Time that the carrier took to answer the last OPTIONS.',
    trunks.flatMap(({ node, tenant: owner, trunk, rttMs }) =>
      rttMs === null ? [] : [{ labels: { node, tenant: owner, trunk }, value: rttMs / 1000 }],
    ),
  ),
];

const userFamilies = (users: readonly UserStanding[]): MetricFamily[] => [
  gauge(
    'sipctl_users_registered',
    'Users with at least one phone registered.',
    counted(
      users.filter(({ contacts }) => contacts > 0),
      ownerLabels,
    ),
  ),
  gauge(
    'sipctl_contacts',
    'Phones that are registered.',
    counted(users, ownerLabels, ({ contacts }) => contacts),
  ),
];

function counterFamilies(counters: Counters, tenant: string | null): MetricFamily[] {
  const samples = (counts: Counters['ended']): Sample[] =>
    [...counts.values()].filter(
      ({ labels }) => tenant === null || labels.tenant === undefined || labels.tenant === tenant,
    );
  return [
    counter('sipctl_calls_answered_total', 'Calls that were answered.', samples(counters.answered)),
    counter('sipctl_calls_ended_total', 'Calls that ended, answered or not.', samples(counters.ended)),
    counter(
      'sipctl_calls_failed_total',
      'Calls that ended unanswered, by cause of Q.850 and status of SIP.',
      samples(counters.failed),
    ),
    counter(
      'sipctl_call_talk_seconds_total',
      'Seconds from answer to end of the calls that ended.',
      samples(counters.talkSeconds),
    ),
    counter(
      'sipctl_trunk_registration_failures_total',
      'Times that a registration came to be rejected, failed or given up.',
      samples(counters.registrationFailures),
    ),
    counter(
      'sipctl_node_lost_total',
      'Times that a connection was lost, or could not be opened.',
      samples(counters.lost),
    ),
    counter(
      'sipctl_node_restarted_total',
      'Restarts of the engine that were noticed.',
      samples(counters.restarted),
    ),
    counter('sipctl_monitor_events_total', 'Events told, by kind.', samples(counters.events)),
    gauge(
      'sipctl_monitor_lag_seconds',
      'Time from the last event at the PBX until it was taken in.',
      [...counters.lag].map(([node, value]) => ({ labels: { node }, value })),
    ),
  ];
}

const stateLabels = (call: Call): Record<string, string> => ({ ...callLabels(call), state: call.state });

const ownerLabels = ({ node, tenant }: { node: string; tenant: string }): Record<string, string> => ({
  node,
  tenant,
});

/** How many there are of each kind of thing; or the sum of what `weight` says. */
function counted<T>(
  things: readonly T[],
  labelsOf: (thing: T) => Record<string, string>,
  weight: (thing: T) => number = () => 1,
): Sample[] {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const thing of things) {
    const labels = labelsOf(thing);
    const key = Object.values(labels).join('\u0000');
    const sample = counts.get(key) ?? { labels, value: 0 };
    sample.value += weight(thing);
    counts.set(key, sample);
  }
  return [...counts.values()];
}

const gauge = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  ...{ name, type: 'gauge', help, samples },
});
const counter = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  ...{ name, type: 'counter', help, samples },
});

/** In the text format of Prometheus, version 0.0.4. Families without samples are left out. */
export function metricsText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, type, help, samples }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map((sample) => sampleText(name, sample)).join('')}`,
    )
    .join('');
}

function sampleText(name: string, { labels, value }: Sample): string {
  const shown = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}{${shown.join(',')}} ${value}\n`;
}

// The text format escapes exactly these three in values of labels.
const escaped = (text: string): string =>
  text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));

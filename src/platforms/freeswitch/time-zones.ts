import type { Ask } from './esl/replies.ts';
import { runningElement } from './running-xml.ts';
import { attributeOf, childrenNamed } from './xml/element.ts';

/** Where FreeSWITCH has its list of time zones, below the configuration folder. */
export const zonesFile = 'autoload_configs/timezones.conf.xml';

/** The time zones that a delivered dialplan names: those of schedules, and that of the days of recordings. */
export function zonesOf(calls: string): Set<string> {
  const named = calls.matchAll(/timezone=([A-Za-z0-9_+/-]+)"|strftime_tz\(([A-Za-z0-9_+/-]+) /g);
  return new Set([...named].map(([, zone, other]) => zone ?? other ?? ''));
}

/**
 * Those of these time zones that FreeSWITCH does not know. It knows the ones of its own list only, by their exact names;
 * in one that it does not, a schedule's hours are those of another zone, without an error. @throws EslError
 */
export async function unknownZones(ask: Ask, zones: Iterable<string>): Promise<string[]> {
  const wanted = [...new Set(zones)];
  if (wanted.length === 0) return [];
  const list = await runningElement(ask, 'configuration', 'configuration', 'timezones.conf');
  const known = new Set(
    (list === null ? [] : childrenNamed(list, 'timezones'))
      .flatMap((zones) => childrenNamed(zones, 'zone'))
      .map((zone) => attributeOf(zone, 'name')),
  );
  return wanted.filter((zone) => !known.has(zone)).sort();
}

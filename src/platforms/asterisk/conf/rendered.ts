import type { PjsipGroup, PjsipObject } from '../pjsip-object.ts';
import { type ConfItem, parseConf } from './parse.ts';

const opening = /^=== (TRUNK|SIP USER): (\S+)(?: \(.*\))? ===$/;
const closing = /^=== END (TRUNK|SIP USER): (\S+) ===$/;

/**
 * The trunks and users of a file that sipctl rendered, by their markers. What stands outside of a pair of
 * markers is not sipctl's and is passed over; a pair without its end holds what comes before the next one.
 */
export function parseRendered(text: string): PjsipGroup[] {
  const { items, comments } = parseConf(text);
  const groups: OpenGroup[] = [];
  let group: OpenGroup | undefined;
  let seen = 0;
  const passMarkers = (line: number): void => {
    for (let comment = comments[seen]; comment !== undefined && comment.line < line; ) {
      const begin = opening.exec(comment.text);
      if (begin !== null) {
        group = { kind: begin[1] === 'TRUNK' ? 'trunk' : 'user', name: begin[2] as string, objects: [] };
        groups.push(group);
      } else if (closing.test(comment.text)) {
        group = undefined;
      }
      seen += 1;
      comment = comments[seen];
    }
  };
  for (const item of items) {
    passMarkers(item.line);
    if (group !== undefined) addTo(group, item);
  }
  passMarkers(Number.POSITIVE_INFINITY);
  return groups;
}

interface OpenGroup extends PjsipGroup {
  objects: OpenObject[];
}

interface OpenObject extends PjsipObject {
  type: string;
  options: (readonly [string, string])[];
}

function addTo(group: OpenGroup, item: ConfItem): void {
  if (item.kind === 'section') {
    group.objects.push({ type: '', id: item.name, options: [] });
    return;
  }
  const object = group.objects.at(-1);
  if (item.kind !== 'entry' || object === undefined) return;
  if (item.key === 'type') object.type = item.value;
  else object.options.push([item.key, item.value]);
}

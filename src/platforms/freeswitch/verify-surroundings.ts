import type { Artifact } from '../../plan/generation.ts';
import type { Finding } from '../target.ts';
import { callsFile, controlsFile, roomsFile } from './delivered-files.ts';
import { controlGroups } from './dialplan/rooms.ts';
import type { Ask } from './esl/replies.ts';
import { runningElement } from './running-xml.ts';
import { unknownZones, zonesFile, zonesOf } from './time-zones.ts';
import { fileFinding } from './verify-calls.ts';
import { attributeOf, childrenNamed, isSame } from './xml/element.ts';

/**
 * What delivered calls rely on outside of their own files, and of which FreeSWITCH says nothing where it is missing: time
 * zones of schedules, and what keys do in rooms. No generation of ours mends it.
 */
export async function verifySurroundings(
  ask: Ask,
  artifacts: readonly Artifact[],
  changed: ReadonlySet<string>,
): Promise<Finding[]> {
  const fresh = artifacts.filter(({ key }) => changed.has(key));
  return [...(await timeZones(ask, fresh)), ...(await controls(ask, fresh))];
}

async function timeZones(ask: Ask, artifacts: readonly Artifact[]): Promise<Finding[]> {
  const named = artifacts
    .filter(({ file }) => file === callsFile)
    .map((artifact) => ({ artifact, zones: zonesOf(artifact.text.toString('utf8')) }));
  const unknown = new Set(
    await unknownZones(
      ask,
      named.flatMap(({ zones }) => [...zones]),
    ),
  );
  return named.flatMap(({ artifact, zones }) =>
    [...zones]
      .filter((zone) => unknown.has(zone))
      .map((zone) =>
        standing(artifact, `FreeSWITCH does not know the time zone ${zone}: add it to its ${zonesFile}`),
      ),
  );
}

async function controls(ask: Ask, artifacts: readonly Artifact[]): Promise<Finding[]> {
  const [rooms] = artifacts.filter(({ file }) => file === roomsFile);
  if (rooms === undefined || (await controlsRun(ask))) return [];
  const message = `FreeSWITCH has not what keys do in rooms: no file leads to sipctl/current/${controlsFile} (sipctl doctor)`;
  return [standing(rooms, message)];
}

const standing = (artifact: Artifact, message: string): Finding => ({
  ...fileFinding(artifact, 'missing', message),
  standing: true,
});

/** True where FreeSWITCH has read the control groups of rooms, which every generation holds. @throws EslError */
export async function controlsRun(ask: Ask): Promise<boolean> {
  const settings = await runningElement(ask, 'configuration', 'configuration', 'conference.conf');
  // Of several lists it takes the first one only.
  const [list] = settings === null ? [] : childrenNamed(settings, 'caller-controls');
  const groups = list === undefined ? [] : childrenNamed(list, 'group');
  return controlGroups().every((group) => {
    const found = groups.find((one) => attributeOf(one, 'name') === attributeOf(group, 'name'));
    return found !== undefined && isSame(found, group);
  });
}

import type { Generations } from '../../files/generations.ts';
import { storePath } from '../../plan/generation.ts';
import { readManifest } from '../generation-files.ts';
import type { Check } from '../target.ts';
import { callsFile } from './delivered-files.ts';
import { fileExists, globalVariable, moduleExists, xmlLocate } from './esl/commands.ts';
import type { Ask } from './esl/replies.ts';
import { runningElement } from './running-xml.ts';
import { unknownZones, zonesFile, zonesOf } from './time-zones.ts';
import { controlsRun } from './verify-surroundings.ts';
import { attributeOf, type Element } from './xml/element.ts';

/** What calls rely on that no delivered file can bring along. */
export async function callChecks(ask: Ask, files: Generations, node: string): Promise<Check[]> {
  return [
    ...(await readingCheck(ask, files, node)),
    await needed(ask),
    await wanted(ask),
    ...(await soundChecks(ask)),
    ...(await zoneChecks(ask, files)),
    ...(await handlerChecks(ask)),
  ];
}

// Every generation holds them, and a verified one was read: where they are missing now, something has come between.
async function readingCheck(ask: Ask, files: Generations, node: string): Promise<Check[]> {
  const name = 'reading';
  if (((await files.verified()) ?? 0) === 0) return [];
  if (await controlsRun(ask))
    return [{ name, status: 'ok', message: 'FreeSWITCH has read what sipctl delivered' }];
  return [
    {
      name,
      status: 'failed',
      message: `FreeSWITCH does not have what stands in ${files.place}/sipctl/current`,
      hint:
        `fs_cli -x reloadxml; where that does not help, let FreeSWITCH's user into ${files.folder}/sipctl: ` +
        `sipctl node set ${node} --group freeswitch, then: chgrp -R freeswitch ${files.folder}/sipctl`,
    },
  ];
}

/** Without these nothing of a call is done. */
const neededModules = ['mod_sofia', 'mod_commands', 'mod_dialplan_xml', 'mod_dptools', 'mod_hash'];

/** Without one of these, what it stands for fails, and nothing else. */
const wantedModules: Readonly<Record<string, string>> = {
  mod_conference: 'rooms',
  mod_voicemail: 'voicemail',
  mod_loopback: 'outside numbers in groups',
  mod_sndfile: 'sound files and recordings',
  mod_tone_stream: 'tones of rooms',
  mod_local_stream: 'music on hold',
};

async function missingOf(ask: Ask, modules: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const module of modules) if (!(await moduleExists(ask, module))) missing.push(module);
  return missing;
}

async function needed(ask: Ask): Promise<Check> {
  const missing = await missingOf(ask, neededModules);
  const name = 'modules';
  if (missing.length === 0) return { name, status: 'ok', message: 'all that is needed is loaded' };
  const message = `not loaded: ${missing.join(', ')}`;
  return { name, status: 'failed', message, hint: howToLoad(missing) };
}

async function wanted(ask: Ask): Promise<Check> {
  const missing = await missingOf(ask, Object.keys(wantedModules));
  const name = 'modules for calls';
  if (missing.length === 0) return { name, status: 'ok', message: 'all that calls may need are loaded' };
  const without = missing.map((module) => `${module} (${wantedModules[module]})`).join(', ');
  return { name, status: 'warning', message: `not loaded: ${without}`, hint: howToLoad(missing) };
}

const howToLoad = (modules: readonly string[]): string =>
  `put ${modules.map((module) => `<load module="${module}"/>`).join(' ')} into modules.conf.xml, and at once: fs_cli -x 'load ${modules[0]}'`;

/** The question for a PIN, below the folder of sounds, at the rates that FreeSWITCH looks for. */
const pinPrompts = ['8000/', '16000/', ''].map((rate) => `conference/${rate}conf-pin.wav`);

// FreeSWITCH gives up on a PIN, or on a message, where it cannot ask for it.
async function soundChecks(ask: Ask): Promise<Check[]> {
  const folder = (await globalVariable(ask, 'sound_prefix'))?.trim() ?? '';
  const found = await Promise.all(pinPrompts.map((prompt) => fileExists(ask, `${folder}/${prompt}`)));
  const sounds: Check = found.includes(true)
    ? { name: 'sounds', status: 'ok', message: `FreeSWITCH has its sounds in ${folder}` }
    : {
        name: 'sounds',
        status: 'warning',
        message: `there is no ${pinPrompts[0]} in ${folder === '' ? 'sound_prefix, which is not set' : folder}: nobody gets into a room with a PIN`,
        hint: 'install FreeSWITCH’s sounds (freeswitch-sounds-en-us-callie, or make cd-sounds-install), and set sound_prefix to their folder in vars.xml',
      };
  if ((await xmlLocate(ask, 'languages', 'language', 'name', 'en')) !== null) return [sounds];
  const phrases: Check = {
    name: 'phrases',
    status: 'warning',
    message: 'there are no English phrases, which voicemail speaks in: it takes no message',
    hint: 'include lang/en/*.xml in the section languages of freeswitch.xml, as the one that FreeSWITCH ships does',
  };
  return [sounds, phrases];
}

// Hours in an unknown time zone are wrong, and nothing says so.
async function zoneChecks(ask: Ask, files: Generations): Promise<Check[]> {
  const current = await files.current();
  const manifest = current === null ? null : await readManifest(files, current);
  const zones = new Set<string>();
  for (const held of Object.values(manifest?.artifacts ?? {})) {
    if (held.file !== callsFile) continue;
    for (const zone of zonesOf((await files.read(storePath(held)))?.toString('utf8') ?? '')) zones.add(zone);
  }
  const name = 'time zones';
  if (zones.size === 0) return [];
  const unknown = await unknownZones(ask, zones);
  if (unknown.length === 0)
    return [{ name, status: 'ok', message: `FreeSWITCH knows ${[...zones].sort().join(', ')}` }];
  return [
    {
      name,
      status: 'failed',
      message: `FreeSWITCH does not know ${unknown.join(', ')}: hours of schedules are wrong, or recordings in the wrong folder`,
      hint: `copy the lines of ${unknown.join(', ')} from the ${zonesFile} that FreeSWITCH ships, then: fs_cli -x reloadxml`,
    },
  ];
}

/** Modules that answer for parts of the configuration before any file is looked at, and how they say so. */
const handlers = [
  { module: 'mod_lua', settings: 'lua.conf', by: 'a script' },
  { module: 'mod_xml_curl', settings: 'xml_curl.conf', by: 'a web server' },
] as const;

const answered = /\b(?:configuration|dialplan|directory)\b/g;

// FusionPBX does so. What is answered there is never looked for in a file, and only the call itself would show it.
async function handlerChecks(ask: Ask): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { module, settings, by } of handlers) {
    if (!(await moduleExists(ask, module))) continue;
    const found = await runningElement(ask, 'configuration', 'configuration', settings);
    const parts = new Set(
      found === null ? [] : bindingsOf(found).flatMap((one) => one.match(answered) ?? []),
    );
    if (parts.size === 0) continue;
    checks.push({
      name: settings,
      status: 'warning',
      message: `${by} answers for ${[...parts].sort().join(', ')} before any file: what it answers hides what sipctl delivers`,
      hint: `see what it answers for the domains and contexts of sipctl; docs/freeswitch.md, "Beside FusionPBX"`,
    });
  }
  return checks;
}

const bindingsOf = (element: Element): string[] => [
  ...(attributeOf(element, 'name') === 'xml-handler-bindings' ? [attributeOf(element, 'value') ?? ''] : []),
  ...(attributeOf(element, 'name') === 'gateway-url' ? [attributeOf(element, 'bindings') ?? ''] : []),
  ...element.children.flatMap(bindingsOf),
];

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Sandbox, sandboxIn } from '../support/run-sipctl.ts';
import type { FreeswitchInstance } from './freeswitch.ts';

export const node = 'fs1';

export const phonePort = 5060;
export const carrierPort = 5080;

/** A configuration folder in the shape of the one that ships: two SIP profiles, and folders that are included whole. */
export function shippedShape(host: string): Record<string, string> {
  return {
    'freeswitch.xml': `<?xml version="1.0"?>
<document type="freeswitch/xml">
  <X-PRE-PROCESS cmd="set" data="sound_prefix=$\${sounds_dir}"/>
  <section name="configuration">
    <X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>
  </section>
  <section name="dialplan">
    <X-PRE-PROCESS cmd="include" data="dialplan/*.xml"/>
  </section>
  <section name="directory">
    <X-PRE-PROCESS cmd="include" data="directory/*.xml"/>
  </section>
  <section name="languages">
    <X-PRE-PROCESS cmd="include" data="lang/en/*.xml"/>
  </section>
</document>
`,
    'autoload_configs/sofia.conf.xml': configuration(
      'sofia.conf',
      '<profiles>\n<X-PRE-PROCESS cmd="include" data="../sip_profiles/*.xml"/>\n</profiles>',
    ),
    'sip_profiles/external.xml': profile('external', host, carrierPort, { 'auth-calls': 'false' }),
    'sip_profiles/internal.xml': profile('internal', host, phonePort, {
      'auth-calls': 'true',
      'challenge-realm': 'auto_from',
      'inbound-reg-force-matching-username': 'true',
      'multiple-registrations': 'contact',
      // SIPp's phones wait for calls only.
      'send-message-query-on-register': 'false',
    }),
    'autoload_configs/ivr.conf.xml': configuration(
      'ivr.conf',
      '<menus>\n<X-PRE-PROCESS cmd="include" data="../ivr_menus/*.xml"/>\n</menus>',
    ),
    'autoload_configs/conference.conf.xml': configuration(
      'conference.conf',
      '<caller-controls>\n</caller-controls>\n<profiles>\n<profile name="default">\n<param name="rate" value="8000"/>\n</profile>\n</profiles>',
    ),
    'autoload_configs/voicemail.conf.xml': configuration(
      'voicemail.conf',
      '<settings>\n</settings>\n<profiles>\n<profile name="default">\n<param name="file-extension" value="wav"/>\n<param name="skip-greet-key" value="#"/>\n</profile>\n</profiles>',
    ),
    'autoload_configs/cdr_csv.conf.xml': configuration(
      'cdr_csv.conf',
      `<settings>
<param name="default-template" value="example"/>
<param name="legs" value="a"/>
<param name="master-file-only" value="true"/>
</settings>
<templates>
<template name="example">${cdrColumns.map((name) => `"\${${name}}"`).join(',')}</template>
</templates>`,
    ),
    'autoload_configs/timezones.conf.xml': configuration(
      'timezones.conf',
      '<timezones>\n<zone name="Europe/Berlin" value="CET-1CEST,M3.5.0,M10.5.0/3"/>\n<zone name="Etc/UTC" value="UTC0"/>\n</timezones>',
    ),
    'autoload_configs/modules.conf.xml': configuration(
      'modules.conf',
      `<modules>\n${modules.map((name) => `<load module="mod_${name}"/>`).join('\n')}\n</modules>`,
    ),
    'dialplan/public.xml': `<include>
<context name="public">
<X-PRE-PROCESS cmd="include" data="public/*.xml"/>
</context>
</include>
`,
    'lang/en/en.xml': language,
    // Folders that a pattern includes are there, whatever stands in them.
    'directory/README': '',
    'sip_profiles/external/README': '',
    'dialplan/public/README': '',
    'ivr_menus/README': '',
  };
}

const modules = [
  ...['logfile', 'event_socket', 'commands', 'conference', 'db', 'dptools', 'expr', 'hash', 'voicemail'],
  ...['dialplan_xml', 'loopback', 'sndfile', 'native_file', 'tone_stream', 'local_stream', 'sofia'],
  'cdr_csv',
];

/** Of the template that FreeSWITCH ships as its default. */
const cdrColumns = [
  ...['caller_id_name', 'caller_id_number', 'destination_number', 'context', 'start_stamp', 'answer_stamp'],
  ...['end_stamp', 'duration', 'billsec', 'hangup_cause', 'uuid', 'bleg_uuid', 'accountcode', 'read_codec'],
  'write_codec',
];

const configuration = (name: string, body: string): string =>
  `<include>\n<configuration name="${name}">\n${body}\n</configuration>\n</include>\n`;

function profile(name: string, host: string, port: number, more: Record<string, string>): string {
  const settings = {
    'sip-ip': host,
    'rtp-ip': host,
    'sip-port': String(port),
    context: 'public',
    'inbound-codec-negotiation': 'generous',
    'inbound-codec-prefs': 'PCMA,PCMU',
    'outbound-codec-prefs': 'PCMA,PCMU',
    'rfc2833-pt': '101',
    ...more,
  };
  return `<include>
<profile name="${name}">
<gateways>
<X-PRE-PROCESS cmd="include" data="${name}/*.xml"/>
</gateways>
<domains>
<domain name="all" alias="false" parse="true"/>
</domains>
<settings>
${Object.entries(settings)
  .map(([key, value]) => `<param name="${key}" value="${value}"/>`)
  .join('\n')}
</settings>
</profile>
</include>
`;
}

/** What a voicemail box says; without it, no message is taken. Here it beeps. */
const phrases = [
  ...[
    'ack',
    'disk_quota_exceeded',
    'enter_id',
    'enter_pass',
    'fail_auth',
    'goodbye',
    'hello',
    'listen_file_check',
  ],
  ...['menu', 'message_count', 'play_greeting', 'record_file_check', 'record_message', 'record_urgent_check'],
  ...['say_date', 'say_message_number', 'say_number'],
];

const language = `<include>
<language name="en" say-module="en" sound-prefix="$\${sounds_dir}">
<phrases>
<macros>
${phrases
  .map(
    (name) => `<macro name="voicemail_${name}">
<input pattern="(.*)">
<match>
<action function="play-file" data="tone_stream://%(100,0,350)"/>
</match>
</input>
</macro>`,
  )
  .join('\n')}
</macros>
</phrases>
</language>
</include>
`;

/** sipctl with a database of its own in front of a running FreeSWITCH: one node, include files in place, nothing applied. */
export async function attach(freeswitch: FreeswitchInstance): Promise<Sandbox> {
  const dir = join(dirname(freeswitch.conf), 'sipctl-site');
  mkdirSync(dir);
  const box = sandboxIn(dir);
  await box.ok('init');
  await addNode(box, freeswitch);
  return box;
}

/** A running FreeSWITCH as a node of a database that is there. */
export async function addNode(box: Sandbox, { conf, esl }: FreeswitchInstance): Promise<void> {
  const control = ['--esl', `${esl.host}:${esl.port}`, '--esl-password', 'env:ESL_PASSWORD'];
  await box.ok(['node', 'add', node, '--kind', 'freeswitch', '--dir', conf, ...control], {
    env: { ESL_PASSWORD: esl.password },
  });
  await box.ok(['node', 'init', node, '--write']);
}

/** The smallest configuration folder with which FreeSWITCH has an event socket and a SIP profile. */
export function minimalConfiguration(esl: {
  host: string;
  port: number;
  password: string;
}): Record<string, string> {
  return {
    'freeswitch.xml': `<?xml version="1.0"?>
<document type="freeswitch/xml">
  <section name="configuration">
    <X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>
  </section>
  <section name="dialplan">
    <X-PRE-PROCESS cmd="include" data="dialplan/*.xml"/>
  </section>
  <section name="directory">
    <X-PRE-PROCESS cmd="include" data="directory/*.xml"/>
  </section>
</document>
`,
    'autoload_configs/modules.conf.xml': configuration('modules.conf', modules),
    'autoload_configs/switch.conf.xml': configuration(
      'switch.conf',
      settings({ 'sessions-per-second': '500', 'rtp-start-port': '20000', 'rtp-end-port': '20800' }),
    ),
    'autoload_configs/logfile.conf.xml': configuration('logfile.conf', logfile),
    'autoload_configs/acl.conf.xml': configuration(
      'acl.conf',
      '<network-lists><list name="nobody" default="deny"/></network-lists>',
    ),
    'autoload_configs/event_socket.conf.xml': eventSocket(esl, 'loopback.auto'),
    'autoload_configs/conference.conf.xml': configuration(
      'conference.conf',
      '<profiles><profile name="default"><param name="rate" value="8000"/></profile></profiles>',
    ),
    'autoload_configs/sofia.conf.xml': configuration(
      'sofia.conf',
      `<profiles>\n${sipProfile('external', esl.host)}\n</profiles>`,
    ),
  };
}

/** A tenant for that configuration: a gateway, a user, and something to call. */
export const sampleTenant = (host: string): Record<string, string> => ({
  'sip_profiles/external/main.xml': gateway('acme.main', host),
  'directory/acme.xml': directory,
  'dialplan/acme.xml': dialplan,
});

/** `event_socket.conf.xml`, with the list of who may connect. */
export const eventSocket = (
  { host, port, password }: { host: string; port: number; password: string },
  acl: string,
): string =>
  configuration(
    'event_socket.conf',
    settings({ 'listen-ip': host, 'listen-port': `${port}`, password, 'apply-inbound-acl': acl }),
  );

/** A file of one gateway that registers nowhere. */
export const gateway = (name: string, host: string): string => `<include>
  <gateway name="${name}">
    <param name="username" value="acme"/>
    <param name="password" value="of-the-carrier"/>
    <param name="proxy" value="${host}:5099"/>
    <param name="extension" value="a&amp;b"/>
    <param name="register" value="false"/>
  </gateway>
</include>
`;

const configuration = (name: string, body: string): string =>
  `<include>\n<configuration name="${name}">\n${body}\n</configuration>\n</include>\n`;

const params = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `<param name="${name}" value="${value}"/>`)
    .join('\n');

const settings = (values: Readonly<Record<string, string>>): string =>
  `<settings>\n${params(values)}\n</settings>`;

const modules = `<modules>
${[
  'logfile',
  'event_socket',
  'commands',
  'conference',
  'dptools',
  'hash',
  'loopback',
  'dialplan_xml',
  'tone_stream',
  'sofia',
]
  .map((name) => `<load module="mod_${name}"/>`)
  .join('\n')}
</modules>`;

const logfile = `<settings><param name="rotate-on-hup" value="true"/></settings>
<profiles>
<profile name="default">
<settings><param name="logfile" value="$\${log_dir}/freeswitch.log"/></settings>
<mappings><map name="all" value="info,notice,warning,err,crit,alert"/></mappings>
</profile>
</profiles>`;

const sipProfile = (name: string, host: string): string => `<profile name="${name}">
<gateways>
<X-PRE-PROCESS cmd="include" data="../sip_profiles/${name}/*.xml"/>
</gateways>
<domains><domain name="all" alias="false" parse="true"/></domains>
${settings({ 'sip-ip': host, 'rtp-ip': host, 'sip-port': '5080', context: 'acme', 'auth-calls': 'false' })}
</profile>`;

const directory = `<include>
<domain name="acme.sip.example">
<user id="1001">
<params>
<param name="a1-hash" value="0123456789abcdef0123456789abcdef"/>
<param name="allow-empty-password" value="false"/>
</params>
<variables>
<variable name="effective_caller_id_name" value="Änne &lt;One&gt;"/>
<variable name="empty" value=""/>
</variables>
</user>
</domain>
</include>
`;

const dialplan = `<include>
<context name="acme">
<extension name="limited">
<condition field="destination_number" expression="^limited$">
<action application="limit" data="hash acme calls 5"/>
<action application="answer"/>
<action application="park"/>
</condition>
</extension>
<extension name="conference">
<condition field="destination_number" expression="^conference$">
<action application="answer"/>
<action application="conference" data="acme-3000@default"/>
</condition>
</extension>
<extension name="park">
<condition field="destination_number" expression="^park$">
<action application="answer"/>
<action application="park"/>
</condition>
</extension>
<extension name="busy">
<condition field="destination_number" expression="^busy$">
<action application="hangup" data="USER_BUSY"/>
</condition>
</extension>
</context>
</include>
`;

import type { Generations } from '../../files/generations.ts';
import type { Node } from '../../model/nouns.ts';
import type { Check } from '../target.ts';
import type { AmiConnection } from './ami/connection.ts';
import { parseConf } from './conf/parse.ts';
import { hostReader } from './host-includes.ts';
import { mainFile, traceIncludes } from './include-lines.ts';
import { fileSections } from './live-objects.ts';

/** A transport that pjsip.conf defines. */
export interface TransportSection {
  name: string;
  /** Asterisk's own default is udp. */
  protocol: string;
}

/** The name of a node's transport for a protocol: as the node says, else `transport-<protocol>`. */
export function transportName(node: Pick<Node, 'transports'>, protocol: string): string {
  const given = node.transports?.find((pair) => pair.startsWith(`${protocol}=`));
  return given?.slice(protocol.length + 1) ?? `transport-${protocol}`;
}

/** The transports as Asterisk reads them, whatever file they stand in. */
export async function transportsOf(ami: AmiConnection): Promise<TransportSection[]> {
  const sections = await fileSections(ami, { type: 'transport' });
  return sections.map(({ name, protocol }) => ({ name, protocol: protocol ?? 'udp' }));
}

/** The transports in the files that pjsip.conf includes by name: what can be known without asking Asterisk. */
export async function transportsInFiles(files: Generations): Promise<TransportSection[]> {
  const read = hostReader(files);
  const found: TransportSection[] = [];
  for (const { path } of (await traceIncludes(read, files.folder)).files) {
    found.push(...transportSections((await read(path)) ?? ''));
  }
  return found;
}

function transportSections(content: string): TransportSection[] {
  const found: TransportSection[] = [];
  let section: { name: string; type: string; protocol: string } | null = null;
  const keep = (): void => {
    if (section?.type === 'transport') found.push({ name: section.name, protocol: section.protocol });
  };
  for (const item of parseConf(content).items) {
    if (item.kind === 'section') {
      keep();
      section = item.template ? null : { name: item.name, type: '', protocol: 'udp' };
    } else if (item.kind === 'entry' && section !== null) {
      if (item.key === 'type') section.type = item.value;
      if (item.key === 'protocol') section.protocol = item.value;
    }
  }
  keep();
  return found;
}

/** One check per protocol that templates use: without its transport an object is accepted, and never works. */
export function examineTransports(
  node: Node,
  protocols: readonly string[],
  present: readonly TransportSection[],
): Check[] {
  return protocols.map((protocol) => {
    const name = `transport ${protocol}`;
    const wanted = transportName(node, protocol);
    const found = present.find((one) => one.name === wanted);
    if (found?.protocol === protocol) return { name, status: 'ok', message: `${wanted} is defined` };
    if (found !== undefined) {
      return {
        name,
        status: 'failed',
        message: `${wanted} is a transport for ${found.protocol}`,
        hint: `sipctl node set ${node.name} --transports ${protocol}=<name of a ${protocol} transport>`,
      };
    }
    const other = present.find((one) => one.protocol === protocol);
    return {
      name,
      status: 'warning',
      message: `there is no transport ${wanted}: trunks over ${protocol} will be refused when they are verified`,
      hint:
        other === undefined
          ? `put into ${mainFile}: ${sectionLines(wanted, protocol)}`
          : `use the one that is there: sipctl node set ${node.name} --transports ${protocol}=${other.name}`,
    };
  });
}

function sectionLines(name: string, protocol: string): string {
  const lines = [`[${name}]`, 'type = transport', `protocol = ${protocol}`];
  if (protocol === 'tls') {
    lines.push('bind = 0.0.0.0:5061', 'cert_file = /etc/asterisk/keys/asterisk.crt');
    lines.push('priv_key_file = /etc/asterisk/keys/asterisk.key', 'method = tlsv1_2');
  } else lines.push('bind = 0.0.0.0:5060');
  return `\n${lines.join('\n')}`;
}

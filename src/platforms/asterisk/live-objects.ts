import type { AmiMessage } from './ami/codec.ts';
import type { AmiConnection } from './ami/connection.ts';
import { AmiError } from './ami/failures.ts';

/** What runs, by object type and name. Endpoints here are only there or not; `endpointDetails` gives their values. */
export interface LiveObjects {
  endpoint: ReadonlyMap<string, AmiMessage>;
  auth: ReadonlyMap<string, AmiMessage>;
  aor: ReadonlyMap<string, AmiMessage>;
  registration: ReadonlyMap<string, AmiMessage>;
}

/** Everything that one endpoint shows of itself. */
export interface EndpointDetails {
  /** Null where Asterisk will not show it, which is how it says that the endpoint's transport does not run. */
  endpoint: AmiMessage | null;
  identifies: ReadonlyMap<string, AmiMessage>;
  aors: readonly AmiMessage[];
  /** Each as it answered when it was last asked. */
  contacts: readonly AmiMessage[];
}

/** A section of pjsip.conf with all its includes, as Asterisk reads it from disk. */
export interface FileSection {
  name: string;
  type: string | null;
  /** Of transports. */
  protocol: string | null;
}

/** Reads every object in four lists; 10,000 auths take about a second. */
export async function liveObjects(ami: AmiConnection): Promise<LiveObjects> {
  // Each registration is followed by its auth, which has the same name.
  const byName = async (type: string, action: string): Promise<Map<string, AmiMessage>> => {
    const items = (await ami.list(action)).filter((item) => item.get('ObjectType') === type);
    return new Map(items.map((item) => [item.get('ObjectName') ?? '', item]));
  };
  return {
    endpoint: await byName('endpoint', 'PJSIPShowEndpoints'),
    auth: await byName('auth', 'PJSIPShowAuths'),
    aor: await byName('aor', 'PJSIPShowAors'),
    registration: await byName('registration', 'PJSIPShowRegistrationsOutbound'),
  };
}

/**
 * What one endpoint shows, half a millisecond's work for Asterisk; null where it does not run. The answers are large:
 * whoever asks for many uses each and lets it go.
 */
export async function endpointDetail(ami: AmiConnection, name: string): Promise<EndpointDetails | null> {
  try {
    const items = await ami.list('PJSIPShowEndpoint', { Endpoint: name });
    const of = (event: string) => items.filter((item) => item.get('Event') === event);
    return {
      endpoint: of('EndpointDetail')[0] ?? null,
      identifies: new Map(of('IdentifyDetail').map((item) => [item.get('ObjectName') ?? '', item])),
      aors: of('AorDetail'),
      contacts: of('ContactStatusDetail'),
    };
  } catch (error) {
    if (!(error instanceof AmiError)) throw error;
    if (/unable to retrieve endpoint/i.test(error.reply)) return null;
    if (/unable to retrieve transport/i.test(error.reply))
      return { endpoint: null, identifies: new Map(), aors: [], contacts: [] };
    throw error;
  }
}

/**
 * The section names of a file of the configuration folder, includes followed, repeated ones repeated.
 * @throws AmiError where Asterisk cannot find the file, or cannot read it to its end
 */
export async function sectionNames(ami: AmiConnection, file: string): Promise<string[]> {
  const answer = await ami.action('ListCategories', { Filename: file });
  return answer.entries.filter(([name]) => name.startsWith('Category-')).map(([, value]) => value);
}

/**
 * The sections of pjsip.conf and their types: all, those of one name, or those of one type.
 * The values of options do not leave this function; there are passwords among them.
 */
export async function fileSections(
  ami: AmiConnection,
  only: { name?: string; type?: string } = {},
): Promise<FileSection[]> {
  const answer = await ami.action('GetConfig', {
    Filename: 'pjsip.conf',
    ...(only.name === undefined ? {} : { Category: only.name }),
    ...(only.type === undefined ? {} : { Filter: `type=^${only.type}$` }),
  });
  const sections = new Map<string, FileSection>();
  for (const [header, value] of answer.entries) {
    const [kind, at = ''] = header.split('-');
    if (kind === 'Category') sections.set(at, { name: value, type: null, protocol: null });
    const section = sections.get(at);
    if (kind !== 'Line' || section === undefined) continue;
    if (value.startsWith('type=')) section.type = value.slice('type='.length);
    if (value.startsWith('protocol=')) section.protocol = value.slice('protocol='.length);
  }
  return [...sections.values()];
}

// Asterisk works off one session's actions in turn: a few in flight hide the way there and back.
const inFlight = 16;

/** Does `work` for every item, a few at a time, in order of start. The first error ends it. */
export async function pipelined<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, items.length) }, worker));
}

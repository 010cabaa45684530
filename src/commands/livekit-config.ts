import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { livekitSetup } from '../model/livekit.ts';
import { masked } from '../model/secret.ts';
import { livekit, twilioTrunk } from '../model/service-nouns.ts';
import { trunkDomain } from '../model/twilio/names.ts';
import { describedServices } from '../pipeline/described-services.ts';
import { lkFiles, type SipConfig, sipConfigText, unknownTrunkId } from '../report/livekit.ts';
import type { ObjectRef } from '../store/records.ts';
import type { Input, Result, Run, VerbSpec } from './command.ts';
import { existingConnection, namedConnection } from './livekit-named.ts';
import { twilioEnsure } from './twilio-ensure.ts';

type TenantRef = ObjectRef & { tenant: string };

const run: Run = async (app, input) => {
  const { format } = input.options;
  if (format !== undefined && format !== 'json' && format !== 'lk') throw unknownFormat(String(format));
  return format === 'lk' ? asLkFiles(app, input) : asFields(app, input);
};

/** The fields that anything which signs in at the trunk needs. */
async function asFields(app: App, input: Input): Promise<Result> {
  const { reveal, ensure, format } = input.options;
  let ref = await trunkOf(app, input);
  let sids = ref === null ? null : await sidsOf(app, ref);
  let changed = false;
  if (sids === null && ensure === true) {
    const made = await twilioEnsure.run(app, { args: [ref?.name], options: {} });
    if (made.errors !== undefined) return made;
    changed = made.changed === true;
    ref = await trunkOf(app, input);
    sids = ref === null ? null : await sidsOf(app, ref);
  }
  if (ref === null || sids === null) throw notMade(app, ref);
  const trunk = await (await app.store()).records.get(twilioTrunk, ref);
  const config: SipConfig = {
    domainName: trunkDomain(trunk.domainPrefix),
    sipUsername: trunk.sipUsername,
    sipPassword: reveal === true ? trunk.sipPassword.reveal() : masked,
    ...sids,
  };
  if (reveal === true) await auditReveal(app, twilioTrunk.name, ref);
  return {
    changed,
    data: { config },
    text: (style) =>
      format === 'json' ? `${JSON.stringify(config, null, 2)}\n` : sipConfigText(config, style),
  };
}

/** The trunk of the connection; without one, the only trunk that the tenant has. */
async function trunkOf(app: App, input: Input): Promise<TenantRef | null> {
  const { tenant } = app.config;
  const { records } = await app.store();
  const connection = await namedConnection(app, input);
  if (connection !== null) return { tenant, name: (await records.get(livekit, connection)).twilioTrunk };
  const [only, ...others] = await records.list(twilioTrunk, { tenant });
  if (only === undefined) return null;
  // Which of several is meant, a connection says.
  if (others.length > 0) await existingConnection(app, input);
  return { tenant, name: only.name };
}

async function sidsOf(
  app: App,
  ref: TenantRef,
): Promise<Pick<SipConfig, 'trunkSid' | 'credentialListSid'> | null> {
  const made = await (await app.store()).resourceMemory({ kind: 'twilio', ...ref }).list();
  const sid = (key: string): string | null => made.find((one) => one.key === key)?.id ?? null;
  const [trunkSid, credentialListSid] = [sid('trunk'), sid('credential-list')];
  return trunkSid === null || credentialListSid === null ? null : { trunkSid, credentialListSid };
}

/** The requests of `lk`, printed, or written into a folder. */
async function asLkFiles(app: App, input: Input): Promise<Result> {
  const reveal = input.options.reveal === true;
  const { output } = input.options;
  if (typeof output === 'string' && !reveal) throw maskedFiles();
  const ref = await existingConnection(app, input);
  const store = await app.store();
  const [described] = await describedServices(store, app.catalog, { kind: 'livekit', ...ref });
  if (described?.kind !== 'livekit') throw new Error(`livekit ${ref.name} is not described`);
  const made = await store.resourceMemory({ kind: 'livekit', ...ref }).list();
  const trunkId = made.find(({ key }) => key === 'inbound-trunk')?.id ?? null;
  const files = lkFiles(livekitSetup(described), { reveal, trunkId });
  if (reveal) await auditReveal(app, livekit.name, ref);
  const paths = typeof output === 'string' ? writeAll(resolve(output), files) : null;
  const warnings = trunkId === null ? [withoutId()] : [];
  return {
    changed: paths !== null,
    data: paths === null ? { files } : { written: paths },
    text: (style) =>
      paths === null
        ? `${JSON.stringify(files, null, 2)}\n`
        : paths.map((path) => `${style.bold(path)} written\n`).join(''),
    warnings,
  };
}

/** Only the caller can read them; a file that is there stays. */
function writeAll(folder: string, files: Readonly<Record<string, object>>): string[] {
  return Object.entries(files).map(([name, request]) => {
    const path = join(folder, name);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(path, `${JSON.stringify(request, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    } catch (cause) {
      throw notWritten(path, cause as NodeJS.ErrnoException);
    }
    return path;
  });
}

const auditReveal = async (app: App, noun: string, { tenant, name }: TenantRef): Promise<void> =>
  (await app.store()).audit({ action: 'reveal', noun, tenant, name, detail: {} });

const withoutId = () => ({
  code: 'livekit_trunk_id_unknown',
  message: `sipctl did not make the inbound trunk: its id is not known, and ${unknownTrunkId} stands in dispatch-rule.json`,
  hint: 'put the id there that lk sip inbound create prints; a rule without the id of a trunk takes the calls of the whole project',
});

const notMade = ({ config: { tenant } }: App, trunk: TenantRef | null): SipctlError =>
  new SipctlError('notFound', {
    code: 'twilio_trunk_not_made',
    message:
      trunk === null
        ? `tenant '${tenant}' has no Twilio trunk`
        : `Twilio trunk '${trunk.name}' of tenant '${tenant}' was not made at Twilio yet`,
    hint: `sipctl twilio ensure --tenant ${tenant} makes it, and so does --ensure`,
  });

const unknownFormat = (format: string): SipctlError =>
  new SipctlError('invalid', {
    code: 'invalid_format',
    message: `format: '${format}' is not known`,
    field: 'format',
    hint: 'json prints the fields, lk the requests of LiveKit’s command lk',
  });

const maskedFiles = (): SipctlError =>
  new SipctlError('invalid', {
    code: 'masked_files',
    message: 'the files would hold [secret] in the place of the password',
    field: 'output',
    hint: 'say --reveal: the password is then written, for you alone to read, and an audit row tells of it',
  });

const notWritten = (path: string, cause: NodeJS.ErrnoException): SipctlError =>
  new SipctlError(
    cause.code === 'EEXIST' ? 'conflict' : 'failed',
    {
      code: 'not_written',
      message:
        cause.code === 'EEXIST' ? `${path} is there already` : `${path} cannot be written: ${cause.code}`,
      field: 'output',
      hint: 'name a folder that is empty, or not there yet, and that you may write in',
    },
    { cause },
  );

/** `getSipConfigForLiveKit`, as a command. */
export const livekitConfig: VerbSpec = {
  name: 'config',
  summary: 'how LiveKit signs in at the Twilio trunk: domain, user, password, SIDs',
  args: '[name]',
  options: [
    ['--format <format>', 'json: the fields; lk: requests for lk sip inbound|outbound|dispatch create'],
    ['-o, --output <folder>', 'with --format lk: write each request into a file of this folder'],
    ['--reveal', 'show the password; leaves an audit row'],
    ['--ensure', 'make the trunk at Twilio where it was not made yet'],
  ],
  examples: [
    'sipctl livekit config --tenant acme --format json --reveal',
    'sipctl livekit config --tenant acme --format lk --reveal -o ./lk && lk sip inbound create ./lk/inbound-trunk.json',
  ],
  run,
};

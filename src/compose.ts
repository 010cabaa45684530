import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, hostname, userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { App } from './app.ts';
import type { ShippedCatalog } from './catalog/compile.ts';
import type { Config, Environment } from './config.ts';
import { SipctlError } from './errors.ts';
import type { Generations } from './files/generations.ts';
import type { FileOperations } from './files/operations.ts';
import type { SshGenerations } from './files/ssh-generations.ts';
import { chosenNodes, labelIn } from './model/chosen-nodes.ts';
import type { Node } from './model/nouns.ts';
import * as nouns from './model/nouns.ts';
import type { TwilioAccount } from './model/service-nouns.ts';
import type { Catalog } from './model/template.ts';
import type { TwilioView } from './model/twilio/view.ts';
import type { DescribedService, ServiceFilter } from './pipeline/described-services.ts';
import type { PlannedService } from './pipeline/hosted-services.ts';
import type { PlannedTarget } from './pipeline/make-plan.ts';
import type { RenderTenants } from './pipeline/render-tenants.ts';
import type { AsteriskParts } from './platforms/asterisk/target.ts';
import type { ControlPlane } from './platforms/control-plane.ts';
import type { FreeSwitchParts } from './platforms/freeswitch/target.ts';
import type { Service } from './platforms/hosted-service.ts';
import type { Target } from './platforms/target.ts';
import type { LeaseOwner } from './store/leases.ts';
import type { Store } from './store/store.ts';
import type { Terminal } from './terminal.ts';

/** What a run is composed of; tests put other parts in. */
export interface Parts {
  config: Config;
  terminal: Terminal;
  version: string;
  env: Environment;
  signal: AbortSignal;
  /** See `App`. */
  endsAtInterrupt?: () => void;
  now?: () => Date;
  fileOperations?: FileOperations;
  /** Opens sessions at nodes in the place of their engines. */
  control?: OpenControl;
}

/** Opens a session at a node; see `Target.control`. */
export type OpenControl = (
  node: string,
  options: { events: boolean; signal?: AbortSignal | undefined },
) => Promise<ControlPlane>;

/** Builds the application from its configuration. Nothing is opened before it is asked for. */
export function compose(parts: Parts): App {
  const { config, terminal, version, env, signal } = parts;
  const now = parts.now ?? (() => new Date());
  const self = ownSelf(env);
  let store: Promise<Store> | null = null;
  let catalog: Promise<Catalog> | null = null;
  const connections: SshGenerations[] = [];
  const app: App = {
    config,
    terminal,
    version,
    env,
    signal,
    endsAtInterrupt: parts.endsAtInterrupt ?? (() => undefined),
    now,
    self,
    store: (options) => {
      store ??= openStore(config, self.holder, now, options);
      return store;
    },
    catalog: () => {
      catalog ??= openCatalog(config);
      return catalog;
    },
    shippedCatalog,
    targets: (names = []) => openTargets(app, names),
    target: (node) => openTarget(node, app, parts, connections),
    services: (filter = {}) => openServices(app, parts, filter),
    openService: (described, isToGo) => openService(described, parts, isToGo),
    twilioView: (account) => openTwilioView(account, parts),
    rendering: async () => openRendering(await app.store()),
    readConfiguration,
    close: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      if (store !== null) await (await store.catch(() => null))?.close();
    },
  };
  return app;
}

async function openTargets(app: App, names: readonly string[]): Promise<PlannedTarget[]> {
  const opened = await app.store();
  const { records } = opened;
  if (opened.opened.access !== null)
    await (await import('./pipeline/visible-nodes.ts')).expectVisibleNodes(opened, names);
  const all = (await records.list(nouns.node)) as unknown as Node[];
  for (const name of names) {
    if (labelIn(name) === null) await records.get(nouns.node, { tenant: null, name });
  }
  return Promise.all(chosenNodes(all, names).map(app.target));
}

async function openServices(app: App, parts: Parts, filter: ServiceFilter): Promise<PlannedService[]> {
  const { describedServices } = await import('./pipeline/described-services.ts');
  const opened = await app.store();
  const described = await describedServices(opened, app.catalog, filter);
  return Promise.all(
    described.map(async (one) => {
      const isToGo = filter.areToGo === true;
      const service = await openService(one, parts, isToGo);
      const memory = opened.resourceMemory(service);
      const { kind, tenant, name } = service;
      const again = async (): Promise<PlannedService> => {
        const [same] = await app.services({ kind, tenant, name, areToGo: isToGo });
        if (same === undefined) throw goneMeanwhile(`${kind} ${tenant}/${name}`);
        return same;
      };
      return { service, memory, salt: opened.salt, again };
    }),
  );
}

const readConfiguration: App['readConfiguration'] = async (kind, files, finder, settings) => {
  if (kind === 'freeswitch') {
    const { readFreeSwitch } = await import('./platforms/freeswitch/reading/read.ts');
    return readFreeSwitch(files, finder, settings);
  }
  const { readPjsip } = await import('./platforms/asterisk/reading/read.ts');
  return readPjsip(files, finder, settings);
};

async function openStore(
  { db, dbPassword, keyFile }: Config,
  actor: string,
  now: () => Date,
  options: { create?: boolean; migrate?: boolean } = {},
): Promise<Store> {
  const { Store: store } = await import('./store/store.ts');
  return store.open({ file: db, password: dbPassword, keyFile, actor, now, ...options });
}

async function openCatalog(config: Config): Promise<Catalog> {
  const { loadCatalog } = await import('./catalog/load.ts');
  return loadCatalog({ shipped: await shippedCatalog(), overlay: config.templates });
}

// Compiled into the package when it is built; read from the templates themselves in a source tree.
async function shippedCatalog(): Promise<ShippedCatalog> {
  const compiled = new URL('./catalog.json', import.meta.url);
  if (existsSync(compiled)) return JSON.parse(readFileSync(compiled, 'utf8')) as ShippedCatalog;
  const { compileShipped } = await import('./catalog/compile.ts');
  fromSources ??= compileShipped(fileURLToPath(new URL('../templates', import.meta.url)));
  return fromSources;
}

// Reading all templates takes longer than most commands, and tests run thousands of them in one process.
let fromSources: Promise<ShippedCatalog> | null = null;

async function openTarget(
  node: Node,
  app: App,
  { fileOperations, control }: Parts,
  connections: SshGenerations[],
): Promise<PlannedTarget> {
  const far = node.ssh === null ? null : await openFolder(node, node.ssh, app);
  if (far !== null) connections.push(far);
  const engineParts = {
    files: far ?? (await localFolder(node, app, fileOperations)),
    catalog: await app.catalog(),
    sipctlVersion: app.version,
    now: app.now,
    timeouts: {
      connect: app.config.connectTimeout,
      ...(far === null || !node.tunnel ? {} : { through: () => far.tunnel() }),
    },
  };
  const target = await backEnd(node, engineParts);
  const controlled = control && { controllable: true, control: control.bind(null, node.name) };
  return { target: { ...target, ...controlled }, tenants: node.tenants };
}

async function localFolder(
  node: Node,
  app: App,
  operations: FileOperations | undefined,
): Promise<Generations> {
  const { localGenerations } = await import('./files/local.ts');
  return localGenerations(node.dir, {
    now: app.now,
    ...(node.owner === null ? {} : { owner: node.owner }),
    ...(node.group === null ? {} : { group: node.group }),
    ...(operations === undefined ? {} : { operations }),
  });
}

async function openFolder(node: Node, login: string, app: App): Promise<SshGenerations> {
  const { SshGenerations } = await import('./files/ssh-generations.ts');
  const { dir, owner, group, name, sshConfig, tunnel, ami, esl } = node;
  return new SshGenerations({
    ...{ login, config: sshConfig ?? (app.env.SIPCTL_SSH_CONFIG || null), dir, owner, group },
    forward: tunnel ? (ami ?? esl) : null,
    ...{ now: app.now, signal: app.signal },
    ...(app.config.debug
      ? { trace: (request: string) => app.terminal.err(`${name}: ssh ${login}: ${request}\n`) }
      : {}),
  });
}

// What is not used is not loaded.
async function backEnd(node: Node, parts: AsteriskParts & FreeSwitchParts): Promise<Target> {
  if (node.kind === 'freeswitch') {
    const { freeSwitchTarget } = await import('./platforms/freeswitch/target.ts');
    return freeSwitchTarget(node, parts);
  }
  const { asteriskTarget } = await import('./platforms/asterisk/target.ts');
  return asteriskTarget(node, parts);
}

const goneMeanwhile = (title: string): SipctlError =>
  new SipctlError('notFound', {
    code: 'service_gone',
    message: `${title} was removed meanwhile`,
    hint: 'sipctl audit says by whom',
  });

type Outside = Pick<Parts, 'config' | 'terminal'>;

/** How long is waited for hosted services. A time-out that is short is that of somebody who cannot wait long. */
const patienceOf = ({ serviceTimeout, debug }: Config, terminal: Terminal) => ({
  timeoutMs: serviceTimeout,
  baseMs: Math.min(500, serviceTimeout / 4),
  ...(debug ? { trace: (line: string) => terminal.err(`${line}\n`) } : {}),
});

async function openService(
  described: DescribedService,
  { config, terminal }: Outside,
  isToGo: boolean,
): Promise<Service> {
  const patience = patienceOf(config, terminal);
  if (described.kind === 'livekit') {
    const { livekitService } = await import('./platforms/livekit/livekit-service.ts');
    return livekitService({ ...described, trunk: isToGo ? null : described.trunk }, patience);
  }
  const { twilioService } = await import('./platforms/twilio/twilio-service.ts');
  const numbers = described.numbers.map(({ number }) => number);
  return twilioService({ ...described, numbers }, { api: config.twilioApi, patience, isToGo });
}

async function openTwilioView(account: TwilioAccount, { config, terminal }: Outside): Promise<TwilioView> {
  const { twilioView } = await import('./platforms/twilio/view.ts');
  return twilioView({ account, api: config.twilioApi, patience: patienceOf(config, terminal) });
}

/** Threads that render besides this one. Each takes some 50 MB, and more of them only wait for each other's memory. */
const mostThreads = 3;

// What a thread runs is made by the build; from its sources, sipctl renders in the one thread it has.
async function openRendering(store: Store): Promise<RenderTenants> {
  const { renderHere } = await import('./pipeline/render-tenants.ts');
  const entry = new URL('./render-thread.cjs', import.meta.url);
  const threads = Math.min(availableParallelism() - 1, mostThreads);
  if (threads === 0 || !existsSync(entry)) return renderHere(store);
  const { renderInThreads } = await import('./pipeline/render-threads.ts');
  const threadStarter = async () => (await import('./pipeline/start-thread.ts')).startThread(entry);
  return renderInThreads(store, threadStarter, threads);
}

function ownSelf(env: Environment): LeaseOwner {
  const user = env.SUDO_USER ?? env.USER ?? userName();
  const host = hostname();
  return { holder: `${user}@${host} (process ${process.pid})`, host, pid: process.pid };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that no user has.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

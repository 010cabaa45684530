import type { ShippedCatalog } from './catalog/compile.ts';
import type { Config } from './config.ts';
import type { Node } from './model/nouns.ts';
import type { Reading, ReadingSettings, SourceFinder, SourceText } from './model/reading.ts';
import type { TwilioAccount } from './model/service-nouns.ts';
import type { Catalog } from './model/template.ts';
import type { TwilioView } from './model/twilio/view.ts';
import type { DescribedService, ServiceFilter } from './pipeline/described-services.ts';
import type { PlannedService } from './pipeline/hosted-services.ts';
import type { PlannedTarget } from './pipeline/make-plan.ts';
import type { RenderTenants } from './pipeline/render-tenants.ts';
import type { LeaseOwner } from './store/leases.ts';
import type { Store } from './store/store.ts';
import type { Terminal } from './terminal.ts';

/** Everything outside that a command may touch; opened when it is first asked for. */
export interface App {
  readonly config: Config;
  readonly terminal: Terminal;
  readonly version: string;
  readonly now: () => Date;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** From here on Ctrl-C is how the command ends: there is no step that would be finished or undone, and no word of one. */
  readonly endsAtInterrupt: () => void;
  /** Who is at work, for audit, locks and history. */
  readonly self: LeaseOwner;
  readonly env: Readonly<Record<string, string | undefined>>;
  store(options?: { create?: boolean; migrate?: boolean }): Promise<Store>;
  catalog(): Promise<Catalog>;
  /** The templates that came with sipctl, as the linter needs them. */
  shippedCatalog(): Promise<ShippedCatalog>;
  /** The enabled nodes, or those named. @throws SipctlError `notFound` */
  targets(names?: readonly string[]): Promise<PlannedTarget[]>;
  target(node: Node): Promise<PlannedTarget>;
  /** The hosted services that are enabled, or those named. */
  services(filter?: ServiceFilter): Promise<PlannedService[]>;
  /** A service as it is described here, whatever the database says. */
  openService(described: DescribedService, isToGo: boolean): Promise<PlannedService['service']>;
  /** What an account at Twilio holds. */
  twilioView(account: TwilioAccount): Promise<TwilioView>;
  /** Renders tenants: in this thread, or in several where sipctl was built and the machine has them. */
  rendering(): Promise<RenderTenants>;
  /** What a configuration of a PBX that is there already comes to. */
  readConfiguration(
    kind: Node['kind'],
    files: readonly SourceText[],
    finder: SourceFinder,
    settings: ReadingSettings,
  ): Promise<Reading>;
  close(): Promise<void>;
}

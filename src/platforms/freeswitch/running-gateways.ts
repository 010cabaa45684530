import { setTimeout as sleep } from 'node:timers/promises';
import type { Generations } from '../../files/generations.ts';
import { storePath } from '../../plan/generation.ts';
import { readManifest } from '../generation-files.ts';
import { reloading } from './broken-tree.ts';
import { type Delivered, deliveredObjects, gatewayName } from './delivered.ts';
import { gatewaysFile } from './delivered-files.ts';
import { killGateway, rescanProfile, sofiaStatus } from './esl/commands.ts';
import type { EslConnection } from './esl/connection.ts';
import type { Ask } from './esl/replies.ts';
import { carrierProfile } from './render/gateways.ts';
import { isSame } from './xml/element.ts';

const pollMs = 50;

/**
 * Gateways of ours, as one connection comes to know them. FreeSWITCH never changes a gateway that runs, and tells of none
 * with which password it was made; but each was made from a generation that was in force:
 *
 * ```
 * killgw ─ gone, and the carrier told so ─ rescan ─ made from the generation in force
 * ```
 */
export class RunningGateways {
  readonly #esl: EslConnection;
  readonly #files: Generations;
  /** Milliseconds until a gateway that was ended is gone at the latest. */
  readonly #patience: number;
  /** Generations that gateways may have been made from. */
  readonly #sources: Set<number>;
  /** False where they may have been made from others, too. */
  readonly #allSourcesKnown: boolean;
  /** Gateways that were ended, and not made anew so far. */
  readonly #ended = new Set<string>();
  /** Gateways that were ended, and whose end was not told yet. */
  readonly #leaving = new Set<string>();
  readonly #texts = new Map<string, readonly Delivered[]>();
  #listening: Promise<void> | null = null;

  private constructor(esl: EslConnection, files: Generations, patience: number, sources: Sources) {
    this.#esl = esl;
    this.#files = files;
    this.#patience = patience;
    this.#sources = new Set([sources.verified, sources.current].filter((one) => one !== null));
    this.#allSourcesKnown = sources.verified !== null;
  }

  /** Looks which generations the gateways that run now can be of. */
  static async open(esl: EslConnection, files: Generations, patience: number): Promise<RunningGateways> {
    const sources = { verified: await files.verified(), current: await files.current() };
    return new RunningGateways(esl, files, patience, sources);
  }

  /** True where it is known from which generation all were made: a run that was killed leaves those of two. */
  get settled(): boolean {
    return this.#allSourcesKnown && this.#sources.size === 1;
  }

  // The end of a registration goes to the carrier only after the gateway is marked: one that is made anew at once would
  // register before it, with the same contact, and the carrier would take that for ended.
  async end(names: readonly string[]): Promise<void> {
    this.#listening ??= this.#listen();
    await this.#listening;
    for (const name of names) {
      this.#ended.add(name);
      this.#leaving.add(name);
      if (!(await killGateway((command) => this.#esl.api(command), carrierProfile, name)))
        this.#leaving.delete(name);
    }
  }

  /**
   * Makes the gateways run that the generation in force has.
   * @param all those are ended before that may run with other values; else only the ones that are not there are made
   */
  async rescan({ all }: { all: boolean }): Promise<void> {
    const current = await this.#files.current();
    if (all || !this.settled) await this.#endDiffering(current);
    await this.#untilLeft();
    if (current !== null) this.#sources.add(current);
    const ask: Ask = (command) => this.#esl.api(command);
    await reloading(ask, () => rescanProfile(ask, carrierProfile));
    this.#ended.clear();
  }

  /** Makes a gateway anew that was ended, where no reload did so. */
  async restore(name: string): Promise<void> {
    if (this.#ended.has(name)) await this.rescan({ all: false });
  }

  /** Everything that may have been made from a generation that is no longer in force, by name. */
  async earlier(): Promise<Map<string, Delivered>> {
    const current = await this.#files.current();
    const all = new Map<string, Delivered>();
    for (const source of this.#sources) {
      if (source === current) continue;
      for (const [name, one] of await this.#of(source)) all.set(name, one);
    }
    return all;
  }

  async #endDiffering(current: number | null): Promise<void> {
    const wanted = current === null ? new Map<string, Delivered>() : await this.#of(current);
    const suspects = new Set<string>();
    for (const source of this.#sources) {
      for (const [name, { element }] of await this.#of(source)) {
        const next = wanted.get(name)?.element;
        if (!this.#allSourcesKnown || next === undefined || !isSame(element, next)) suspects.add(name);
      }
    }
    // Where it is not known from what they were made, those to be made may be there as well.
    if (!this.#allSourcesKnown) for (const name of wanted.keys()) suspects.add(name);
    const running = (await sofiaStatus((command) => this.#esl.api(command)))
      .filter(({ name }) => name === carrierProfile)
      .flatMap(({ gateways }) => gateways.map(({ name }) => name));
    await this.end(running.filter((name) => suspects.has(name)));
  }

  async #listen(): Promise<void> {
    const events = this.#esl.events();
    await this.#esl.subscribe([], ['sofia::gateway_delete']);
    const read = async (): Promise<void> => {
      for await (const event of events) this.#leaving.delete(event.get('Gateway') ?? '');
    };
    // A connection that is lost fails whatever is asked next.
    read().catch(() => undefined);
  }

  async #untilLeft(): Promise<void> {
    for (let waited = 0; this.#leaving.size > 0 && waited < this.#patience; waited += pollMs)
      await sleep(pollMs);
    this.#leaving.clear();
  }

  async #of(generation: number): Promise<Map<string, Delivered>> {
    const manifest = await readManifest(this.#files, generation);
    const gateways = new Map<string, Delivered>();
    const all = Object.values(manifest?.artifacts ?? {}).filter(({ file }) => file === gatewaysFile);
    const unknown = all.filter((held) => !this.#texts.has(storePath(held)));
    const texts = await this.#files.readAll(unknown.map(storePath));
    for (const held of all) {
      const path = storePath(held);
      const known = this.#texts.get(path);
      const text = texts[unknown.indexOf(held)] ?? null;
      const objects = known ?? (text === null ? [] : deliveredObjects({ ...held, text }));
      this.#texts.set(path, objects);
      for (const one of objects) gateways.set(gatewayName(one.element), one);
    }
    return gateways;
  }
}

interface Sources {
  verified: number | null;
  current: number | null;
}

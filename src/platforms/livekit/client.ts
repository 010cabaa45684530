import type {
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPOutboundTrunkInfo,
  SipClient,
} from 'livekit-server-sdk';
import type { Livekit } from '../../model/service-nouns.ts';
import { type Backoff, withRetry } from '../control/retry.ts';
import { type Asked, livekitFailure, livekitInterrupted } from './failures.ts';
import { TwirpCarrier } from './twirp.ts';

/** How long, and how often, a project is asked. */
export interface Patience extends Omit<Backoff, 'signal'> {
  /** Of one request, in milliseconds. */
  timeoutMs: number;
  /** Is told of each request and what became of it; of nothing that it carries. */
  trace?: ((line: string) => void) | undefined;
}

/** A LiveKit project, through LiveKit's own client; each request is asked for by what it does. */
export class LivekitProject {
  readonly #asked: Asked;
  readonly #livekit: Livekit;
  readonly #patience: Patience;

  /** @param secrets beside the project's own: what must not come back in a message */
  constructor(livekit: Livekit, patience: Patience, secrets: readonly string[]) {
    this.#livekit = livekit;
    this.#patience = patience;
    const { url, apiKey, apiSecret } = livekit;
    this.#asked = { url, apiKey, secrets: [apiSecret.reveal(), ...secrets] };
  }

  /** Asks once. @throws SipctlError */
  async ask<T>(what: string, request: (client: SipClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw livekitInterrupted(what, signal.reason);
    const client = await this.#client(signal);
    try {
      return await request(client);
    } catch (error) {
      throw signal?.aborted ? livekitInterrupted(what, error) : livekitFailure(error, what, this.#asked);
    }
  }

  /** Does `work` until it succeeds, is refused, or was tried often enough: it has to look first what is there already. */
  repeat<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withRetry(work, { ...this.#patience, signal });
  }

  inboundTrunks(signal?: AbortSignal): Promise<SIPInboundTrunkInfo[]> {
    const list = (client: SipClient, page: Page) => client.listSipInboundTrunk(page);
    return this.#all('listing the inbound trunks', list, ({ sipTrunkId }) => sipTrunkId, signal);
  }

  outboundTrunks(signal?: AbortSignal): Promise<SIPOutboundTrunkInfo[]> {
    const list = (client: SipClient, page: Page) => client.listSipOutboundTrunk(page);
    return this.#all('listing the outbound trunks', list, ({ sipTrunkId }) => sipTrunkId, signal);
  }

  dispatchRules(signal?: AbortSignal): Promise<SIPDispatchRuleInfo[]> {
    const list = (client: SipClient, page: Page) => client.listSipDispatchRule(page);
    return this.#all(
      'listing the dispatch rules',
      list,
      ({ sipDispatchRuleId }) => sipDispatchRuleId,
      signal,
    );
  }

  // A server that knows no pages gives everything again, which is the end, too.
  async #all<T>(
    what: string,
    list: (client: SipClient, page: Page) => Promise<T[]>,
    idOf: (item: T) => string,
    signal?: AbortSignal,
  ): Promise<T[]> {
    const found = new Map<string, T>();
    for (let afterId = ''; ; ) {
      const page = { page: { afterId, limit: pageSize } } as Page;
      const items = await this.ask(what, (client) => list(client, page), signal);
      const fresh = items.filter((item) => !found.has(idOf(item)));
      for (const item of fresh) found.set(idOf(item), item);
      const last = fresh.at(-1);
      if (last === undefined || items.length < pageSize) return [...found.values()];
      afterId = idOf(last);
    }
  }

  // Loading LiveKit's packages takes longer than most commands: only who asks pays for it.
  async #client(signal: AbortSignal | undefined): Promise<SipClient> {
    const { SipClient: Client } = await import('livekit-server-sdk');
    const { url, apiKey, apiSecret } = this.#livekit;
    const client = new Client(url, apiKey, apiSecret.reveal());
    const { timeoutMs, trace } = this.#patience;
    const rpc = new TwirpCarrier({ url, timeoutMs, signal, trace });
    Object.assign(client, { rpc });
    return client;
  }
}

type Page = Pick<NonNullable<Parameters<SipClient['listSipInboundTrunk']>[0]>, 'page'>;

const pageSize = 100;

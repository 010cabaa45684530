import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Twilio } from 'twilio';
import type RequestClient from 'twilio/lib/base/RequestClient.js';
import { SipctlError } from '../../errors.ts';
import { masked, type Secret } from '../../model/secret.ts';
import type { TwilioAccount } from '../../model/service-nouns.ts';
import { answeredError } from './failures.ts';
import { askPatiently, type Patience } from './http.ts';

/** An account, and where it is asked. */
export interface TwilioAccess {
  account: Pick<TwilioAccount, 'name' | 'accountSid' | 'authToken' | 'apiKey' | 'apiSecret'>;
  /** The address of an API in the place of Twilio's own: `https://…`, or `http://127.…`. */
  api?: string | null;
  patience?: Partial<Patience>;
}

const patient: Patience = {
  timeoutMs: 15_000,
  attempts: 4,
  baseMs: 500,
  capMs: 8_000,
  longestWaitMs: 30_000,
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
  random: Math.random,
};

/** The official client for one account, with requests that are sent again where that is safe. */
export class TwilioApi {
  readonly accountSid: string;
  readonly patience: Patience;
  readonly #access: TwilioAccess;
  /** Passwords of SIP users that were sent to Twilio. */
  readonly #written = new Set<string>();
  #agent: unknown = null;

  /** @throws SipctlError `invalid` where the account has no credentials, or the address is none that may be asked */
  constructor(access: TwilioAccess) {
    this.#access = access;
    this.accountSid = access.account.accountSid;
    this.patience = { ...patient, ...access.patience };
    signInOf(access.account);
    checkAddress(access.api);
  }

  /** True where an API key signs in: it may do less than the auth token of the account. */
  get usesApiKey(): boolean {
    return signInOf(this.#access.account).username !== this.accountSid;
  }

  /**
   * @param doing completes "while …"
   * @throws SipctlError `refused`, `notFound`, `conflict`, `failed` as Twilio says; `unreachable`, `interrupted`
   */
  async ask<T>(doing: string, call: (client: Twilio) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const client = await this.#client(signal);
    try {
      return await call(client);
    } catch (error) {
      if (error instanceof SipctlError) throw error;
      const { status, code, message, detail } = error as Refused;
      if (typeof status !== 'number') throw error;
      // Never the error itself as a cause: what it holds is not ours to show.
      throw answeredError(
        { status, code: code ?? 0, message: this.#clean(detail ?? message ?? '') },
        doing,
        this.accountSid,
      );
    }
  }

  /**
   * Reads what is no JSON. The credentials stay with Twilio where it sends on to where the sound is kept.
   * @throws like `ask`
   */
  async open(doing: string, uri: string, signal?: AbortSignal): Promise<Readable> {
    const { axios } = await this.#requests(signal);
    const { username, secret } = signInOf(this.#access.account);
    const url = addressOf(uri, this.#access.api);
    const send = async () => {
      const { status, data, headers } = await axios.request<Readable>({
        url,
        responseType: 'stream',
        headers: { Authorization: `Basic ${basic(username, secret)}` },
        timeout: this.patience.timeoutMs,
        proxy: false,
        validateStatus: () => true,
      });
      if (status !== 200) data.destroy();
      return { statusCode: status, body: data, headers };
    };
    const { statusCode, body } = await askPatiently(
      { method: 'get', uri: url, isSound: true },
      send,
      this.patience,
      signal,
    );
    if (statusCode === 200) return body;
    throw answeredError({ status: statusCode, code: 0, message: '' }, doing, this.accountSid);
  }

  /** Twilio repeats at times what it was sent: the credentials, or the password of a SIP user. */
  #clean(text: string): string {
    const { account } = this.#access;
    const { username, secret } = signInOf(account);
    const own = [account.authToken, account.apiSecret].flatMap((one) => (one === null ? [] : [one.reveal()]));
    const secrets = [...own, basic(username, secret), ...this.#written];
    return secrets.reduce((clean, one) => clean.replaceAll(one, masked), text);
  }

  async #client(signal?: AbortSignal): Promise<Twilio> {
    const httpClient = await this.#requests(signal);
    const { default: twilio } = await import('twilio');
    const { username, secret } = signInOf(this.#access.account);
    return twilio(username, secret.reveal(), {
      accountSid: this.accountSid,
      httpClient,
      logLevel: 'none',
      userAgentExtensions: ['sipctl'],
    });
  }

  async #requests(signal?: AbortSignal): Promise<RequestClient> {
    const { default: twilio } = await import('twilio');
    const { patience } = this;
    const { api } = this.#access;
    const written = this.#written;
    class PatientRequests extends twilio.RequestClient {
      override request<Data>(
        options: RequestClient.RequestOptions<Data>,
      ): ReturnType<typeof RequestClient.prototype.request<Data>> {
        const asked = { ...options, uri: addressOf(options.uri, api) };
        const { Password: password } = (options.data ?? {}) as { Password?: string };
        if (password) written.add(password);
        // The client writes into the headers, so that each attempt gets its own.
        const send = () => super.request({ ...asked, headers: { ...asked.headers } });
        return askPatiently(asked, send, patience, signal);
      }
    }
    const requests = new PatientRequests({ timeout: patience.timeoutMs });
    // Connections are kept for the next request, whoever sends it.
    this.#agent ??= requests.axios.defaults.httpsAgent;
    requests.axios.defaults.httpsAgent = this.#agent;
    if (signal !== undefined) requests.axios.defaults.signal = signal;
    return requests;
  }
}

const basic = (username: string, secret: Secret): string =>
  Buffer.from(`${username}:${secret.reveal()}`).toString('base64');

interface Refused {
  status?: number;
  code?: number;
  message?: string;
  detail?: string;
}

function signInOf({ name, accountSid, authToken, apiKey, apiSecret }: TwilioAccess['account']): {
  username: string;
  secret: Secret;
} {
  if (apiKey !== null && apiSecret !== null) return { username: apiKey, secret: apiSecret };
  if (authToken !== null) return { username: accountSid, secret: authToken };
  throw new SipctlError('invalid', {
    code: 'twilio_no_credentials',
    message: `the Twilio account ${name} has neither an auth token nor an API key with its secret`,
    field: 'authToken',
    hint: `give it one: sipctl twilio account set ${name} --auth-token-stdin`,
  });
}

function checkAddress(api: string | null | undefined): void {
  if (api === undefined || api === null || isSafeAddress(api)) return;
  throw new SipctlError('invalid', {
    code: 'twilio_api_address',
    message: `'${api}' is not where Twilio's API may be asked: the credentials would travel in the clear`,
    hint: 'SIPCTL_TWILIO_API is https://…, or http://127.0.0.1:port',
  });
}

function isSafeAddress(api: string): boolean {
  if (!URL.canParse(api)) return false;
  const { protocol, hostname, username } = new URL(api);
  const isHere = protocol === 'http:' && /^127(?:\.[0-9]+){3}$/.test(hostname);
  return username === '' && (protocol === 'https:' || isHere);
}

/** Where a request goes: to Twilio and nobody else, or to the one address that stands in its place. */
function addressOf(uri: string, api: string | null | undefined): string {
  const url = new URL(uri);
  if (api !== undefined && api !== null) return new URL(`${url.pathname}${url.search}`, api).href;
  if (url.protocol === 'https:' && /\.twilio\.com$/.test(url.hostname)) return uri;
  throw new SipctlError('failed', {
    code: 'twilio_foreign_address',
    message: `Twilio's answer leads to ${url.host}, which is not Twilio`,
    hint: 'see whether a proxy stands in between',
  });
}

import type { IncomingMessage } from 'node:http';
import {
  CreateSIPDispatchRuleRequest,
  CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunkRequest,
  DeleteSIPDispatchRuleRequest,
  DeleteSIPTrunkRequest,
  ListSIPDispatchRuleRequest,
  ListSIPDispatchRuleResponse,
  ListSIPInboundTrunkRequest,
  ListSIPInboundTrunkResponse,
  ListSIPOutboundTrunkRequest,
  ListSIPOutboundTrunkResponse,
  type ListUpdate,
  type Pagination,
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPOutboundTrunkInfo,
  SIPTrunkInfo,
  UpdateSIPDispatchRuleRequest,
  UpdateSIPInboundTrunkRequest,
  UpdateSIPOutboundTrunkRequest,
} from '@livekit/protocol';

/** An error as the protocol writes it. */
export class TwirpError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const requests = {
  CreateSIPInboundTrunk: CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunk: CreateSIPOutboundTrunkRequest,
  CreateSIPDispatchRule: CreateSIPDispatchRuleRequest,
  UpdateSIPInboundTrunk: UpdateSIPInboundTrunkRequest,
  UpdateSIPOutboundTrunk: UpdateSIPOutboundTrunkRequest,
  UpdateSIPDispatchRule: UpdateSIPDispatchRuleRequest,
  ListSIPInboundTrunk: ListSIPInboundTrunkRequest,
  ListSIPOutboundTrunk: ListSIPOutboundTrunkRequest,
  ListSIPDispatchRule: ListSIPDispatchRuleRequest,
  DeleteSIPTrunk: DeleteSIPTrunkRequest,
  DeleteSIPDispatchRule: DeleteSIPDispatchRuleRequest,
} as const;

export type LivekitMethod = keyof typeof requests;

/** What a project holds, and the rules by which LiveKit's server changes it (livekit/protocol: livekit/sip.go, sip/sip.go). */
export class LivekitState {
  readonly inbound = new Map<string, SIPInboundTrunkInfo>();
  readonly outbound = new Map<string, SIPOutboundTrunkInfo>();
  readonly rules = new Map<string, SIPDispatchRuleInfo>();
  #made = 0;

  methodOf({ method, url = '' }: IncomingMessage): LivekitMethod {
    const name = /^\/twirp\/livekit\.SIP\/(\w+)$/.exec(url)?.[1] ?? '';
    if (method !== 'POST' || !Object.hasOwn(requests, name))
      throw new TwirpError(404, 'bad_route', `no handler for path "${url}"`);
    return name as LivekitMethod;
  }

  /** @throws where the text is not exactly what the protocol defines: a field that it does not know is a mistake here */
  decode(method: LivekitMethod, text: string): unknown {
    return requests[method].fromJsonString(text).toJson();
  }

  perform(method: LivekitMethod, text: string): unknown {
    return this.#handlers[method](text);
  }

  /** Somebody else's, as a dashboard makes them. */
  addInbound(fields: ConstructorParameters<typeof SIPInboundTrunkInfo>[0]): SIPInboundTrunkInfo {
    const trunk = new SIPInboundTrunkInfo({ ...fields, sipTrunkId: this.#id('ST') });
    this.inbound.set(trunk.sipTrunkId, trunk);
    return trunk;
  }

  addOutbound(fields: ConstructorParameters<typeof SIPOutboundTrunkInfo>[0]): SIPOutboundTrunkInfo {
    const trunk = new SIPOutboundTrunkInfo({ ...fields, sipTrunkId: this.#id('ST') });
    this.outbound.set(trunk.sipTrunkId, trunk);
    return trunk;
  }

  addRule(fields: ConstructorParameters<typeof SIPDispatchRuleInfo>[0]): SIPDispatchRuleInfo {
    const rule = new SIPDispatchRuleInfo({ ...fields, sipDispatchRuleId: this.#id('SDR') });
    this.rules.set(rule.sipDispatchRuleId, rule);
    return rule;
  }

  readonly #handlers: Record<LivekitMethod, (text: string) => unknown> = {
    CreateSIPInboundTrunk: (text) => {
      const { trunk } = CreateSIPInboundTrunkRequest.fromJsonString(text);
      this.#checkInbound(trunk);
      return this.addInbound(trunk).toJson();
    },
    CreateSIPOutboundTrunk: (text) => {
      const { trunk } = CreateSIPOutboundTrunkRequest.fromJsonString(text);
      checkOutbound(trunk);
      return this.addOutbound(trunk).toJson();
    },
    CreateSIPDispatchRule: (text) => {
      const request = CreateSIPDispatchRuleRequest.fromJsonString(text);
      const { rule, trunkIds, name, metadata, attributes, roomConfig } = request;
      const info = new SIPDispatchRuleInfo({ trunkIds, name, metadata, attributes });
      Object.assign(info, given({ rule, roomConfig }));
      this.#checkRule(info);
      return this.addRule(info).toJson();
    },
    UpdateSIPInboundTrunk: (text) => {
      const { sipTrunkId, action } = UpdateSIPInboundTrunkRequest.fromJsonString(text);
      const changed = existing(this.inbound, sipTrunkId).clone();
      if (action.case !== 'update') throw invalid('only updates by field are served here');
      const { numbers, allowedAddresses, allowedNumbers, ...plain } = action.value;
      applyList(changed.numbers, numbers);
      applyList(changed.allowedAddresses, allowedAddresses);
      applyList(changed.allowedNumbers, allowedNumbers);
      Object.assign(changed, given(plain));
      this.#checkInbound(changed);
      this.inbound.set(sipTrunkId, changed);
      return changed.toJson();
    },
    UpdateSIPOutboundTrunk: (text) => {
      const { sipTrunkId, action } = UpdateSIPOutboundTrunkRequest.fromJsonString(text);
      const changed = existing(this.outbound, sipTrunkId).clone();
      if (action.case !== 'update') throw invalid('only updates by field are served here');
      const { numbers, ...plain } = action.value;
      applyList(changed.numbers, numbers);
      Object.assign(changed, given(plain));
      checkOutbound(changed);
      this.outbound.set(sipTrunkId, changed);
      return changed.toJson();
    },
    UpdateSIPDispatchRule: (text) => {
      const { sipDispatchRuleId, action } = UpdateSIPDispatchRuleRequest.fromJsonString(text);
      existing(this.rules, sipDispatchRuleId);
      if (action.case !== 'replace') throw invalid('only replacement is served here');
      const changed = new SIPDispatchRuleInfo({ ...action.value, sipDispatchRuleId });
      this.#checkRule(changed);
      this.rules.set(sipDispatchRuleId, changed);
      return changed.toJson();
    },
    ListSIPInboundTrunk: (text) => {
      const { page } = ListSIPInboundTrunkRequest.fromJsonString(text);
      return new ListSIPInboundTrunkResponse({ items: pageOf(this.inbound, page) }).toJson();
    },
    ListSIPOutboundTrunk: (text) => {
      const { page } = ListSIPOutboundTrunkRequest.fromJsonString(text);
      return new ListSIPOutboundTrunkResponse({ items: pageOf(this.outbound, page) }).toJson();
    },
    ListSIPDispatchRule: (text) => {
      const { page } = ListSIPDispatchRuleRequest.fromJsonString(text);
      return new ListSIPDispatchRuleResponse({ items: pageOf(this.rules, page) }).toJson();
    },
    DeleteSIPTrunk: (text) => {
      const { sipTrunkId } = DeleteSIPTrunkRequest.fromJsonString(text);
      if (!this.inbound.delete(sipTrunkId) && !this.outbound.delete(sipTrunkId)) throw gone(sipTrunkId);
      return new SIPTrunkInfo({ sipTrunkId }).toJson();
    },
    DeleteSIPDispatchRule: (text) => {
      const { sipDispatchRuleId } = DeleteSIPDispatchRuleRequest.fromJsonString(text);
      const rule = existing(this.rules, sipDispatchRuleId);
      this.rules.delete(sipDispatchRuleId);
      return rule.toJson();
    },
  };

  #checkInbound(trunk: SIPInboundTrunkInfo | undefined): asserts trunk is SIPInboundTrunkInfo {
    if (trunk === undefined) throw invalid('missing trunk');
    const { numbers, allowedAddresses, authUsername } = trunk;
    if (numbers.length + allowedAddresses.length === 0 && authUsername === '')
      throw invalid(
        'for security, one of the fields must be set: AuthUsername+AuthPassword, AllowedAddresses or Numbers',
      );
    for (const other of this.inbound.values()) {
      const both = other.numbers.filter((number) => numbers.includes(number));
      const isOther = other.sipTrunkId !== trunk.sipTrunkId;
      if (isOther && both.length > 0)
        throw invalid(
          `Conflicting inbound SIP Trunks: "<new>" and "${other.sipTrunkId}", using the same number(s) ["${both[0]}"] without AllowedNumbers set`,
        );
    }
  }

  #checkRule(rule: SIPDispatchRuleInfo): void {
    if (rule.rule === undefined) throw invalid('missing rule');
    for (const other of this.rules.values()) {
      const isOther = other.sipDispatchRuleId !== rule.sipDispatchRuleId;
      const sameTrunk =
        other.trunkIds.some((id) => rule.trunkIds.includes(id)) ||
        other.trunkIds.length + rule.trunkIds.length === 0;
      if (isOther && sameTrunk)
        throw invalid(
          `Conflicting SIP Dispatch Rules: same Trunk+Number+PIN combination for for "<new>" and "${other.sipDispatchRuleId}"`,
        );
    }
  }

  #id(prefix: string): string {
    this.#made += 1;
    return `${prefix}_${this.#made.toString(36).padStart(12, '0')}`;
  }
}

function checkOutbound(trunk: SIPOutboundTrunkInfo | undefined): asserts trunk is SIPOutboundTrunkInfo {
  if (trunk === undefined) throw invalid('missing trunk');
  if (trunk.numbers.length === 0) throw invalid('no trunk numbers specified');
  if (trunk.address === '') throw invalid('no outbound address specified');
  if (/^sips?:|[@;]/.test(trunk.address))
    throw invalid('trunk address should be a hostname or IP, not SIP URI');
}

const invalid = (message: string): TwirpError => new TwirpError(400, 'invalid_argument', message);
const gone = (id: string): TwirpError => new TwirpError(404, 'not_found', `object cannot be found: ${id}`);

function existing<T>(items: ReadonlyMap<string, T>, id: string): T {
  const item = items.get(id);
  if (item === undefined) throw gone(id);
  return item;
}

/** Fields that an update leaves out stay as they are. */
const given = (fields: object): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function applyList(items: string[], update: ListUpdate | undefined): void {
  if (update === undefined) return;
  if (update.clear) items.length = 0;
  if (update.set.length > 0) items.splice(0, items.length, ...update.set);
}

function pageOf<T>(items: ReadonlyMap<string, T>, page: Pagination | undefined): T[] {
  const ids = [...items.keys()].toSorted().filter((id) => id > (page?.afterId ?? ''));
  const limit = page === undefined || page.limit === 0 ? ids.length : page.limit;
  return ids.slice(0, limit).map((id) => items.get(id) as T);
}

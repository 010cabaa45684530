import { canonicalIn } from '../model/flow/dialled.ts';
import { numberingPlan } from '../model/flow/numbering.ts';
import { toWire, wireFormat } from '../model/flow/wire-format.ts';
import type { ResolvedTrunk } from '../model/site.ts';
import type { StageName } from '../sip/finding.ts';
import type { ProbeSettings } from '../sip/probe/settings.ts';

/** What the command line adds to what a trunk's fields say. */
export interface TestRequest {
  stages: ReadonlySet<StageName>;
  call: { number: string; seconds: number } | null;
  stun: { host: string; port: number } | null;
}

/** How a trunk is tested: the same host, account and number forms that a PBX is given for it. */
export function probeSettings(trunk: ResolvedTrunk, country: string, request: TestRequest): ProbeSettings {
  const { host, port, portGiven, transport, outboundProxy } = trunk;
  const user = trunk.username ?? trunk.authUsername;
  const secret = trunk.password?.reveal() ?? null;
  return {
    server:
      outboundProxy === null
        ? { host, port: portGiven ? port : null, transport }
        : { host: outboundProxy, port: null, transport },
    registrar: portGiven ? `${host}:${port}` : host,
    domain: trunk.fromDomain,
    user,
    credentials:
      secret === null || trunk.authUsername === null
        ? null
        : { username: trunk.authUsername, password: secret, realm: trunk.realm },
    register: trunk.registration ? { expiry: trunk.expiry } : null,
    answersOptions: trunk.qualifyFrequency > 0,
    call: request.call === null ? null : callSettings(trunk, country, request.call),
    stun: request.stun,
    stages: request.stages,
  };
}

function callSettings(
  trunk: ResolvedTrunk,
  country: string,
  { number, seconds }: { number: string; seconds: number },
): ProbeSettings['call'] {
  const plan = numberingPlan(country);
  const format = wireFormat(trunk.numberFormat, plan);
  const { did, username } = trunk;
  const callers = {
    account: username,
    did: did?.replace(/^\+/, '') ?? null,
    'did-plus': did,
    caller: did === null ? null : toWire(did, format),
  };
  return {
    number: `${trunk.techPrefix ?? ''}${toWire(canonicalIn(plan, number), format)}`,
    caller: callers[trunk.fromUser] ?? username ?? did ?? 'anonymous',
    codecs: trunk.codecs,
    srtp: trunk.srtp,
    seconds,
  };
}

import type { ResolvedUser } from '../model/site.ts';
import type { Finding } from '../sip/finding.ts';
import { at, type Case, type Explanations, fact, set } from './case.ts';

/** SIP over WebSockets, and the media of browsers. */
export const webRtc: Explanations = {
  ws_refused: (one) => ({
    message: `${at(one)} answers, and opens no WebSocket: HTTP ${fact(one, 'status')}`,
    field: one.facts.status === 404 ? 'path' : 'port',
    hint: refusals[fact(one, 'status')] ?? 'is there a web server or a proxy in the place of the PBX?',
  }),
  ws_subprotocol: (one) => ({
    message: `${at(one)} opens a WebSocket that is not one for SIP`,
    field: 'path',
    hint: 'browsers leave it again: give the path of the SIP server with --path; a proxy must pass Sec-WebSocket-Protocol on',
  }),
  not_websocket: (one) => ({
    message: `what listens at ${at(one)} is no WebSocket server`,
    field: 'port',
    hint:
      one.subject.transport === 'ws'
        ? 'does the port want TLS? Then leave --transport ws away; Asterisk’s plain port is 8088, FreeSWITCH’s 5066'
        : 'give --port: Asterisk has 8089 mostly, FreeSWITCH 7443',
  }),
  not_webrtc_template: (one) => ({
    message: `the user-template '${one.subject.template.id}' does no WebRTC: Asterisk refuses what a browser offers`,
    field: 'template',
    hint: `${set(one, '--template webrtc_user')}, and sipctl apply`,
  }),
  webrtc_no_dtls: (one) => ({
    message: `${one.subject.host} answers without a DTLS fingerprint: a browser ends such a call`,
    field: 'template',
    hint: mended(one),
  }),
  webrtc_no_ice: (one) => ({
    message: `${one.subject.host} answers without ${fact(one, 'ice') === 'true' ? 'a candidate of ICE' : 'ICE'}: a browser finds no way for the sound`,
    field: 'template',
    hint: `${mended(one)}; Asterisk wants icesupport=yes in rtp.conf, too`,
  }),
  webrtc_no_rtcp_mux: (one) => ({
    message: `${one.subject.host} answers without rtcp-mux, which browsers demand unless the page asked them not to`,
    field: 'template',
    hint: mended(one),
  }),
};

const refusals: Readonly<Record<string, string>> = {
  400: 'the server did not like the handshake: a proxy must pass Upgrade, Connection and Sec-WebSocket-Protocol on',
  403: 'an access list of the server, or a proxy that looks at Origin, refuses this machine',
  404: 'the path is wrong: give --path; Asterisk has /ws, and its modules res_http_websocket and res_pjsip_transport_websocket must be loaded',
  502: 'a proxy is there, and the PBX behind it is not',
  503: 'a proxy is there, and the PBX behind it is not',
};

const mended = (one: Case): string => `${set(one, '--template webrtc_user')}, and sipctl apply`;

/**
 * Whether the user’s template makes an endpoint for browsers. FreeSWITCH decides by the offer, so that any of its users may be
 * one; where the engine is not known, it is only a caution.
 */
export function checkWebRtcTemplate({ template }: ResolvedUser, engine: string | null): Finding {
  const { webrtc, media_encryption: encryption } = template.asterisk.endpoint ?? {};
  const fits = engine === 'freeswitch' || webrtc === 'yes' || encryption === 'dtls';
  return {
    stage: 'configuration',
    status: fits ? 'ok' : engine === null ? 'warning' : 'failed',
    cause: fits ? null : 'not_webrtc_template',
    detail: fits ? template.displayName : `${template.displayName}: an endpoint without WebRTC`,
    ms: 0,
    facts: { template: template.id, engine },
  };
}

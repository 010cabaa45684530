import { type Explanations, fact, published, set } from './case.ts';

/** Sound, and what stands between us and the carrier. */
export const media: Explanations = {
  no_audio_received: (one) => ({
    message: 'the call was answered, and no sound came back',
    hint: `let UDP in from the carrier’s media servers: ${published(one)}; behind a NAT the PBX must know its public address`,
  }),
  no_audio_sent: () => ({
    message: 'the call was answered, and the other side got no sound of ours',
    hint: 'let UDP out to the carrier’s media servers',
  }),
  audio_lost: (one) => ({
    message: `sound arrives with gaps: ${fact(one, 'lostPercent')} % of the packets are lost`,
    hint: 'look at the line: load, Wi-Fi, and whether voice has a queue of its own',
  }),
  srtp_refused: (one) => ({
    message: `${one.subject.host} refuses SRTP`,
    field: 'srtp',
    hint: set(one, '--no-srtp'),
  }),
  address_translated: () => ({
    message: 'there is a NAT between this machine and the carrier',
    hint: 'for a PBX here: Asterisk wants external_signaling_address, external_media_address and local_net in its transport, FreeSWITCH ext-sip-ip and ext-rtp-ip',
  }),
  stun_differs: () => ({
    message: 'the carrier and the STUN server see different addresses',
    hint: 'several ways out: a PBX must be told the address that the carrier sees',
  }),
  stun_silent: () => ({
    message: 'the STUN server does not answer',
    hint: 'name another one: --stun <host:port>',
  }),
};

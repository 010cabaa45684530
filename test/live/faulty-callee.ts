import { createSocket } from 'node:dgram';
import { type FaultyPeer, reply, startFaultyPeer } from './faulty-peer.ts';

export interface CalleeOptions {
  host: string;
  /** Sends each packet of sound back but for each such one. */
  loses: number;
}

/** Answers every call, and sends the sound back with gaps, as over a bad line. */
export async function startLossyCallee({ host, loses }: CalleeOptions): Promise<FaultyPeer> {
  const sound = createSocket('udp4');
  sound.on('message', (packet, from) => {
    // The sequence number: RFC 3550 §5.1. Anything shorter is no RTP.
    if (packet.length < 12 || packet.readUInt16BE(2) % loses === 0) return;
    sound.send(packet, from.port, from.address);
  });
  await new Promise<void>((bound) => sound.bind(0, host, bound));
  const body = [
    ...['v=0', `o=- 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0'],
    ...[`m=audio ${sound.address().port} RTP/AVP 0 8`, 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000', ''],
  ].join('\r\n');
  const peer = await startFaultyPeer({
    host,
    transport: 'udp',
    behaviour: (line, heard) => {
      if (heard.method === 'ACK') return;
      if (heard.method !== 'INVITE') return line.send(reply(heard, '200 OK'));
      const headers = [`Contact: <sip:callee@${host}:${peer.port}>`, 'Content-Type: application/sdp'];
      line.send(reply(heard, '200 OK', { headers, body }));
    },
  });
  return {
    ...peer,
    close: async () => {
      await peer.close();
      await new Promise<void>((closed) => sound.close(closed));
    },
  };
}

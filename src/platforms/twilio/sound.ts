import type { TwilioApi } from './client.ts';
import { interruptedError, unansweredError } from './failures.ts';

/**
 * Hands over the sound of a recording, piece by piece, as WAV.
 * @returns how many bytes it has
 * @throws like `TwilioApi.ask`; `unreachable` where the connection is lost in the middle
 */
export async function fetchSound(
  api: TwilioApi,
  id: string,
  take: (bytes: Buffer) => Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  const { accountSid } = api;
  const sound = await api.open(
    `fetching the recording ${id}`,
    `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Recordings/${id}.wav`,
    signal,
  );
  const pieces = sound[Symbol.asyncIterator]();
  for (let bytes = 0; ; ) {
    const { done, value } = await pieces.next().catch(() => {
      throw signal?.aborted ? interruptedError() : cutOff(id, bytes);
    });
    if (done) return bytes;
    await take(value);
    bytes += value.length;
  }
}

const cutOff = (id: string, bytes: number) =>
  unansweredError({
    code: 'twilio_cut_off',
    message: `the connection to Twilio was lost after ${bytes} bytes of the recording ${id}`,
    hint: 'run the command again',
  });

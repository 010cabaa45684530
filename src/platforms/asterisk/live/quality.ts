import type { Quality } from '../../../model/live/call.ts';
import type { AmiMessage } from '../ami/codec.ts';

/** Packets of 20 ms: what a tenth of a percent of loss is counted in. */
const percent = 100;

/**
 * How the media of a channel came in. Asterisk puts it into the event of the hang-up where manager.conf has
 * `channelvars = RTPAUDIOQOS`; null where it does not, or nothing came in.
 *
 * ```
 * RTPAUDIOQOS=ssrc=1;themssrc=2;lp=0;rxjitter=0.000812;rxcount=51;txjitter=0.000000;txcount=50;rlp=0;rtt=0.000412
 * ```
 */
export function qualityIn(message: AmiMessage): Quality | null {
  const written = message.all('ChanVariable').find((one) => one.startsWith('RTPAUDIOQOS='));
  if (written === undefined) return null;
  const values = new Map<string, number>();
  for (const part of written.slice('RTPAUDIOQOS='.length).split(';')) {
    const at = part.indexOf('=');
    if (at !== -1) values.set(part.slice(0, at), Number(part.slice(at + 1)));
  }
  const received = values.get('rxcount') ?? 0;
  if (!(received > 0)) return null;
  const lost = Math.max(0, values.get('lp') ?? 0);
  const loss = (lost / (received + lost)) * percent;
  const jitter = milliseconds(values.get('rxjitter'));
  const rtt = milliseconds(values.get('rtt'));
  return {
    mos: meanOpinion(loss, (rtt ?? 0) / 2 + 2 * (jitter ?? 0)),
    lossPercent: rounded(loss),
    jitterMs: jitter,
    rttMs: rtt !== null && rtt > 0 ? rtt : null,
  };
}

const milliseconds = (seconds: number | undefined): number | null =>
  seconds === undefined || !Number.isFinite(seconds) || seconds < 0 ? null : rounded(seconds * 1000);

const rounded = (value: number): number => Math.round(value * 10) / 10;

/**
 * ITU-T G.107 with its default values: G.711 without concealment (equipment impairment 0, robustness 4.3), and from 177 ms
 * of delay on the delay's own share.
 */
function meanOpinion(lossPercent: number, delayMs: number): number {
  const delay = 0.024 * delayMs + (delayMs > 177.3 ? 0.11 * (delayMs - 177.3) : 0);
  const loss = (95 * lossPercent) / (lossPercent + 4.3);
  const r = Math.max(0, Math.min(100, 93.2 - delay - loss));
  return rounded(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

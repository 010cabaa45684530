import {
  behindLineEnds,
  contentLengthOf,
  MalformedMessage,
  parseHead,
  parseMessage,
  type SipMessage,
} from './message.ts';

/** The longest message that is taken from a stream, in bytes: what fits into the largest datagram. */
export const longestMessage = 65_535;

/** A message that is longer than anybody needs: nothing of it is kept. */
export class OversizedMessage extends MalformedMessage {
  constructor(message: string) {
    super(message);
    this.name = 'OversizedMessage';
  }
}

const emptyLine = '\r\n\r\n';

/**
 * Cuts a byte stream into messages by their Content-Length (RFC 3261 §18.3). Line ends between messages are
 * keep-alives and dropped. Where the length of a message cannot be known, the rest of the stream is noise: the framer
 * says so once, is `broken`, and takes no more. A message that is malformed within a known length breaks nothing.
 */
export class StreamFramer {
  #bytes = Buffer.alloc(4_096);
  #start = 0;
  #end = 0;
  /** How far the empty line has been looked for, so that a stream that drips costs no more than one that pours. */
  #searched = 0;
  /** The length of the whole message at `#start`, once its headers are there. */
  #length: number | null = null;
  #broken = false;
  #taken = Buffer.alloc(0);

  /** Bytes of a message that has not come in full. */
  get held(): number {
    return this.#end - this.#start;
  }

  /** The bytes of what `next` gave last, as they were received. */
  get taken(): Buffer {
    return this.#taken;
  }

  get broken(): boolean {
    return this.#broken;
  }

  push(bytes: Buffer): void {
    if (this.#broken) return;
    if (this.#end + bytes.length > this.#bytes.length) this.#makeRoom(bytes.length);
    bytes.copy(this.#bytes, this.#end);
    this.#end += bytes.length;
  }

  #makeRoom(extra: number): void {
    const held = this.#end - this.#start;
    const needed = held + extra;
    const target = needed > this.#bytes.length / 2 ? Buffer.alloc(needed * 2) : this.#bytes;
    this.#bytes.copy(target, 0, this.#start, this.#end);
    this.#bytes = target;
    this.#searched = Math.max(0, this.#searched - this.#start);
    this.#start = 0;
    this.#end = held;
  }

  /** The next whole message or what is wrong with it; null where more bytes have to come first. */
  next(): SipMessage | MalformedMessage | null {
    if (this.#broken) return null;
    try {
      this.#length ??= this.#measure();
    } catch (error) {
      return this.#break(error);
    }
    if (this.#length === null || this.#end - this.#start < this.#length) return null;
    // A copy: the buffer is used again, and a body lives on with its message.
    const bytes = Buffer.from(this.#bytes.subarray(this.#start, this.#start + this.#length));
    this.#start += this.#length;
    this.#searched = this.#start;
    this.#length = null;
    this.#taken = bytes;
    return parsed(bytes);
  }

  #measure(): number | null {
    this.#start += behindLineEnds(this.#bytes.subarray(this.#start, this.#end));
    const held = this.#bytes.subarray(this.#start, this.#end);
    const from = Math.max(0, this.#searched - this.#start - emptyLine.length + 1);
    const head = held.indexOf(emptyLine, from);
    this.#searched = this.#end;
    if (head < 0) {
      if (held.length > longestMessage)
        throw new OversizedMessage(`No message ends within ${longestMessage} bytes`);
      refuseOtherProtocols(held);
      return null;
    }
    const body = contentLengthOf(parseHead(held.subarray(0, head)).headers);
    if (body === null)
      throw new MalformedMessage('Content-Length is missing, which a stream needs', 'Content-Length');
    const length = head + emptyLine.length + body;
    if (length > longestMessage)
      throw new OversizedMessage(`The message has ${length} bytes, more than ${longestMessage}`);
    return length;
  }

  #break(error: unknown): MalformedMessage {
    if (!(error instanceof MalformedMessage)) throw error;
    this.#broken = true;
    this.#taken = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = Buffer.alloc(0);
    this.#start = 0;
    this.#end = 0;
    return error;
  }
}

const mostLookedAt = 4_096;

/**
 * What speaks another protocol, as SSH or a mail server, may never send an empty line: its first line tells, as that of
 * requests and responses alike names SIP (RFC 3261 §7).
 */
function refuseOtherProtocols(held: Buffer): void {
  const end = held.subarray(0, mostLookedAt).indexOf('\n');
  if (end >= 0 && !/SIP\//i.test(held.toString('latin1', 0, end)))
    throw new MalformedMessage('What arrives does not begin as SIP does');
}

function parsed(bytes: Buffer): SipMessage | MalformedMessage {
  try {
    return parseMessage(bytes);
  } catch (error) {
    if (error instanceof MalformedMessage) return error;
    throw error;
  }
}

import { SERVER } from "./protocol.ts";

/** Bytes `from` up to `to` of what came from the origin: a message, or a part of one. */
export interface Piece {
  bytes: Buffer;
  from: number;
  to: number;
}

export interface AnswerHandler {
  /** A whole message. */
  message(type: number, message: Piece): void;
  /** A row or COPY data, or a piece of one; `isStart` for the first piece. */
  bulk(part: Piece, isStart: boolean): void;
  /** What came is no message. */
  malformed(): void;
  readonly closed: boolean;
}

/** Cuts what the origin sends into messages. Rows pass on as they come: one of a gigabyte never lies in memory whole. */
export class AnswerReader {
  readonly #handler: AnswerHandler;
  /** The beginning of a message, in the chunks that it came in. */
  #carry: Buffer[] = [];
  #carried = 0;
  /** How many bytes there must be before it is worth another look. */
  #needed = 0;
  #bulkLeft = 0;

  constructor(handler: AnswerHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    const bytes = this.#carried === 0 ? chunk : this.#joined(chunk);
    if (bytes === null) return;
    let at = 0;
    if (this.#bulkLeft > 0) {
      at = Math.min(this.#bulkLeft, bytes.length);
      this.#bulkLeft -= at;
      this.#handler.bulk({ bytes, from: 0, to: at }, false);
    }
    while (bytes.length - at >= 5 && !this.#handler.closed) {
      const end = this.#take(bytes, at);
      if (end === at) break;
      at = end;
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at));
  }

  #keep(rest: Buffer): void {
    this.#carry = [rest];
    this.#carried = rest.length;
    this.#needed = rest.length < 5 ? 5 : 1 + rest.readInt32BE(1);
  }

  /** What was kept, and this; null while it is not enough. Each byte is copied once, however many chunks there are. */
  #joined(chunk: Buffer): Buffer | null {
    this.#carry.push(chunk);
    this.#carried += chunk.length;
    if (this.#carried < this.#needed) return null;
    const bytes = Buffer.concat(this.#carry, this.#carried);
    this.#carry = [];
    this.#carried = 0;
    return bytes;
  }

  /** Hands out what begins there; returns where it ends, the same place when it is not yet whole. */
  #take(bytes: Buffer, from: number): number {
    const type = bytes[from] ?? 0;
    const end = from + 1 + bytes.readInt32BE(from + 1);
    if (end < from + 5) {
      this.#handler.malformed();
      return from;
    }
    const to = Math.min(end, bytes.length);
    if (type === SERVER.dataRow || type === SERVER.copyData) {
      this.#bulkLeft = end - to;
      this.#handler.bulk({ bytes, from, to }, true);
    } else if (to < end) {
      return from;
    } else {
      this.#handler.message(type, { bytes, from, to });
    }
    return to;
  }
}

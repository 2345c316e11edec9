import { SERVER } from "./protocol.ts";

export interface AnswerHandler {
  /** A whole message. */
  message(type: number, message: Buffer): void;
  /** A row or COPY data, or a piece of one; `isStart` for the first piece. */
  bulk(part: Buffer, isStart: boolean): void;
  /** What came is no message. */
  malformed(): void;
  readonly closed: boolean;
}

/** Cuts what the origin sends into messages. Rows pass on as they come: one of a gigabyte never lies in memory whole. */
export class AnswerReader {
  readonly #handler: AnswerHandler;
  #carry: Buffer | null = null;
  #bulkLeft = 0;

  constructor(handler: AnswerHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    const bytes = this.#carry === null ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#carry = null;
    let at = 0;
    if (this.#bulkLeft > 0) {
      at = Math.min(this.#bulkLeft, bytes.length);
      this.#bulkLeft -= at;
      this.#handler.bulk(bytes.subarray(0, at), false);
    }
    while (bytes.length - at >= 5 && !this.#handler.closed) {
      const taken = this.#take(bytes, at);
      if (taken === 0) break;
      at += taken;
    }
    if (at < bytes.length) this.#carry = bytes.subarray(at);
  }

  #take(bytes: Buffer, at: number): number {
    const type = bytes[at] ?? 0;
    const size = bytes.readInt32BE(at + 1) + 1;
    if (size < 5) {
      this.#handler.malformed();
      return 0;
    }
    const message = bytes.subarray(at, at + size);
    if (type === SERVER.dataRow || type === SERVER.copyData) {
      this.#bulkLeft = size - message.length;
      this.#handler.bulk(message, true);
    } else if (message.length < size) {
      return 0;
    } else {
      this.#handler.message(type, message);
    }
    return message.length;
  }
}

import { protocolViolation } from "./errors.ts";
import { CLIENT } from "./protocol.ts";

const KNOWN = new Set<number>(Object.values(CLIENT));
const BARE = new Set<number>([CLIENT.sync, CLIENT.flush, CLIENT.copyDone, CLIENT.terminate]);
const STARTUP_LIMIT = 10_000;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts what a client sends into whole messages, however the network split or merged them.
 * Nothing is copied until a message spans two chunks, and each byte is then copied once.
 */
export class FrameReader {
  readonly #limit: number;
  #chunk: Buffer = NOTHING;
  /** Where in the chunk the next message begins. */
  #at = 0;
  /** What has come behind the chunk. */
  #later: Buffer[] = [];
  #size = 0;

  /** `limit`: the largest message in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes not yet handed out. */
  get buffered(): number {
    return this.#size;
  }

  push(chunk: Buffer): void {
    if (this.#size > 0) {
      this.#later.push(chunk);
    } else {
      this.#chunk = chunk;
      this.#at = 0;
    }
    this.#size += chunk.length;
  }

  /** The next message of the startup phase (it has no type byte), or null. Throws a `WireError` 08P01. */
  nextStartup(): Buffer | null {
    if (this.#size < 4) return null;
    const length = this.#whole(4).readInt32BE(this.#at);
    if (length < 8 || length > STARTUP_LIMIT) throw protocolViolation("invalid length of startup packet");
    return this.#take(length);
  }

  /** The next message, or null until one is whole. Throws a `WireError` 08P01 for what is none or is over the limit. */
  next(limit = this.#limit): Buffer | null {
    if (this.#size < 5) return null;
    const chunk = this.#whole(5);
    const type = chunk[this.#at] ?? 0;
    const length = chunk.readInt32BE(this.#at + 1);
    if (!KNOWN.has(type)) throw protocolViolation(`invalid frontend message type ${type}`);
    if (length < 4 || (length !== 4 && BARE.has(type))) throw protocolViolation("invalid message length");
    if (length > limit) throw protocolViolation(`message of ${length} bytes is over the limit of ${limit}`);
    return this.#take(length + 1);
  }

  #take(count: number): Buffer | null {
    if (this.#size < count) return null;
    const message = this.#whole(count).subarray(this.#at, this.#at + count);
    this.#size -= count;
    this.#at += count;
    // A chunk that has been handed out whole need not be kept until the next one comes.
    if (this.#size === 0) this.#chunk = NOTHING;
    return message;
  }

  /** The chunk in which the next `count` bytes lie, from `#at` on; they must have come. */
  #whole(count: number): Buffer {
    if (this.#chunk.length - this.#at < count) {
      this.#chunk = Buffer.concat([this.#chunk.subarray(this.#at), ...this.#later]);
      this.#at = 0;
      this.#later = [];
    }
    return this.#chunk;
  }
}

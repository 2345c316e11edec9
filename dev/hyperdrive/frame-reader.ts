import { protocolViolation } from "./errors.ts";
import { CLIENT } from "./protocol.ts";

const KNOWN = new Set<number>(Object.values(CLIENT));
const BARE = new Set<number>([CLIENT.sync, CLIENT.flush, CLIENT.copyDone, CLIENT.terminate]);
const STARTUP_LIMIT = 10_000;

/**
 * Cuts what a client sends into whole messages, however the network split or merged them.
 * Nothing is copied until a message spans two chunks, and each byte is then copied once.
 */
export class FrameReader {
  readonly #limit: number;
  #chunks: Buffer[] = [];
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
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next message of the startup phase (it has no type byte), or null. Throws a `WireError` 08P01. */
  nextStartup(): Buffer | null {
    const head = this.#peek(4);
    if (head === null) return null;
    const length = head.readInt32BE(0);
    if (length < 8 || length > STARTUP_LIMIT) throw protocolViolation("invalid length of startup packet");
    return this.#take(length);
  }

  /** The next message, or null until one is whole. Throws a `WireError` 08P01 for what is none or is over the limit. */
  next(limit = this.#limit): Buffer | null {
    const head = this.#peek(5);
    if (head === null) return null;
    const type = head[0] ?? 0;
    const length = head.readInt32BE(1);
    if (!KNOWN.has(type)) throw protocolViolation(`invalid frontend message type ${type}`);
    if (length < 4 || (length !== 4 && BARE.has(type))) throw protocolViolation("invalid message length");
    if (length > limit) throw protocolViolation(`message of ${length} bytes is over the limit of ${limit}`);
    return this.#take(length + 1);
  }

  #peek(count: number): Buffer | null {
    if (this.#size < count) return null;
    const first = this.#chunks[0];
    return first !== undefined && first.length >= count ? first : this.#join();
  }

  #take(count: number): Buffer | null {
    if (this.#size < count) return null;
    const first = this.#chunks[0];
    const source = first !== undefined && first.length >= count ? first : this.#join();
    const rest = source.subarray(count);
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#size -= count;
    return source.subarray(0, count);
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#chunks, this.#size);
    this.#chunks = [joined];
    return joined;
  }
}

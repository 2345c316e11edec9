import type { ClientSocket } from "../legs/client-leg.ts";
import type { Observer } from "../watch/observer.ts";

const LINGER_MS = 10_000;
const MOST_KEPT = 1000;

/** What a client is sent. Like Postgres, it lets answers go at Sync, Flush or before the origin's next answer. */
export class ClientOutput {
  /** The client has heard something since it last spoke. */
  hasAnswered = true;
  readonly #socket: ClientSocket;
  readonly #observer: Observer | null;
  #answers: Buffer[] = [];

  constructor(socket: ClientSocket, observer: Observer | null) {
    this.#socket = socket;
    this.#observer = observer;
  }

  /** The client reads more slowly than it is answered. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  push(...answers: Buffer[]): void {
    this.#answers.push(...answers);
    // Nor does Postgres wait for a Sync when there is too much to keep.
    if (this.#answers.length >= MOST_KEPT) this.send();
  }

  /** Lets the answers go; false asks for a pause. */
  send(): boolean {
    const bytes = this.#answers;
    if (bytes.length === 0) return !this.isFull;
    this.#answers = [];
    this.hasAnswered = true;
    const answer = bytes.length === 1 ? (bytes[0] ?? Buffer.alloc(0)) : Buffer.concat(bytes);
    this.#observer?.transferred("bytesOut", answer.length);
    return this.#socket.write(answer);
  }

  /** Says what is left to say, and hangs up. */
  hangUp(): void {
    this.send();
    this.#socket.end();
    // A peer that never reads, or never stops to send, would keep the socket half open for ever.
    const limit = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once("close", () => clearTimeout(limit));
  }

  /** Breaks the connection. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

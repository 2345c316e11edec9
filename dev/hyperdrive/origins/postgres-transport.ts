import type { Socket } from "node:net";
import { CLIENT, frame } from "../wire/protocol.ts";
import type { Transport, TransportEvents } from "./origin.ts";

const JOIN_BYTES = 64 * 1024;
const TERMINATE = frame(CLIENT.terminate);

interface Wiring extends TransportEvents {
  cancel(): Promise<void>;
}

/** Carries messages over an authenticated connection; what is sent between two flushes leaves in one write. */
export class PostgresTransport implements Transport {
  readonly #socket: Socket;
  readonly #wiring: Wiring;
  #queue: Buffer[] = [];
  #size = 0;

  constructor(socket: Socket, wiring: Wiring) {
    this.#socket = socket;
    this.#wiring = wiring;
    socket.on("data", (chunk: Buffer) => wiring.received(chunk));
    socket.on("drain", () => wiring.drained());
    socket.on("close", () => wiring.gone());
    socket.resume();
  }

  get congested(): boolean {
    return this.#socket.writableNeedDrain;
  }

  send(message: Buffer): void {
    this.#queue.push(message);
    this.#size += message.length;
    if (this.#size >= JOIN_BYTES) this.flush();
  }

  flush(): void {
    if (this.#queue.length === 0) return;
    const messages = this.#queue;
    this.#queue = [];
    const [first] = messages;
    if (messages.length === 1 && first !== undefined) this.#socket.write(first);
    else if (this.#size < JOIN_BYTES) this.#socket.write(Buffer.concat(messages, this.#size));
    else for (const message of messages) this.#socket.write(message);
    this.#size = 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  cancel(): Promise<void> {
    return this.#wiring.cancel();
  }

  rest(): void {}

  end(): void {
    this.flush();
    this.#socket.end(TERMINATE);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

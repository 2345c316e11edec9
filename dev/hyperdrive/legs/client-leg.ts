import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { DelayLine } from "./latency.ts";
import type { LegOptions } from "./leg.ts";
import { slices } from "./slices.ts";

/** What the edge needs of a client's socket. */
export interface ClientSocket extends Duplex {
  /** Ends it once everything is written. */
  destroySoon(): void;
  /** Resets the connection. */
  resetAndDestroy(): unknown;
}

/** So much may be under way to a client before what follows waits. */
const WINDOW = 4 * 1024 * 1024;

/** A client's socket at the far end of a leg that takes time and slices what it carries. */
export class LeggedSocket extends Duplex implements ClientSocket {
  readonly #socket: Socket;
  readonly #options: LegOptions;
  readonly #out: DelayLine;
  readonly #in: DelayLine;
  #underWay = 0;

  constructor(socket: Socket, options: LegOptions) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#options = options;
    this.#out = options.latency.line("clientEdge");
    this.#in = options.latency.line("clientEdge");
    socket.on("data", (chunk: Buffer) => this.#in.push(() => this.#received(chunk)));
    socket.on("end", () => this.#in.push(() => this.push(null)));
    socket.on("close", () => this.#in.push(() => this.destroy()));
  }

  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.end(() => this.destroy());
  }

  resetAndDestroy(): this {
    this.#socket.resetAndDestroy();
    this.destroy();
    return this;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#underWay += chunk.length;
    const isSliced = this.#options.faults.isOn("sliced");
    // A leg takes time, but it carries more than one thing at a time; slices must not mix.
    const waits = isSliced || this.#underWay > WINDOW;
    const arrived = () => {
      this.#underWay -= chunk.length;
      if (waits) done();
    };
    this.#out.push(() => {
      if (this.#socket.destroyed) arrived();
      else if (isSliced) void this.#trickle(slices(chunk)).then(arrived);
      else this.#socket.write(chunk, arrived);
    });
    if (!waits) done();
  }

  override _final(done: () => void): void {
    this.#out.push(() => {
      if (this.#socket.destroyed) done();
      else this.#socket.end(() => done());
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #received(chunk: Buffer): void {
    if (!this.destroyed && !this.push(chunk)) this.#socket.pause();
  }

  async #trickle(pieces: Buffer[]): Promise<void> {
    for (const piece of pieces) await new Promise<void>((resolve) => this.#socket.write(piece, () => resolve()));
  }
}

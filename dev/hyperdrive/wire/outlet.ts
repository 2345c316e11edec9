import type { Piece } from "./answer-reader.ts";

const NOTHING = Buffer.alloc(0);

/** Pieces on their way to a client. Neighbours in one chunk become one piece again: fewer objects, fewer writes. */
export class Outlet {
  #pieces: Buffer[] = [];
  #chunk: Buffer = NOTHING;
  #from = 0;
  #to = 0;

  push({ bytes, from, to }: Piece): void {
    if (bytes !== this.#chunk || from !== this.#to) {
      this.#close();
      this.#chunk = bytes;
      this.#from = from;
    }
    this.#to = to;
  }

  /** All that has been pushed since the last time. */
  take(): Buffer[] {
    this.#close();
    const pieces = this.#pieces;
    if (pieces.length > 0) this.#pieces = [];
    return pieces;
  }

  #close(): void {
    const chunk = this.#chunk;
    if (chunk === NOTHING) return;
    const isWhole = this.#from === 0 && this.#to === chunk.length;
    this.#pieces.push(isWhole ? chunk : chunk.subarray(this.#from, this.#to));
    this.#chunk = NOTHING;
  }
}

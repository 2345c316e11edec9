/** Pieces on their way to a client. Neighbours in one chunk become one piece again: fewer objects, fewer writes. */
export class Outlet {
  #pieces: Buffer[] = [];
  #memory: ArrayBufferLike | null = null;
  #from = 0;
  #to = 0;

  push(piece: Buffer): void {
    const from = piece.byteOffset;
    if (piece.buffer !== this.#memory || from !== this.#to) {
      this.#close();
      this.#memory = piece.buffer;
      this.#from = from;
    }
    this.#to = from + piece.length;
  }

  /** All that has been pushed since the last time. */
  take(): Buffer[] {
    this.#close();
    const pieces = this.#pieces;
    if (pieces.length > 0) this.#pieces = [];
    return pieces;
  }

  #close(): void {
    if (this.#memory === null) return;
    this.#pieces.push(Buffer.from(this.#memory, this.#from, this.#to - this.#from));
    this.#memory = null;
  }
}

import { hash } from "node:crypto";

/** What a table holds: comparable across servers, whatever the order of its rows. */
export interface TableSum {
  rows: number;
  checksum: string;
}

/** Adds up rows in COPY's text format, one line each, without its line break. */
export class RowSum {
  #rows = 0;
  #sum = 0n;

  add(line: Buffer): void {
    this.#rows++;
    this.#sum = BigInt.asUintN(64, this.#sum + hash("sha256", line, "buffer").readBigUInt64BE());
  }

  get total(): TableSum {
    return { rows: this.#rows, checksum: this.#sum.toString(16).padStart(16, "0") };
  }
}

/** The lines in a stream of bytes, without their line breaks, as many at once as a chunk completes. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
      lines.push(data.subarray(start, end));
      start = end + 1;
    }
    rest = data.subarray(start);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [rest];
}

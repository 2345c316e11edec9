import { SERVER } from "../wire/protocol.ts";

/** An answer as it goes to a client: the messages' bytes. */
export interface Answer {
  /** RowDescription or NoData; null when the query did not ask for it. */
  description: Buffer | null;
  /** The DataRow messages, one after another. */
  rows: Buffer;
  rowCount: number;
  /** CommandComplete. */
  complete: Buffer;
  /** What `columnsOf` says of it, where there is no description to tell and it is known all the same. */
  columns: Buffer | null;
}

const BEHIND_NAME = 18;

/** Names and types of the columns that a RowDescription among these messages tells of, formats aside; null when there is none. */
export function columnsOf(messages: Buffer | null): Buffer | null {
  const size = messages?.length ?? 0;
  for (let at = 0; messages !== null && at + 7 <= size; at += 1 + messages.readInt32BE(at + 1)) {
    if (messages[at] !== SERVER.rowDescription) continue;
    const columns: Buffer[] = [];
    let place = at + 7;
    for (let left = messages.readInt16BE(at + 5); left > 0; left--) {
      const nameEnd = messages.indexOf(0, place) + 1;
      // Behind the name: table, number there, type (oid, size, modifier), format.
      columns.push(messages.subarray(place, nameEnd), messages.subarray(nameEnd + 6, nameEnd + BEHIND_NAME - 2));
      place = nameEnd + BEHIND_NAME;
    }
    return Buffer.concat(columns);
  }
  return null;
}

const OUTCOMES = new Set<number>([SERVER.error, SERVER.emptyQuery, SERVER.portalSuspended, SERVER.copyIn]);

/** Collects the answer to one query as it passes by, up to a bound. */
export class AnswerCollector {
  /** It has grown past the bound and was let go. */
  isOversized = false;
  bytes = 0;
  readonly #limit: number;
  #pieces: Buffer[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.bytes += piece.length;
      if (this.isOversized) continue;
      this.#pieces.push(piece);
    }
    if (this.bytes <= this.#limit) return;
    this.isOversized = true;
    this.#pieces = [];
  }

  /** The answer, once it is complete; null when it is an error, or none that could be given again. */
  result(): Answer | null {
    return this.isOversized ? null : readResult(Buffer.concat(this.#pieces));
  }
}

function readResult(bytes: Buffer): Answer | null {
  let description: Buffer | null = null;
  let complete: Buffer | null = null;
  const rows: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    const type = bytes[at] ?? 0;
    const message = bytes.subarray(at, end);
    if (OUTCOMES.has(type)) return null;
    if (type === SERVER.dataRow) rows.push(message);
    else if (type === SERVER.rowDescription || type === SERVER.noData) description = Buffer.from(message);
    else if (type === SERVER.commandComplete) complete = Buffer.from(message);
    at = end;
  }
  if (complete === null) return null;
  return { description, rows: Buffer.concat(rows), rowCount: rows.length, complete, columns: null };
}

/** The same in memory of its own, which a small piece would share with whatever else was allocated at the time. */
export function compact({ description, rows, rowCount, complete, columns }: Answer): Answer {
  const memory = Buffer.allocUnsafeSlow(sizeOf({ description, rows, rowCount, complete, columns }));
  let at = 0;
  const moved = (bytes: Buffer) => {
    at += bytes.copy(memory, at);
    return memory.subarray(at - bytes.length, at);
  };
  return {
    description: description === null ? null : moved(description),
    rows: moved(rows),
    rowCount,
    complete: moved(complete),
    columns: columns === null ? null : moved(columns),
  };
}

/** How many bytes it holds. */
export function sizeOf({ description, rows, complete, columns }: Answer): number {
  return (description?.length ?? 0) + rows.length + complete.length + (columns?.length ?? 0);
}

/** Whether two answers hold the same rows, in whatever order. */
export function sameRows(left: Answer, right: Answer): boolean {
  if (left.rows.equals(right.rows)) return true;
  if (left.rowCount !== right.rowCount || left.rows.length !== right.rows.length) return false;
  const sorted = ({ rows }: Answer) => rowsOf(rows).sort(Buffer.compare);
  return Buffer.concat(sorted(left)).equals(Buffer.concat(sorted(right)));
}

function rowsOf(bytes: Buffer): Buffer[] {
  const rows: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    rows.push(bytes.subarray(at, end));
    at = end;
  }
  return rows;
}

import type { TransactionSql } from "postgres";
import type { TableInfo } from "./catalogue.ts";
import { linesOf } from "./row-sum.ts";

/** A table's rows in COPY's text format: many lines at once, without their line breaks. */
export async function* copyOut(tx: TransactionSql, { sql, columns }: TableInfo): AsyncGenerator<Buffer[]> {
  const rows = await tx.unsafe(`copy ${sql} (${columns}) to stdout`).readable();
  yield* linesOf(rows);
  // The driver stops its socket when the reader is slow, and starts it again at the next read: there is none after the
  // last row, and the answer to the next statement would never arrive.
  rows._read(0);
}

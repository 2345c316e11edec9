import { once } from "node:events";
import type { TransactionSql } from "postgres";
import { Refusal } from "../cli.ts";
import type { Report } from "./progress.ts";

interface Rows {
  /** An export's lines, from the first row on; afterwards they stand behind the end of the rows. */
  lines: AsyncGenerator<Buffer>;
  report: Report;
}

const batchBytes = 256 * 1024;
const lineBreak = Buffer.from("\n");

/** Runs a COPY from stdin. @throws what the database says of the rows; Refusal when they have no end. */
export async function copyIn(tx: TransactionSql, statement: string, { lines, report }: Rows): Promise<void> {
  const name = statement.slice("COPY ".length, statement.indexOf(" ("));
  const { sink, failed } = await open(tx, statement);
  let count = 0;
  const send = async (batch: Buffer[]) => {
    report.rows(name, count);
    if (!sink.write(Buffer.concat(batch))) await Promise.race([once(sink, "drain"), failed]);
  };
  try {
    for await (const batch of batches(lines)) {
      count += batch.length / 2;
      await send(batch);
    }
  } catch (error) {
    sink.destroy();
    throw error;
  }
  sink.end();
  await Promise.race([once(sink, "finish"), failed]);
  report.done(name, count);
}

async function open(tx: TransactionSql, statement: string) {
  const query = tx.unsafe(statement);
  // The driver has settled the query once rows may come, and says to nobody what becomes of them: it calls this.
  const settled = query as unknown as { reject(error: unknown): void };
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const original = settled.reject;
  settled.reject = (error) => {
    reject(error);
    original(error);
  };
  const sink = await query.writable();
  sink.on("error", reject);
  return { sink, failed };
}

/** The lines up to the end of the rows, each with its line break, many at once. */
async function* batches(lines: AsyncGenerator<Buffer>): AsyncGenerator<Buffer[]> {
  let batch: Buffer[] = [];
  let size = 0;
  for (;;) {
    const { value: line, done } = await lines.next();
    if (done) throw new Refusal("The file ends in the middle of its rows; nothing was changed.");
    if (line.equals(endOfRows)) break;
    batch.push(line, lineBreak);
    size += line.length;
    if (size < batchBytes) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}

const endOfRows = Buffer.from("\\.");

import type { Hyperdrive } from "../index.ts";
import type { QueryRecord } from "../watch/query-log.ts";

/** What the cached door saw of queries that hold this text: `status`, oldest first. */
export function statusesOf(hyperdrive: Hyperdrive, text: string): string[] {
  return recordsOf(hyperdrive, text).map(({ status }) => status);
}

export function recordsOf(hyperdrive: Hyperdrive, text: string): QueryRecord[] {
  const records = hyperdrive.instruments.log.queries(null);
  return records.filter(({ door, sql }) => door === "cached" && sql.includes(text));
}

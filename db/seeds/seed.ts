import type { PgInsertValue, PgTable } from "drizzle-orm/pg-core";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { TypeID } from "typeid-js";
import type { DatabaseSchema } from "../index.ts";

/** The owner's connection, inside the transaction of the whole seed. */
export type SeedDb = Pick<PostgresJsDatabase<DatabaseSchema>, "select" | "insert" | "query">;

/**
 * One domain's demo data; beyond a scale of 1 with a crowd in proportion. Running it again changes nothing, and every
 * run writes the same.
 */
export type Seed = (db: SeedDb, scale: number) => Promise<void>;

/** Number of the crowd's first row in each table; the demo rows come before. */
export const crowdStart = 1_000_000;

const rowsAtOnce = 500;

/** Inserts rows that may be many; those whose key is taken already stay as they are. */
export async function insertMany<Table extends PgTable>(
  db: SeedDb,
  table: Table,
  rows: PgInsertValue<Table>[],
): Promise<void> {
  for (let start = 0; start < rows.length; start += rowsAtOnce) {
    await db
      .insert(table)
      .values(rows.slice(start, start + rowsAtOnce))
      .onConflictDoNothing();
  }
}

/** The numbers from 0 to `count` - 1. */
export function numbers(count: number): number[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => index);
}

/** The entry at `number`, counted round and round. */
export function pick<T>(list: readonly [T, ...T[]], number: number): T {
  return list[number % list.length] ?? list[0];
}

/** The same TypeID for the same number, at every run and on every machine. */
export function seedId(prefix: string, number: number): string {
  return TypeID.fromUUID(prefix, `019a0000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`).toString();
}

/** A fixed day, so that lists have an order and every run the same data. */
export function seedDay(day: number): Date {
  return new Date(Date.UTC(2026, 0, day, 9));
}

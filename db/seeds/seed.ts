import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { TypeID } from "typeid-js";
import type { DatabaseSchema } from "../index.ts";

/** The owner's connection, inside the transaction of the whole seed. */
export type SeedDb = Pick<PostgresJsDatabase<DatabaseSchema>, "select" | "insert" | "query">;

/** One domain's demo data. Running it again changes nothing. */
export type Seed = (db: SeedDb) => Promise<void>;

/** The same TypeID for the same number, at every run and on every machine. */
export function seedId(prefix: string, number: number): string {
  return TypeID.fromUUID(prefix, `019a0000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`).toString();
}

/** A fixed day, so that lists have an order and every run the same data. */
export function seedDay(day: number): Date {
  return new Date(Date.UTC(2026, 0, day, 9));
}

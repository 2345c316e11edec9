import { env } from "cloudflare:workers";
import type { QueryResult } from "pg";
import { connectionOf, createDb, type Db } from "../core/database/doors.ts";
import { Trips } from "../core/database/trips.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** Address of the database for the schema's owner, who bypasses row-level security. Tests alone. */
      OWNER_URL: string;
    }
  }
}

/** A client on any address, closed after `work`. */
export async function withDb<T>(connectionString: string, work: (db: Db) => Promise<T>): Promise<T> {
  const waits: Promise<unknown>[] = [];
  const db = createDb(
    { connectionString },
    {
      leg: "db-direct",
      trips: new Trips(),
      pipeline: true,
      connectTimeoutMs: 5000,
      queryTimeoutMs: 15_000,
      waitUntil: (promise) => void waits.push(promise),
    },
  );
  try {
    return await work(db);
  } finally {
    await Promise.all(waits);
    await connectionOf(db).close();
  }
}

/** Past the doors: for setting up what no procedure makes, and for looking at rows. */
export function withOwner<T>(work: (db: Db) => Promise<T>): Promise<T> {
  return withDb(env.OWNER_URL, work);
}

/** One SQL text as the schema's owner. */
export function ownerSql(text: string, values: unknown[] = []): Promise<QueryResult> {
  return withOwner((db) => connectionOf(db).query(text, values));
}

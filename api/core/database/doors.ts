import { type DatabaseSchema, schema } from "@repo/db";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import type { Client } from "pg";
import { Connection, type ConnectionOptions } from "./connection.ts";

/** A Drizzle client over one connection: `ctx.dbDirect`. */
export type Db = NodePgDatabase<DatabaseSchema>;

/** `ctx.db`: what the cache may answer. Writing through it does not compile. */
export type CachedDb = Pick<Db, "select" | "selectDistinct" | "query" | "$count" | "$with">;

/** A transaction behind one of the doors. `savepoint` nests; there is no way to send raw SQL. */
export type Tx = Pick<
  Db,
  "select" | "selectDistinct" | "insert" | "update" | "delete" | "query" | "$count" | "$with" | "with"
> & {
  savepoint<T>(work: () => Promise<T>): Promise<T>;
};

const connections = new WeakMap<object, Connection>();

/** Drizzle over anything that answers `query` as pg's Client does. */
export function drizzleOver(client: { query: unknown }): Db {
  // Drizzle calls nothing of the client but `query`, unless it opens a transaction itself.
  return drizzle(client as unknown as Client, { schema, casing: "snake_case" });
}

/**
 * A Drizzle client on one Hyperdrive binding. It opens its only connection at the first statement and lives for one
 * request; close it with `connectionOf(db).close()`.
 */
export function createDb(
  hyperdrive: Pick<Hyperdrive, "connectionString">,
  options: Omit<ConnectionOptions, "connectionString">,
): Db {
  const connection = new Connection({ connectionString: hyperdrive.connectionString, ...options });
  const db = drizzleOver(connection);
  connections.set(db, connection);
  return db;
}

/** The connection behind a client of `createDb`. */
export function connectionOf(db: object): Connection {
  const connection = connections.get(db);
  if (!connection) throw new Error("this client was not made by createDb");
  return connection;
}

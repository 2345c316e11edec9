import { type DatabaseSchema, schema } from "@repo/db";
import {
  createTableRelationsHelpers,
  type ExtractTablesWithRelations,
  extractTablesRelationalConfig,
} from "drizzle-orm";
import { NodePgDatabase, NodePgSession } from "drizzle-orm/node-postgres";
import { PgDialect } from "drizzle-orm/pg-core";
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
  /** Sends a statement in one flight with COMMIT, for what needs no answer. Its failure undoes the transaction. */
  withCommit(statement: { toSQL(): { sql: string; params: unknown[] } }): void;
};

const connections = new WeakMap<object, Connection>();

// Built once per isolate: the map of the schema costs more than the rest of a request's client together.
const dialect = new PgDialect({ casing: "snake_case" });
const { tables, tableNamesMap } = extractTablesRelationalConfig<ExtractTablesWithRelations<DatabaseSchema>>(
  schema,
  createTableRelationsHelpers,
);
const relational = { fullSchema: schema, schema: tables, tableNamesMap };

/** Drizzle over anything that answers `query` as pg's Client does. */
export function drizzleOver(client: { query: unknown }): Db {
  // Drizzle calls nothing of the client but `query`, unless it opens a transaction itself.
  const session = new NodePgSession(client as unknown as Client, dialect, relational);
  return Object.assign(new NodePgDatabase<DatabaseSchema>(dialect, session, relational), { $client: client });
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

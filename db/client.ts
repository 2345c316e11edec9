import type { ExtractTablesWithRelations } from "drizzle-orm";
import { sql } from "drizzle-orm";
import { drizzle, type PostgresJsDatabase, type PostgresJsTransaction } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { type DatabaseSchema, schema } from "./index.ts";
import { Refusal } from "./scripts/cli.ts";
import { checkedUrl, readTarget } from "./scripts/env.ts";

/** The Postgres role that each of our roles acts as. */
const postgresRoles = { user: "authenticated", support: "support", admin: "admin" } as const;

/** Roles that `rlsDb.rls` takes. */
export type RlsRole = keyof typeof postgresRoles;

/** A Drizzle client on the whole schema. */
export type Db = PostgresJsDatabase<DatabaseSchema>;

/** The transaction that a callback gets; `tx.transaction` nests by savepoints. */
export type Tx = PostgresJsTransaction<DatabaseSchema, ExtractTablesWithRelations<DatabaseSchema>>;

export interface RlsDb {
  /**
   * Runs `callback` in one transaction that sees what the policies allow this user in this role.
   * @throws what the callback throws, after rolling back; TypeError for an unknown role, before any SQL.
   */
  rls<T>(userId: string, role: RlsRole, callback: (tx: Tx) => Promise<T>): Promise<T>;
}

export interface DatabaseClient {
  /** Speaks as whoever the address logs in; as the schema's owner it bypasses row-level security. */
  db: Db;
  /** Speaks as a user. */
  rlsDb: RlsDb;
  /** Closes the connections after the statements under way, within five seconds. */
  close(): Promise<void>;
}

/**
 * A client for Node: scripts, tools, servers beside the worker. Connects at its first statement, as a role that may
 * take on the runtime roles: `app_direct`, or the schema's owner. `url` defaults to DATABASE_URL of the environment.
 * @throws Refusal when there is no address or a malformed one.
 */
export function connect(url = addressOfEnvironment()): DatabaseClient {
  const client = postgres(checkedUrl(url), { onnotice: () => {}, connect_timeout: 10 });
  const db = drizzle(client, { schema, casing: "snake_case" });
  return {
    db,
    rlsDb: { rls: (userId, role, callback) => rls(db, userId, [role, callback]) },
    close: () => client.end({ timeout: 5 }),
  };
}

async function rls<T>(db: Db, userId: string, [role, callback]: [RlsRole, (tx: Tx) => Promise<T>]): Promise<T> {
  if (!Object.hasOwn(postgresRoles, role)) throw new TypeError(`no such role: ${role}`);
  const claims = JSON.stringify({ sub: userId, role });
  return db.transaction(async (tx) => {
    // Until the transaction ends, and for no statement after it.
    await tx.execute(
      sql`select set_config('role', ${postgresRoles[role]}, true), set_config('request.jwt.claims', ${claims}, true)`,
    );
    return callback(tx);
  });
}

function addressOfEnvironment(): string {
  const { databaseUrl } = readTarget();
  if (databaseUrl) return databaseUrl;
  throw new Refusal("DATABASE_URL is not set: give connect() an address, such as the one that bun dev prints.");
}

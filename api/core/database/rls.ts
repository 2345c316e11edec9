import { connectionOf, type Db, drizzleOver, type Tx } from "./doors.ts";
import { type TransactionClient, transaction } from "./transaction.ts";

/** Roles that a transaction takes on; `service` through `asService` alone. */
export const callerRoles = ["anonymous", "authenticated", "support", "admin"] as const;
export type CallerRole = (typeof callerRoles)[number];

/** What policies may ask about the caller: `auth.uid()`, `auth.org()`, `auth.role()`, `auth.key()`. Verified, fresh data only. */
export interface Claims {
  sub?: string;
  org?: string;
  role?: string;
  key?: string;
}

/** Whom a transaction speaks for. */
export interface Actor {
  role: CallerRole;
  claims: Claims;
  /** Postgres refuses writes, and nobody waits for the COMMIT. Default false. */
  readOnly?: boolean;
}

const identifier = /^[a-z0-9_]{1,90}$/;

/** `text` as a SQL literal; only ids and closed enumerations get here, the pattern holds them to that. */
function literal(claims: Claims): string {
  for (const value of Object.values(claims)) {
    if (value !== undefined && !identifier.test(value)) throw new Error("a claim is no identifier");
  }
  return `'${JSON.stringify(claims)}'`;
}

/** The statements that open a transaction as `role`; literals from closed enumerations and ids alone. */
export function prelude(role: CallerRole | "service", claims: Claims, readOnly: boolean): string {
  return `begin${readOnly ? " read only" : ""}; select set_config('role', '${role}', true), set_config('request.jwt.claims', ${literal(claims)}, true)`;
}

/** The Drizzle client that a callback gets. */
export function txOver(client: TransactionClient): Tx {
  const more: Pick<Tx, "savepoint" | "withCommit"> = {
    savepoint: (work) => client.savepoint(work),
    withCommit(statement) {
      const { sql, params } = statement.toSQL();
      client.withCommit({ text: sql, values: params });
    },
  };
  return Object.assign(drizzleOver(client), more);
}

/**
 * Runs `callback` in one transaction that sees what the actor's policies allow. BEGIN, role and claims travel in one
 * flight with the first statement, and no row is handed out unless they held.
 * @throws what the callback throws, after rolling back; an unknown role is refused before any SQL.
 */
export async function rls<T>(dbDirect: Db, actor: Actor, callback: (tx: Tx) => Promise<T>): Promise<T> {
  const { role, claims, readOnly = false } = actor;
  if (!callerRoles.includes(role)) throw new Error(`no such role: ${String(role)}`);
  const options = { prelude: prelude(role, claims, readOnly), readOnly };
  return transaction(connectionOf(dbDirect), options, (client) => callback(txOver(client)));
}

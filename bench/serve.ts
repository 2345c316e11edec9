import { join } from "node:path";
import { migrateDatabase } from "@repo/db/scripts/migrate";
import postgres, { type Sql } from "postgres";
import { unstable_startWorker } from "wrangler";
import { startPostgres } from "../dev/postgres.ts";

/** Signs what the worker under test gives out. */
export const authSecret = "a secret of the benchmark, long enough for the check";

type Worker = Awaited<ReturnType<typeof unstable_startWorker>>;

/** Starts the worker of a wrangler file in this folder, without a store that stays. */
export function startWorker(config: string): Promise<Worker> {
  return unstable_startWorker({
    config: join(import.meta.dirname, config),
    bindings: { AUTH_SECRET: { type: "plain_text", value: authSecret } },
    dev: { logLevel: "error", server: { port: 0 }, inspector: false, watch: false, persist: false },
  });
}

/** A migrated Postgres to which both Hyperdrive bindings of every worker started afterwards lead; `fill` writes its rows. */
export async function serveDatabase(fill: (sql: Sql) => Promise<void>): Promise<{ stop(): Promise<void> }> {
  const server = await startPostgres();
  await migrateDatabase(server.ownerUrl);
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  await sql.unsafe("alter role app_cached login password 'local'; alter role app_direct login password 'local'");
  await fill(sql);
  await sql.end();
  for (const door of ["cached", "direct"]) {
    const url = new URL(server.url);
    url.username = `app_${door}`;
    url.password = "local";
    process.env[`CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE_${door.toUpperCase()}`] = url.href;
  }
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  return server;
}
